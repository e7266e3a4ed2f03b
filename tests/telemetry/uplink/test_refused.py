"""What the log says of dead letters: each reason once a minute and device, and no flood of lines."""

import pytest
import structlog
from structlog.testing import capture_logs

from devices.messages import DeadLetter
from telemetry.uplink import refused as module
from telemetry.uplink.refused import AGAIN, MOST, Refused


@pytest.fixture(autouse=True)
def fresh_logger(monkeypatch: pytest.MonkeyPatch) -> None:
    """A logger keeps the configuration of its first use, which may have been another test's."""
    monkeypatch.setattr(module, "log", structlog.get_logger())


def letter(key: str = "pump-1", reason: str = "unexpected_reply", detail: str = "nobody asked") -> DeadLetter:
    return DeadLetter(reason, detail, f"devices/{key}/up/commands/7/reply", b"{}", 0, "mqtt", key)


def test_a_reason_is_said_with_its_device_and_later_only_how_often() -> None:
    refused = Refused()
    with capture_logs() as lines:
        refused.note([letter(), letter(), letter(reason="wrong_device")], now=0)
        refused.note([letter()], now=1)
        refused.note([letter()], now=AGAIN)

    assert [(line["event"], line["reason"], line["device"], line.get("more")) for line in lines] == [
        ("dead_lettered", "unexpected_reply", "pump-1", None),
        ("dead_lettered", "wrong_device", "pump-1", None),
        ("dead_lettered_again", "unexpected_reply", "pump-1", 2),
        ("dead_lettered", "unexpected_reply", "pump-1", None),
    ]
    assert (lines[0]["topic"], lines[0]["detail"]) == ("devices/pump-1/up/commands/7/reply", "nobody asked")


def test_whoever_makes_up_names_fills_neither_log_nor_memory() -> None:
    refused = Refused()
    with capture_logs() as lines:
        refused.note((letter(f"made-up-{number}" * 100, detail="x" * 5_000) for number in range(MOST + 50)), now=0)
        refused.note([], now=AGAIN)
        refused.note([letter()], now=AGAIN)

    assert [line["event"] for line in lines] == ["dead_lettered"] * MOST + ["dead_letters_not_named", "dead_lettered"]
    assert lines[MOST]["more"] == 50
    assert max(len(str(line)) for line in lines) < 1_000
