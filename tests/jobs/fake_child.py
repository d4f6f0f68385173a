"""The child of the tests: as backend.jobs.child, with the stages of the tests."""

from backend.jobs.child import main
from tests.jobs.fake_stages import find

if __name__ == "__main__":
    main(find)
