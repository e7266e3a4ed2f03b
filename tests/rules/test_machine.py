"""The steps of a rule for one device, without a database."""

from typing import Any

from rules.compiled import Compiled, compile_rule, new_window
from rules.facts import Facts
from rules.machine import State, step
from rules.plan import Plan

SECOND = 1_000_000
HOT = {"property": "t", "op": ">", "value": 5}


class Device:
    """A device in the hands of one rule; `at` is in seconds."""

    def __init__(self, **body: Any) -> None:
        whole = {"scope": {"product": "p"}, "when": HOT, "actions": [{"kind": "alarm"}]} | body
        self.rule: Compiled = compile_rule({key: value for key, value in whole.items() if value is not None})
        self.plan = Plan([self.rule])
        self.facts = Facts("d")
        self.facts.windows = {key: new_window(key) for key in self.plan.window_keys}
        self.state = State()

    def say(self, at: float, **values: Any) -> str | None:
        instant = round((at + 1_000_000) * SECOND)
        self.facts.take(instant, values)
        self.facts.put(self.plan.windows, instant, values)
        for counter in self.rule.counters:
            if counter.test(self.facts):
                self.facts.windows[counter.window].add(instant, 1.0)
        return step(self.rule, self.state, self.facts)

    def wait(self, until: float) -> list[tuple[float, str]]:
        """What happens without a reading, and when."""
        changes = []
        while self.state.due and self.state.due <= (until + 1_000_000) * SECOND:
            self.facts.at, self.facts.fresh = self.state.due, {}
            self.state.due = 0
            if change := step(self.rule, self.state, self.facts):
                changes.append((self.facts.at / SECOND - 1_000_000, change))
        return changes


def test_for_a_while_without_another_reading() -> None:
    device = Device(**{"for": "5m"})
    assert device.say(0, t=6) is None
    assert device.wait(299) == []
    assert device.wait(400) == [(300, "raised")]
    assert device.say(401, t=4) == "cleared"
    assert device.wait(10_000) == []


def test_a_moment_below_the_limit_begins_the_wait_anew() -> None:
    device = Device(**{"for": "5m"})
    device.say(0, t=6)
    device.say(200, t=5)
    device.say(250, t=6)
    assert device.wait(500) == []
    assert device.wait(560) == [(550, "raised")]


def test_hysteresis() -> None:
    device = Device(clear={"property": "t", "op": "<", "value": 3})
    assert device.say(0, t=6) == "raised"
    assert device.say(1, t=4) is None
    assert device.say(2, t=2.9) == "cleared"


def test_it_is_over_only_after_a_while() -> None:
    device = Device(clear_for="1m")
    device.say(0, t=6)
    assert device.say(10, t=4) is None
    assert device.say(20, t=6) is None
    assert device.say(30, t=4) is None
    assert device.wait(100) == [(90, "cleared")]


def test_cooldown_holds_back_and_then_looks_again() -> None:
    device = Device(cooldown="10m")
    assert device.say(0, t=6) == "raised"
    assert device.say(10, t=4) == "cleared"
    assert device.say(20, t=6) is None
    assert device.wait(601) == [(600, "raised")]


def test_every_reading_where_it_is_asked_for() -> None:
    device = Device(repeat="every")
    assert [device.say(at, t=value) for at, value in enumerate([6, 7, 4, 8])] == ["raised", "repeated", "cleared", "raised"]


def test_three_times_within_ten_minutes() -> None:
    device = Device(when={"times": 3, "within": "10m", "when": {"property": "door", "op": "=", "value": "open"}})
    assert [device.say(at, door=door) for at, door in ((0, "open"), (60, "shut"), (120, "open"), (300, "open"))] == [
        None,
        None,
        None,
        "raised",
    ]
    assert device.wait(2_000) == [(900, "cleared")]  # ten minutes after the last time, for which nobody has to speak


def test_an_average_over_a_sliding_window() -> None:
    device = Device(when={"property": "t", "aggregate": "avg", "over": "1m", "op": ">", "value": 5})
    assert device.say(0, t=4) is None
    assert device.say(30, t=8) == "raised"
    assert device.say(95, t=1) == "cleared"


def test_silence_is_told_once_and_over_with_the_next_word() -> None:
    device = Device(when={"no_data": "10m"})
    device.say(0, t=1)
    device.say(300, t=1)
    assert device.wait(5_000) == [(900, "raised")]
    assert device.say(6_000, t=1) == "cleared"


def test_a_door_that_is_open_when_the_night_begins() -> None:
    night = {"from": "22:00", "to": "06:00"}
    device = Device(when={"property": "door", "op": "=", "value": "open"}, active=night)
    evening = 21 * 3_600 + 1_800 - 1_000_000 % 86_400
    assert device.say(evening, door="open") is None
    assert device.wait(evening + 3_600) == [(evening + 1_800, "raised")]


def test_a_moment_never_lasts() -> None:
    device = Device(trigger="event", cooldown="1m", when=None)
    assert [device.say(at) for at in (0, 30, 61)] == ["raised", None, "raised"]
    assert device.state.phase == 0


def test_what_has_happened_is_over_and_is_not_looked_at_again() -> None:
    """Else an event of the night would be answered in the morning, when the hours begin."""
    device = Device(trigger="event", when={"during": {"from": "08:00", "to": "18:00", "tz": "UTC"}})
    assert device.say(0) == "raised"  # 13:46
    assert device.say(8 * 3_600) is None
    assert device.wait(3 * 86_400) == []
