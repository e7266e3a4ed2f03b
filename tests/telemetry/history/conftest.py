"""History is asked of every store alike."""

from collections.abc import Iterator

import pytest
from pytest_django import Settings

from telemetry import stores
from telemetry.stores.base import Store


@pytest.fixture(params=["memory", "timescale"])
def store(request: pytest.FixtureRequest, settings: Settings, db: None) -> Iterator[Store]:
    """The store of this process, for the time of a test."""
    settings.TELEMETRY_STORE = request.param
    stores.store.cache_clear()
    yield stores.store()
    stores.store.cache_clear()
