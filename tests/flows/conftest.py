import pytest

from tests.flows.platform import Platform
from tests.services import Services


@pytest.fixture(scope="session")
def platform(services: Services) -> Platform:
    """The whole product, running, with its administrator signed in."""
    return Platform(services)
