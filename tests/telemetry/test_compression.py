"""Compression is tried only where the server says it can, and a refusal costs nothing.

The suite's TimescaleDB is Debian's Apache edition, which has no compression: what the Community edition would be told is tested here
word by word, that it does what it is told is not.
"""

from typing import Any

import pytest
from django.conf import LazySettings
from django.db import connection

from iotpanel.statements import execute
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


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, list[Any]]]:
    """What a server of the Community edition is told, which has not been told to compress before."""
    said: list[tuple[str, list[Any]]] = []

    def execute(sql: str, values: Any = ()) -> list[Any]:
        said.append((" ".join(sql.split()), list(values)))
        return [(False,)] if sql == compression.ENABLED else []

    monkeypatch.setattr(compression, "execute", execute)
    return said


def edition(monkeypatch: pytest.MonkeyPatch, license: str | None, active: bool = True) -> None:
    answers = {features.ACTIVE: active, features.LICENSE: license}
    monkeypatch.setattr(features, "_ask", lambda _, question: answers[question])


@pytest.mark.parametrize(
    ("license", "active", "compresses"),
    [("timescale", True, True), ("apache", True, False), (None, True, False), ("", True, False), ("timescale", False, False)],
)
def test_the_licence_that_the_server_names_decides(
    monkeypatch: pytest.MonkeyPatch, told: list[Any], license: str | None, active: bool, compresses: bool
) -> None:
    """A library that is preloaded but not created in this database is none."""
    edition(monkeypatch, license, active)

    assert compression.ensure() is compresses
    assert bool(told) is compresses


def test_the_community_edition_is_told_what_to_compress_by_and_when(
    monkeypatch: pytest.MonkeyPatch, told: list[Any], settings: LazySettings
) -> None:
    edition(monkeypatch, "timescale")
    settings.COMPRESS_AFTER_DAYS = 12

    assert compression.ensure()

    by = "timescaledb.compress, timescaledb.compress_segmentby = 'device_id', timescaledb.compress_orderby = 'at DESC'"
    assert [sql for sql, _ in told[1:]] == [
        f"ALTER TABLE telemetry_report SET ( {by} )",
        "SELECT add_compression_policy('telemetry_report', compress_after => make_interval(days => %s), if_not_exists => true)",
    ]
    assert told[-1][1] == [12]


def test_a_table_that_is_compressed_already_is_not_altered_again(monkeypatch: pytest.MonkeyPatch, told: list[Any]) -> None:
    edition(monkeypatch, "timescale")
    inner = compression.execute  # type: ignore[attr-defined]
    monkeypatch.setattr(compression, "execute", lambda sql, *values: inner(sql, *values) and [(True,)])

    assert compression.ensure()

    assert not [sql for sql, _ in told if sql.startswith("ALTER")]
