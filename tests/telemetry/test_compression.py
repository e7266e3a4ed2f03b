"""Compression is tried only where the server says it can, and a refusal costs nothing."""

import pytest
from django.conf import LazySettings
from django.db import connection

from iotpanel.databases import execute
from telemetry import compression
from telemetry.stores.backend import features

pytestmark = pytest.mark.django_db


def test_the_apache_edition_is_not_asked() -> None:
    assert compression.ensure() == features.community(connection)


def test_a_refusal_costs_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(features, "community", lambda _: True)
    assert compression.ensure() == (features.active(connection) and execute(features.LICENSE) == [("timescale",)])
    assert execute("SELECT count(*) FROM telemetry_report") == [(0,)], "the transaction goes on"


def test_zero_days_switch_it_off(settings: LazySettings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.COMPRESS_AFTER_DAYS = 0
    monkeypatch.setattr(features, "community", lambda _: pytest.fail("asked"))
    assert not compression.ensure()
