"""When the broker's word is written down."""

import time
from datetime import UTC, datetime
from typing import Any

import pytest

from devices.downlink import ripeness
from devices.downlink.carrier import Ack, Fate
from devices.downlink.claims import Ready
from devices.downlink.ripeness import REPLY, SETTLE

AT = datetime(2026, 1, 1, tzinfo=UTC)
NOW = 1_000.0


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "monotonic", lambda: NOW)


def command(*, one_way: bool = False) -> Ready:
    return Ready(17, 1, "valve", 1, None, "set", {}, AT, 30.0, False, one_way, 0, "json", "", [], True)


def ack(age: float, token: Any = None, fate: Fate = Fate.TAKEN) -> Ack:
    return Ack(token or command(), fate, NOW - age)


def test_where_a_reply_is_expected_it_has_its_time() -> None:
    assert ripeness.ripe([ack(0), ack(SETTLE), ack(REPLY - 0.01)]) == []


def test_what_nobody_will_say_more_of_is_written_soon() -> None:
    for last_word in (ack(SETTLE, command(one_way=True)), ack(SETTLE, token="a shadow")):
        assert ripeness.ripe([last_word]) == [last_word]
        assert ripeness.ripe([last_word._replace(at=NOW)]) == []


@pytest.mark.parametrize("fate", [Fate.NOBODY, Fate.REFUSED, Fate.UNKNOWN])
def test_bad_news_wait_for_nothing(fate: Fate) -> None:
    news = ack(0, fate=fate)

    assert ripeness.ripe([ack(0), news]) == [news]


def test_what_is_written_takes_along_what_soon_would_have_to_be() -> None:
    old, middle, fresh = ack(REPLY), ack(SETTLE), ack(SETTLE / 2)

    assert ripeness.ripe([old, middle, fresh]) == [old, middle]
