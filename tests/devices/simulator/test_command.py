"""`manage.py simulate`: it registers the fleet, then gives way to the process that is the fleet."""

import json
import os
import sys
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import connections
from pytest_django import Settings

from devices.models import Device
from iotpanel.tenants.models import Tenant
from telemetry.management.commands.simulate import broker_host
from tests.make import make_device, make_tenant


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch, settings: Settings, tmp_path: Path) -> list[list[str]]:
    """The command lines that the command became."""
    lines: list[list[str]] = []
    settings.IOTPANEL_HOME = tmp_path
    monkeypatch.setattr(connections, "close_all", lambda: None)  # the test's own connection is among them
    monkeypatch.setattr(os, "execv", lambda program, command: lines.append([program, *command]))
    return lines


@pytest.fixture
def default(db: None) -> Tenant:
    return make_tenant(key="default")


def test_it_becomes_the_fleet(default: Tenant, started: list[list[str]], settings: Settings, tmp_path: Path) -> None:
    settings.MQTT_PORT, settings.MQTT_URL, settings.BIND, settings.MQTT_HOST = 28_883, "mqtt://u:p@127.0.0.1:1884", "127.0.0.1", ""
    call_command("simulate", devices=3, interval=2.0, once=True)
    (line,) = started
    assert line[:4] == [sys.executable, sys.executable, "-m", "devices.simulator"]
    assert line[4:] == [str(tmp_path / "fleet.json"), "--host", "127.0.0.1", "--port", "28883", "--interval", "2.0", "--once"]
    assert Device.objects.filter(tenant=default).count() == 3
    assert set(json.loads((tmp_path / "fleet.json").read_text())) == {"climate-1", "meter-1", "tracker-1"}


def test_it_says_which_keys_are_taken(default: Tenant, started: list[list[str]], capsys: pytest.CaptureFixture[str]) -> None:
    make_device(make_tenant(), key="climate-1")
    call_command("simulate", devices=2)
    assert "somebody's own devices have these keys: climate-1" in capsys.readouterr().err
    assert len(started) == 1


def test_it_needs_the_first_tenant(db: None, started: list[list[str]]) -> None:
    with pytest.raises(CommandError, match="first_user"):
        call_command("simulate")
    assert started == []


@pytest.mark.parametrize("options", [{"devices": 0}, {"devices": 1_001}, {"interval": 0.0}, {"interval": -1.0}, {"interval": float("nan")}])
def test_nonsense_is_refused(default: Tenant, started: list[list[str]], options: dict[str, float]) -> None:
    with pytest.raises(CommandError, match="From 1 to 1000 devices"):
        call_command("simulate", **options)
    assert started == []


@pytest.mark.parametrize(
    ("url", "bind", "name", "expected"),
    [
        ("mqtt://127.0.0.1:1884", "127.0.0.1", "", "127.0.0.1"),
        ("mqtt://127.0.0.1:1884", "0.0.0.0", "iot.example.org", "127.0.0.1"),
        ("mqtt://127.0.0.1:1884", "192.0.2.7", "", "192.0.2.7"),
        ("unix:///run/broker.sock", "::", "", "127.0.0.1"),
        ("mqtt://broker.example.org:1883", "127.0.0.1", "", "broker.example.org"),
        ("mqtt://broker.example.org:1883", "127.0.0.1", "mqtt.example.org", "mqtt.example.org"),
    ],
)
def test_it_finds_the_broker(settings: Settings, url: str, bind: str, name: str, expected: str) -> None:
    settings.MQTT_URL, settings.BIND, settings.MQTT_HOST = url, bind, name
    assert broker_host() == expected
