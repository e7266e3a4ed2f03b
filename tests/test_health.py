"""Alive, ready, and which part is missing."""

from collections.abc import Iterator
from typing import Any

import orjson
import pytest
from django.db import DatabaseError
from django.test import Client
from pytest_django import Settings

from iotpanel import figures, health, valkey

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def nobody_else() -> Iterator[None]:
    client = valkey.client()
    client.delete(figures.PROCESSES)
    health._Applied.seen = False
    yield
    client.delete(figures.PROCESSES)
    health._Applied.seen = False


def report_uplink(connected: float) -> None:
    family = ("iotpanel_broker_connected", "gauge", "", [("iotpanel_broker_connected", {"connector": "mqtt"}, connected)])
    valkey.client().set(f"{valkey.PREFIX}figures:uplink@host:1", orjson.dumps([family]), ex=60)
    valkey.client().sadd(figures.PROCESSES, "uplink@host:1")


def parts(client: Client, status: int) -> dict[str, str]:
    response = client.get("/readyz")
    assert response.status_code == status
    assert response.json()["ready"] == (status == 200)
    return dict(response.json()["parts"])


def test_it_is_ready_when_everything_is_there(client: Client) -> None:
    report_uplink(1)
    assert parts(client, 200) == {"database": "ok", "migrations": "ok", "cache": "ok", "uplink": "ok", "broker": "ok"}


def test_it_says_that_no_worker_reports(client: Client) -> None:
    assert parts(client, 503)["uplink"] == "no worker reports"


def test_it_says_that_the_broker_is_away(client: Client) -> None:
    report_uplink(0)
    found = parts(client, 503)
    assert (found["uplink"], found["broker"]) == ("ok", "the worker is not connected")


def test_it_says_that_the_cache_is_away(client: Client, settings: Settings) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    found = parts(client, 503)
    assert (found["database"], found["cache"], found["uplink"]) == ("ok", "does not answer", "unknown")


def test_it_says_that_the_database_is_away(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_args: Any) -> None:
        raise DatabaseError("password=hunter2")

    monkeypatch.setattr("iotpanel.health.connection.cursor", refuse)
    monkeypatch.setattr("iotpanel.health.MigrationExecutor", refuse)
    report_uplink(1)
    found = parts(client, 503)
    assert (found["database"], found["migrations"]) == ("does not answer", "unknown")
    assert "hunter2" not in client.get("/readyz").content.decode()


def test_it_says_that_migrations_are_missing(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    report_uplink(1)
    monkeypatch.setattr("iotpanel.health.MigrationExecutor.migration_plan", lambda *_: [1, 2])
    assert parts(client, 503)["migrations"] == "2 not applied"


def test_being_alive_asks_nobody(client: Client, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    monkeypatch.setattr("iotpanel.health.connection.cursor", None)
    assert client.get("/healthz").status_code == 200


def test_a_probe_knows_no_name_and_is_not_redirected(client: Client, settings: Settings) -> None:
    """Load balancers ask by address and in plain HTTP."""
    settings.ALLOWED_HOSTS = ["panel.example"]
    settings.SECURE_SSL_REDIRECT = True
    assert client.get("/healthz", headers={"host": "10.0.0.7"}).status_code == 200
    assert client.get("/readyz", headers={"host": "10.0.0.7"}).status_code == 503
