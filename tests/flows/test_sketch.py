"""The sketch in examples/arduino, compiled and run on this machine as a process, through the real broker."""

import shutil
import time
from base64 import b64decode
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import paho.mqtt.publish
import pytest

from devices.firmware.signatures import clean_key
from tests.arduino.boards import KINDS, WHERE_IT_BELONGS, Board, compiled, image_of, with_values
from tests.devices.firmware.conftest import Maker
from tests.flows.platform import Account, Platform
from tests.flows.test_example_client import MODEL, send
from tests.flows.test_updates import devices_of, start, upload
from tests.services import OUTSIDE, eventually

EXAMPLE = Path(__file__).resolve().parents[2] / "examples/arduino"
EXPIRED = int(OUTSIDE["IOTPANEL_FIRMWARE_ADDRESS_SECONDS"]) + 4  # seconds: the offer leaves a moment after the job has begun
MAKER = Maker()
Build = Callable[..., Path]
Outcome = tuple[str, str, str]
"""State, reason and the device's own word."""


class Case(NamedTuple):
    """A board, an update for it, and what has to become of that."""

    kind: str
    outcome: Outcome
    version: str = "1.1.0"  # what the image says of itself; 1.1.0 is announced
    harm: Callable[[bytes], bytes] = bytes  # what happens to the image on the disk
    signer: Maker | None = None  # the sketch has MAKER's key then
    sleepy: bool = False


def refused(why: str) -> Outcome:
    return ("failed", "device_error", why)


