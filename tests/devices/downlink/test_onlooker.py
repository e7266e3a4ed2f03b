"""What a person who watches a device sees go down: all of it, with its fate, no secret, and nothing of others' devices."""

import time
from types import SimpleNamespace
from typing import Any

import orjson
import pytest

from devices.downlink.carrier import Ack, Fate
from devices.downlink.errand_outbox import ReadyErrand
from devices.downlink.onlooker import Onlooker, Shown
from telemetry.live import recorder


def token(device_id: int, key: str, parent_id: int | None = None) -> Any:
    return SimpleNamespace(device_id=device_id, key=key, parent_id=parent_id)


def shown_by(framed: set[int], messages: list[tuple[Any, str, bytes]], fate: Fate = Fate.TAKEN) -> list[tuple[Any, ...]]:
    found: list[tuple[Any, ...]] = []
    shown = Shown(Onlooker(lambda: frozenset(framed), found.extend))
    shown.published(messages, shown.framed())
    acks = [Ack(each, fate, time.monotonic()) for each, _topic, _payload in messages]
    shown.acknowledged(acks)
    shown.acknowledged(acks)  # told once, however often the dispatcher looks at the same word
    return [(device, topic, payload, verdict) for device, topic, payload, _at, verdict, _detail in found]


@pytest.mark.parametrize(
    ("fate", "verdict"), [(Fate.TAKEN, "sent"), (Fate.NOBODY, "nobody_listens"), (Fate.REFUSED, "not_sent"), (Fate.UNKNOWN, "unknown")]
)
def test_a_watched_devices_message_is_shown_once_with_its_fate(fate: Fate, verdict: str) -> None:
    mine, other = (token(1, "a"), "devices/a/down/shadow", b"\xff\x00"), (token(2, "b"), "devices/b/down/shadow", b"{}")
    assert shown_by({1}, [mine, other], fate) == [(1, "devices/a/down/shadow", b"\xff\x00", verdict)]
    assert shown_by(set(), [mine, other], fate) == []


def test_what_goes_through_a_gateway_is_shown_at_both() -> None:
    through = (token(2, "child", 1), "devices/gate/down/gateway/child/commands/5", b"{}")
    assert [each[0] for each in shown_by({1, 2}, [through])] == [1, 2]
    assert [each[0] for each in shown_by({1}, [through])] == [1]
    assert shown_by({1}, [(token(2, "child", 1), "devices/child/down/commands/5", b"{}")]) == []


def test_secrets_and_signed_addresses_are_the_devices_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("devices.downlink.errand_outbox.decrypt", lambda sealed, purpose: "s3cret")
    monkeypatch.setattr("devices.firmware.addresses.make", lambda firmware, device: "http://signed")
    secret = ReadyErrand(7, 1, "a", None, "credentials", 30, "sealed", None, None, None, None, None)
    offer = secret._replace(kind="ota", firmware_id=3, version="2.0", size=5, sha256="ab")
    assert b"s3cret" in secret.payload()
    assert orjson.loads(secret.shown()) == {"id": 7, "secret": "***"}
    assert orjson.loads(offer.shown()) == {"version": "2.0", "size": 5, "sha256": "ab", "url": "***"}


def test_a_frame_says_its_direction() -> None:
    assert recorder.as_json("t", b"", 1, "sent", "", "down")["direction"] == "down"
    assert recorder.as_json("t", b"", 1, "stored", "")["direction"] == "up"
