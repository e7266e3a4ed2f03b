"""System checks: each says what is wrong and what to do; production settings are clean."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as current
from django.core.checks import CheckMessage
from django.db import connection
from pytest_django import Settings

from iotpanel import checks


def ids(found: list[CheckMessage]) -> list[str | None]:
    assert all(message.hint for message in found)
    return [message.id for message in found]


def test_the_settings_as_they_are_pass() -> None:
    for check in (checks.check_home, checks.check_addresses, checks.check_sinks, checks.check_numbers):
        assert check() == []


def test_a_home_that_cannot_be_written_to(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    settings.IOTPANEL_HOME = Path("/somewhere/that/does/not/exist")
    assert ids(checks.check_home()) == ["iotpanel.E001"]


@pytest.mark.parametrize(("name", "value"), [("REDIS_URL", "localhost:6379"), ("MQTT_URL", "http://127.0.0.1"), ("MQTT_URL", "")])
def test_an_address_of_another_kind(name: str, value: str, settings: Settings) -> None:
    setattr(settings, name, value)
    (found,) = checks.check_addresses()
    assert (found.id, name in found.msg) == ("iotpanel.E002", True)


def test_a_sink_that_is_not_there(settings: Settings) -> None:
    settings.UPLINK_SINKS = ["devices.messages.Uplink", "rules.engine.no_such"]
    (found,) = checks.check_sinks()
    assert (found.id, "rules.engine.no_such" in found.msg) == ("iotpanel.E003", True)


@pytest.mark.parametrize(("name", "value"), [("RETENTION_DAYS", 0), ("TRUSTED_PROXIES", -1)])
def test_numbers_that_make_no_sense(name: str, value: int, settings: Settings) -> None:
    setattr(settings, name, value)
    assert ids(checks.check_numbers()) == ["iotpanel.E004"]


@pytest.mark.django_db
def test_the_database_is_looked_at_only_when_it_is_asked_for(settings: Settings) -> None:
    assert checks.check_database() == []
    with connection.cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT FROM pg_extension WHERE extname = 'timescaledb')")
        installed = cursor.fetchone()[0]
    settings.TIMESCALE = True
    assert ids(checks.check_database(databases=["default"])) == ([] if installed else ["iotpanel.W001"])
    settings.TIMESCALE = False
    assert checks.check_database(databases=["default"]) == []


@pytest.mark.django_db
def test_too_old_a_database(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "OLDEST_POSTGRESQL", 99)
    assert ids(checks.check_database(databases=["default"])) == ["iotpanel.E005"]


def test_what_should_not_be_shown_to_the_world(settings: Settings) -> None:
    settings.ALLOWED_HOSTS, settings.HTTPS, settings.TRUSTED_PROXIES, settings.METRICS_TOKEN = ["*"], True, 0, "short"
    assert ids(checks.check_deployment()) == ["iotpanel.W002", "iotpanel.W003", "iotpanel.W004"]


def deploy(*options: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, str(current.BASE_DIR / "manage.py"), "check", "--deploy", "--fail-level", "WARNING", *options]
    return subprocess.run(command, env=os.environ | environment, capture_output=True, text=True, check=False)


PRODUCTION: dict[str, Any] = {
    "IOTPANEL_DEBUG": "0",
    "IOTPANEL_HTTPS": "1",
    "IOTPANEL_TRUSTED_PROXIES": "1",
    "IOTPANEL_ALLOWED_HOSTS": "panel.example",
    "IOTPANEL_TRUSTED_ORIGINS": "https://panel.example",
    "IOTPANEL_BIND": "127.0.0.1",
    "IOTPANEL_METRICS_TOKEN": "a-long-token-for-prometheus",
    "IOTPANEL_SECRET_KEY": "production-secret-key-0123456789-abcdefghijklmnopqrstuvwxyz-ABCDEFGH",
    "IOTPANEL_SECRET_KEY_FILE": "",  # the suite's own would win
}


def test_production_settings_are_clean() -> None:
    found = deploy(**PRODUCTION)
    assert found.returncode == 0, found.stderr
    assert "no issues" in found.stdout + found.stderr


def test_careless_settings_are_told() -> None:
    careless = {"IOTPANEL_SECRET_KEY": "short", "IOTPANEL_HTTPS": "0", "IOTPANEL_ALLOWED_HOSTS": "*"}
    found = deploy("--tag", "security", **PRODUCTION | careless)
    assert found.returncode != 0
    for expected in ("security.W009", "security.W012", "iotpanel.W002"):
        assert expected in found.stderr


def test_without_a_secret_key_nothing_starts() -> None:
    bare = {name: value for name, value in os.environ.items() if not name.startswith("IOTPANEL_SECRET_KEY")} | {"IOTPANEL_DEBUG": "0"}
    command = [sys.executable, str(current.BASE_DIR / "manage.py"), "check"]
    found = subprocess.run(command, env=bare, capture_output=True, text=True, check=False)
    assert found.returncode != 0
    assert "IOTPANEL_SECRET_KEY_FILE" in found.stderr