GOOD: Outcome = ("succeeded", "", "")
CASES = {
    "ESP32": Case("esp32", GOOD),
    "ESP8266": Case("esp8266", GOOD),
    "signed": Case("esp8266", GOOD, signer=MAKER),
    "signed by another": Case("esp32", refused("the signature is wrong"), signer=Maker()),
    "another byte, ESP32": Case("esp32", refused("the SHA-256 differs"), harm=lambda image: image[:-1] + b"!"),
    "another byte, ESP8266": Case("esp8266", refused("the SHA-256 differs"), harm=lambda image: image[:-1] + b"!"),
    "cut short": Case("esp8266", refused("the image could not be fetched"), harm=lambda image: image[: len(image) // 2]),
    "another version": Case("esp8266", ("failed", "not_installed", "1.0.5"), version="1.0.5"),
    "expired address": Case("esp32", GOOD, sleepy=True),
}


@pytest.fixture(scope="module")
def build(tmp_path_factory: pytest.TempPathFactory) -> Build:
    """The sketch as a person makes it: with values, and with SIGNED and the maker's key where updates have to be signed."""

    @cache
    def make(kind: str, version: str = "1.0.0", signed: bool = False) -> Path:
        folder = tmp_path_factory.mktemp("sketch")
        (folder / "device.ino").write_text(with_values((EXAMPLE / "device.ino").read_text(), **WHERE_IT_BELONGS))
        updates = with_values((EXAMPLE / "ota.h").read_text(), VERSION=f'"{version}"')
        if signed:
            key = ", ".join(map(str, b64decode(MAKER.public)))
            updates = with_values(updates.replace("// #define SIGNED", "#define SIGNED"), PUBLIC_KEY=f"{{{key}}}")
        (folder / "ota.h").write_text(updates)
        return compiled(folder / "device.ino", kind)

    return make


def board_of(platform: Platform, account: Account, program: Path, flash: Path) -> Board:
    port = str(platform.services.mqtt_port)
    return Board(program, flash, BOARD_HOST="127.0.0.1", BOARD_PORT=port, BOARD_KEY=account.key, BOARD_SECRET=account.secret)


@pytest.mark.parametrize("kind", KINDS)
def test_it_compiles_as_it_stands(tmp_path: Path, kind: str) -> None:
    compiled(Path(shutil.copytree(EXAMPLE, tmp_path / "device")) / "device.ino", kind)


def test_it_plays_the_contract(platform: Platform, build: Build, tmp_path: Path) -> None:
    account = platform.device(platform.product(thing_model=MODEL))
    shadow = f"devices/{account.key}/shadow/"
    with board_of(platform, account, build("esp32"), tmp_path) as board:
        eventually(lambda: platform.is_online(account))
        done = send(platform, account, "blink", times=3)
        assert (done["result"], board.said("pin 2 is high")) == ({"blinked": 3}, 3)
        assert send(platform, account, "dance")["error"] == "no such command"
        repeat(platform, account, done["id"])
        assert send(platform, account, "blink", times=2.0)["result"] == {"blinked": 2}
        assert board.said("pin 2 is high") == 5, "the repeated one is only answered again"
        assert send(platform, account, "blink", times=1000)["result"] == {"blinked": 10}

        answer = platform.http.patch(f"/api/v1/{shadow}", json={"desired": {"interval": 0.251}})
        assert answer.status_code == 200, answer.text
        eventually(lambda: platform.get(shadow)["delta"] == {})
        assert platform.latest(account)["rssi"] == -60
        board.lose_power()
        eventually(lambda: not platform.is_online(account))
        board.power_up()
        eventually(lambda: platform.is_online(account))
        before = len(platform.readings(account, "rssi"))
        eventually(lambda: len(platform.readings(account, "rssi")) > before + 6, 4)  # one in 5 s where it has forgotten its interval
    assert platform.letters(account) == []


def repeat(platform: Platform, account: Account, command: str) -> None:
    """The broker sends a command again, as after an acknowledgement that was lost."""
    worker = urlsplit(platform.services.environment["MQTT_URL"])
    paho.mqtt.publish.single(
        f"devices/{account.key}/down/commands/{command}",
        '{"name": "blink", "params": {"times": 3}, "expires_at": 0}',
        qos=1,
        hostname=str(worker.hostname),
        port=worker.port or 1883,
        auth={"username": str(worker.username), "password": str(worker.password)},
    )


class Trial:
    """A case on its way."""

    def __init__(self, platform: Platform, build: Build, case: Case, flash: Path) -> None:
        self.platform, self.build, self.case = platform, build, case
        self.product = platform.product(**({"firmware_key": clean_key(case.signer.pem)} if case.signer else {}))
        self.account = platform.new_device(self.product)
        self.board = board_of(platform, self.account, build(case.kind, signed=bool(case.signer)), flash)
        self.outcome: Outcome = ("", "", "")

    def offer(self, version: str, says: str) -> bytes:
        """Upload an image and begin a campaign."""
        image = image_of(self.build(self.case.kind, says, signed=bool(self.case.signer)))
        upload(self.platform, self.product, version, image, self.case.signer)
        self.version = version
        return image

    def begin(self) -> None:
        self.job = start(self.platform, self.product, self.version)

    def wait(self) -> None:
        eventually(lambda: self.platform.get(f"jobs/{self.job}/")["state"] in ("finished", "aborted"), 60)
        row = devices_of(self.platform, self.job)[self.account.key]
        self.outcome = (row["state"], row["reason"], row["error"])

    def harm(self) -> None:
        """What became of the newest image on the disk."""
        folder = self.platform.services.config.home.root / "files" / "firmware"
        stored = max(folder.iterdir(), key=lambda path: path.stat().st_mtime_ns)
        stored.write_bytes(self.case.harm(stored.read_bytes()))


@pytest.fixture(scope="module")
def trials(platform: Platform, build: Build, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Trial]]:
    """All cases at the same time, each with a product of its own."""
    with ExitStack() as powered:
        made = {name: Trial(platform, build, case, tmp_path_factory.mktemp("flash")) for name, case in CASES.items()}
        for each in made.values():
            powered.enter_context(each.board)
        for each in made.values():
            eventually(lambda account=each.account: platform.is_online(account))  # type: ignore[misc]
            each.offer("1.1.0", each.case.version)
            each.harm()
        sleepy = [each for each in made.values() if each.case.sleepy]
        for each in sleepy:
            each.board.sleep()
        for each in made.values():
            each.begin()
        time.sleep(EXPIRED)
        for each in sleepy:
            each.board.wake()
        for each in made.values():
            each.wait()
        yield made


@pytest.mark.parametrize("name", CASES)
def test_an_update_ends_as_it_has_to(platform: Platform, trials: dict[str, Trial], name: str) -> None:
    assert trials[name].outcome == CASES[name].outcome
    assert platform.letters(trials[name].account) == []


def test_an_expired_address_is_refused(platform: Platform, trials: dict[str, Trial]) -> None:
    lines = [line for line in platform.services.log("web").splitlines() if "/device/firmware/" in line and '"status":403' in line]
    assert lines, "else the one that was asleep has not asked for another"


@pytest.mark.parametrize("name", CASES)
def test_what_was_refused_never_runs(platform: Platform, trials: dict[str, Trial], name: str) -> None:
    """Neither at once nor after the power was away; what was installed does, and was installed once."""
    board, outcome = trials[name].board, CASES[name].outcome
    board.lose_power()
    installed = outcome[1] in ("", "not_installed")
    assert (board.said("restart"), (board.flash / "program").exists(), (board.flash / "staged").exists()) == (installed, installed, False)
    board.power_up()
    eventually(lambda: board.runs() == (board.flash / "program" if installed else board.program))


def test_after_a_refusal_the_next_update_is_taken(trials: dict[str, Trial]) -> None:
    again = [trial for trial in trials.values() if trial.case.harm is not bytes]
    for trial in again:
        trial.offer("1.2.0", "1.2.0")
        trial.begin()
    for trial in again:
        trial.wait()
    assert [trial.outcome for trial in again] == [GOOD] * len(again)
