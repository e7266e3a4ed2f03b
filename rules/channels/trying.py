"""A test message to a channel, sent now and past the outbox."""

import time

from rules.carriers.channel import ChannelCarrier
from rules.forwarders.trying import Tried, tried
from rules.models import Channel

from .records import target_of
from .wording import SAMPLE_ALARM


def send_test(channel: Channel) -> Tried:
    """Send one sample message and write down what was answered. Never raises for what the other side does."""
    target = target_of(channel)

    def attempt() -> tuple[str, str]:
        carrier = ChannelCarrier(target)
        entry = {"rule": {"id": 0, "name": "Test"}, "device": "test-device", "at": time.time_ns() // 1000, "change": "raised"}
        note = carrier.note([entry | {"values": {"temperature": 21.5}, "alarm": SAMPLE_ALARM}])
        send_now = getattr(carrier.adapter, "send_now", carrier.adapter.send)  # what else it would only promise
        return f"{note.title}\n{note.text}", send_now(note)

    return tried(target, attempt)
