"""The simulated fleet on the real platform: registered, connected, heard, through a broker that is killed, to its goodbye."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from devices.simulator.fleet import members
from tests.flows.platform import Account, Platform
from tests.services import eventually

DEVICES = 14
KEYS = [member.key for member in members(DEVICES)] + [f"gateway-1-heat-{number}" for number in (1, 2, 3)]


def simulate(platform: Platform, *arguments: str) -> "subprocess.Popen[str]":
    command = [sys.executable, "manage.py", "simulate", "--interval", "0.5", *arguments]
    return subprocess.Popen(
        command, env={**os.environ, **platform.services.environment}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


@pytest.fixture(scope="module")
def fleet(platform: Platform) -> Iterator["subprocess.Popen[str]"]:
    process = simulate(platform)
    try:
        eventually(lambda: online(platform) == DEVICES or process.poll() is not None, 60)
        assert process.poll() is None, process.communicate()[0]
        yield process
    finally:
        process.kill()
        process.wait()


def devices(platform: Platform) -> dict[str, dict[str, Any]]:
    found = platform.get("devices/", limit=500)["results"]
    return {device["key"]: device for device in found if device["key"] in KEYS}


def online(platform: Platform) -> int:
    return sum(bool(device["status"]["online"]) for device in devices(platform).values())


def latest(platform: Platform, key: str) -> dict[str, Any]:
    return platform.latest(Account(key, ""))


def newest(platform: Platform, key: str, name: str) -> int:
    return int(platform.get(f"devices/{key}/latest/")[name]["ts"])


def test_everybody_is_there_with_values_that_fit(platform: Platform, fleet: "subprocess.Popen[str]") -> None:
    found = eventually(lambda: devices(platform) if all(latest(platform, key) for key in KEYS) else {}, 30)
    assert {device["product"] for device in found.values()} >= {
        "room-climate", "power-meter", "asset-tracker", "modbus-gateway", "heat-meter", "milesight-em300-th", "cold-room",
    }  # fmt: skip
    assert found["gateway-1-heat-2"]["parent"] == "gateway-1"
    assert 15 < latest(platform, "climate-1")["temperature"] < 30
    assert latest(platform, "meter-1")["relay"] is True
    assert set(latest(platform, "tracker-1")["location"]) == {"lat", "lon"}
    assert latest(platform, "em300-1").keys() >= {"temperature", "humidity"}


def test_a_day_of_history_is_there_and_remembered(platform: Platform, fleet: "subprocess.Popen[str]") -> None:
    path = platform.services.config.home.root / "fleet.json"
    eventually(lambda: all(entry["history"] for entry in json.loads(path.read_text()).values()), 60)
    assert path.stat().st_mode & 0o077 == 0
    for key, name in (("climate-1", "temperature"), ("meter-1", "power"), ("gateway-1-heat-3", "power")):
        assert eventually(lambda key=key, name=name: len(platform.readings(Account(key, ""), name)) >= 1_440, 30)  # type: ignore[misc]


def test_dead_letters_have_something_to_show(platform: Platform, fleet: "subprocess.Popen[str]") -> None:
    letters = eventually(lambda: platform.letters(Account("cold-1", "")), 60)
    assert {letter["reason"] for letter in letters} == {"out_of_range"}
    for key in KEYS:
        assert {letter["reason"] for letter in platform.letters(Account(key, ""))} <= {"out_of_range", "codec_error"}


def test_it_comes_back_when_the_broker_does(platform: Platform, fleet: "subprocess.Popen[str]") -> None:
    before = newest(platform, "meter-1", "power")
    platform.services.kill("mosquitto")
    eventually(lambda: newest(platform, "meter-1", "power") > before + 2_000, 60)
    assert fleet.poll() is None


def test_one_round_ends_by_itself(platform: Platform, tmp_path: Path, fleet: "subprocess.Popen[str]") -> None:
    """A fleet with another file finds its devices there, and gets new secrets: the lost ones."""
    home = tmp_path / "home"
    process = subprocess.run(
        [sys.executable, "manage.py", "simulate", "--once", "--devices", "2"],
        env={**os.environ, **platform.services.environment, "IOTPANEL_HOME": str(home)},
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )
    assert process.returncode == 0, process.stdout + process.stderr
    assert "sent" in process.stdout
    assert set(json.loads((home / "fleet.json").read_text())) == {"climate-1", "meter-1"}


def test_it_says_goodbye(platform: Platform, fleet: "subprocess.Popen[str]") -> None:
    fleet.send_signal(signal.SIGTERM)
    assert fleet.wait(30) == 0
    eventually(lambda: online(platform) == 0, 30)
