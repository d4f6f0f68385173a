"""The worker of the tests: as backend.jobs.worker, with the stages of the tests."""

from backend.jobs.worker import main
from tests.jobs.fake_stages import find

if __name__ == "__main__":
    main(find=find, child="tests.jobs.fake_child")
