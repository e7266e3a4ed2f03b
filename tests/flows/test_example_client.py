"""The example in examples/python as a separate process through the real broker, with kills in between."""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.flows.platform import Account, Platform
from tests.services import eventually

PROGRAM = Path(__file__).resolve().parents[2] / "examples/python/device.py"
MODEL = {
    "commands": [
        {"key": "blink", "name": "Blink", "params": [{"key": "times", "type": "number"}]},
        {"key": "set-level", "name": "Set level", "params": [{"key": "level", "type": "number", "required": True}], "idempotent": True},
        {"key": "dance", "name": "Dance"},
    ]
}


class Program:
    """The example, running; its memory outlives it."""

    def __init__(self, platform: Platform, account: Account, folder: Path) -> None:
        self.output = folder / "output"
        command = [sys.executable, str(PROGRAM), "--port", str(platform.services.mqtt_port), "--key", account.key]
        command += ["--secret", account.secret, "--memory", str(folder / "memory.json")]
        with self.output.open("a") as output:
            self.process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT)

    def said(self, words: str) -> int:
        return self.output.read_text().count(words)


@contextmanager
def running(platform: Platform, account: Account, folder: Path) -> Iterator[Program]:
    program = Program(platform, account, folder)
    try:
        eventually(lambda: platform.is_online(account))
        yield program
    finally:
        program.process.kill()
        program.process.wait(10)


@pytest.fixture
def account(platform: Platform) -> Account:
    return platform.device(platform.product(thing_model=MODEL))


def send(platform: Platform, account: Account, name: str, wait: float = 10, **params: Any) -> Any:
    answer = platform.http.post(f"/api/v1/devices/{account.key}/commands/?wait={wait}", json={"name": name, "params": params}, timeout=30)
    assert answer.status_code in (201, 202), answer.text
    return answer.json()


def test_it_plays_the_whole_contract(platform: Platform, account: Account, tmp_path: Path) -> None:
    shadow = f"devices/{account.key}/shadow/"
    with running(platform, account, tmp_path) as program:
        assert send(platform, account, "blink", times=2)["result"] == {"blinked": 2}
        assert send(platform, account, "dance")["error"] == "no such command: dance"
        assert send(platform, account, "set-level", level=400)["error"] == "the level lies between 0 and 100"
        send(platform, account, "set-level", level=40)
        answer = platform.http.patch(f"/api/v1/{shadow}", json={"desired": {"interval": 0.2}})
        assert answer.status_code == 200, answer.text
        eventually(lambda: platform.get(shadow)["delta"] == {})
        eventually(lambda: platform.latest(account).get("level") == 40)
        program.process.terminate()
        assert program.process.wait(10) == 0
        eventually(lambda: not platform.is_online(account))

    assert platform.get(shadow)["reported"] == {"interval": 0.2}


def test_kills_on_both_sides_leave_no_command_open_and_none_done_twice(platform: Platform, account: Account, tmp_path: Path) -> None:
    """The device, the worker and the web server die in turn; every command ends, and each is carried out at most once."""
    services = platform.services
    made = []
    with running(platform, account, tmp_path) as program:
        for number in range(1, 13):
            made.append(
                platform.post(f"devices/{account.key}/commands/", {"name": "blink", "params": {"times": number}, "timeout": 3}, 202)["id"]
            )
            if number == 3:
                services.kill("uplink")
            if number == 6:
                program.process.kill()
                program.process.wait(10)
            if number == 9:
                services.kill("web")
                eventually(platform.serves, 60)
            time.sleep(0.1)
    with running(platform, account, tmp_path) as again:
        eventually(lambda: not open_ones(platform, account), 90)
        done = again.output.read_text()

    states = [platform.get(f"devices/{account.key}/commands/{each}/")["state"] for each in made]
    assert set(states) <= {"succeeded", "timed_out"}
    assert states.count("succeeded") >= 9
    for number in range(1, 13):
        assert done.count(f'did blink {{"times": {number}}}') <= 1


def open_ones(platform: Platform, account: Account) -> list[str]:
    rows = platform.get(f"devices/{account.key}/commands/")["results"]
    return [row["state"] for row in rows if not row["final"]]
