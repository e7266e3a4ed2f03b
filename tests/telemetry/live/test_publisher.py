"""The committing process's end: quick, bounded, and indifferent to Valkey's absence."""

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from pytest_django import Settings

from devices.messages import Values
from iotpanel import metrics, valkey
from telemetry.live import Publisher, publisher, recorder, register, wire
from telemetry.live.register import Interest

AT = 1_767_225_600_000_000
PATIENCE = 10


class Heard:
    """A web process, as far as a publisher can tell."""

    def __init__(self, interest: Interest, name: str = "web-1") -> None:
        self.client = valkey.new_client()
        self.pubsub = self.client.pubsub(ignore_subscribe_messages=True)
        self.pubsub.subscribe(register.channel(name))
        self.client.set(f"{valkey.PREFIX}live:watcher:{name}", interest.dump(), px=60_000)
        self.client.sadd(register.WATCHERS, name)
        self.client.publish(register.CHANGED, name)

    def next(self) -> wire.Batch:
        for _ in range(PATIENCE * 10):
            if message := self.pubsub.get_message(timeout=0.1):
                return wire.unpack(message["data"])
        raise AssertionError("nothing was sent")


@pytest.fixture
def live() -> Iterator[Publisher]:
    valkey.client().delete(register.WATCHERS, recorder.key(1), recorder.key(2))
    started = Publisher()
    started.start()
    yield started
    started.stop()


def wait_for(condition: Callable[[], Any]) -> None:
    pause = threading.Event()
    for _ in range(PATIENCE * 200):
        if condition():
            return
        pause.wait(0.005)
    raise AssertionError("it never happened")


def test_it_sends_watched_devices_only_and_each_web_process_its_own(live: Publisher) -> None:
    one, two = Heard(Interest(frozenset({1})), "one"), Heard(Interest(frozenset({2})), "two")
    wait_for(lambda: live.watched == {1, 2})
    live.readings([(device, "key", AT, {"t": device}) for device in (1, 2, 3)])
    assert one.next()["readings"] == [[1, "t", AT, 1, 1]]
    assert two.next()["readings"] == [[2, "t", AT, 2, 1]]


def test_it_coalesces_and_counts(live: Publisher) -> None:
    heard = Heard(Interest(frozenset({1})))
    wait_for(lambda: live.watched)
    for number in range(1000):
        live.readings([(1, "key", AT + number, {"t": number})])
    total, last = 0, None
    while total < 1000:
        for _, _, _, value, times in heard.next()["readings"]:
            total, last = total + times, value
    assert (total, last) == (1000, 999)


def test_status_goes_to_who_watches_the_device_or_its_tenant(live: Publisher) -> None:
    device, tenant = Heard(Interest(frozenset({1})), "device"), Heard(Interest(tenants=frozenset({7})), "tenant")
    wait_for(lambda: live._audience.tenants and live.watched)
    live.status([(1, "one", 8, True, AT), (2, "two", 7, False, AT), (3, "three", 9, True, AT)])
    assert device.next()["status"] == [[1, "one", 8, True, AT]]
    assert tenant.next()["status"] == [[2, "two", 7, False, AT]]


def test_frames_are_recorded_and_sent(live: Publisher) -> None:
    heard = Heard(Interest(frames=frozenset({1})))
    wait_for(lambda: live.framed)
    live.frames([(1, "devices/a/up/raw", b"\x00" * 5000, AT, "stored", ""), (2, "devices/b/up/raw", b"", AT, "stored", "")])
    ((device, frame),) = heard.next()["frames"]
    assert (device, frame["size"], len(frame["payload_base64"])) == (1, 5000, 5464)
    wait_for(lambda: valkey.client().llen(recorder.key(1)) == 1)
    assert valkey.client().exists(recorder.key(2)) == 0


def test_nothing_waits_for_devices_that_nobody_watches(live: Publisher) -> None:
    live.readings([(1, "key", AT, {"t": 1})])
    live.frames([(1, "topic", b"", AT, "stored", "")])
    live.status([(1, "key", 1, True, AT)])
    assert (len(live._readings), len(live._frames), live._status) == (0, 0, {})


def test_who_stops_watching_is_noticed(live: Publisher) -> None:
    Heard(Interest(frozenset({1})))
    wait_for(lambda: live.watched)
    valkey.client().delete(f"{valkey.PREFIX}live:watcher:web-1")
    wait_for(lambda: not live.watched)


def test_without_valkey_it_neither_raises_nor_grows(settings: Settings) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    cut_off = Publisher()
    cut_off.start()
    cut_off._audience = register.Audience.of({"web": Interest(frozenset({1}), frozenset({1}))})
    before = metrics.LIVE_FAILURES._value.get()
    values: Values = {"t": 1}
    for number in range(10_000):
        cut_off.readings([(1, "key", AT + number, values)])
    cut_off.frames([(1, "topic", b"", AT, "stored", "")])
    wait_for(lambda: metrics.LIVE_FAILURES._value.get() > before)
    assert len(cut_off._readings) <= 1
    cut_off.stop()


def test_it_sees_watchers_again_once_valkey_is_back(settings: Settings) -> None:
    right, settings.REDIS_URL = settings.REDIS_URL, "redis://127.0.0.1:1/0"
    returning = Publisher()
    returning.start()
    settings.REDIS_URL = right
    Heard(Interest(frozenset({1})))
    wait_for(lambda: 1 in returning.watched)
    returning.stop()


def test_starting_twice_starts_once(live: Publisher) -> None:
    threads = list(live._threads)
    live.start()
    assert live._threads == threads


def test_what_waits_is_sent_before_it_stops() -> None:
    valkey.client().delete(register.WATCHERS)
    ending = Publisher()
    ending.start()
    heard = Heard(Interest(frozenset({1})))
    wait_for(lambda: ending.watched)
    for number in range(3):
        ending.readings([(1, "key", AT + number, {"t": number})])
        if number == 0:
            heard.next()
    ending.stop()
    times = 0
    while times < 2:
        times += sum(row[4] for row in heard.next()["readings"])
    ending.stop()


def test_a_process_has_one_publisher() -> None:
    assert publisher() is publisher()
