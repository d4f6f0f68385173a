"""The worker of the tests where PyTorch can use the cards that a test put there."""

from backend.core import cards
from backend.jobs.worker import main
from tests.jobs.fake_stages import find

if __name__ == "__main__":
    cards.torch_has_cuda = lambda: True
    main(find=find, child="tests.jobs.fake_child")
