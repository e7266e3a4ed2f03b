"""Why a rule fired, or did not: what is noted, of how many looks, and how it is read."""

from typing import Any
from unittest import mock

import orjson
import pytest
from pytest_django import DjangoCaptureOnCommitCallbacks

from iotpanel import valkey
from iotpanel.tenants.models import Tenant, User
from rules import trace
from rules.trace import MOST_SAMPLES, SAMPLE_EVERY, Note, Sampler
from tests.rest import Rest
from tests.rules.make import HOT, T0, make_freezer, make_rule, say

MS = T0 / 1000


def test_one_look_of_a_rule_now_and_then_is_a_sample() -> None:
    sampler = Sampler()
    sampler.begin(1_000.0)
    assert [sampler.takes(1), sampler.takes(1), sampler.takes(2)] == [True, False, True]
    sampler.begin(1_000.0 + SAMPLE_EVERY - 1)
    assert not sampler.takes(1)
    sampler.begin(1_000.0 + SAMPLE_EVERY)
    assert sampler.takes(1)


def test_all_rules_together_give_few_samples_a_second() -> None:
    sampler = Sampler()
    for batch in range(50):
        sampler.begin(1_000.0 + batch / 100)
        taken = [sampler.takes(rule) for rule in range(batch * 100, batch * 100 + 100)]
        assert sum(taken) == (MOST_SAMPLES if batch == 0 else 0)
    sampler.begin(1_001.0)
    assert sampler.takes(7_000)


def test_what_is_remembered_of_samples_is_bounded() -> None:
    sampler = Sampler()
    with mock.patch.object(trace, "MOST_SAMPLED", 10):
        for second in range(100):
            sampler.begin(1_000.0 + second)
            assert sampler.takes(second)
    assert len(sampler.due) <= 10


@pytest.fixture
def notes(django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks) -> Any:
    """Says something, and returns what was noted of it."""
    clean = Sampler()

    def noted(*args: Any, **values: Any) -> list[Note]:
        with mock.patch.object(trace, "keep") as keep, mock.patch.object(trace, "sampler", lambda: clean):
            with django_capture_on_commit_callbacks(execute=True):
                say(*args, **values)
        return [note for call in keep.call_args_list for note in call.args[0]]

    return noted


@pytest.mark.django_db
def test_a_look_that_did_not_fire_says_values_window_and_times(tenant: Tenant, notes: Any) -> None:
    freezer = make_freezer(tenant)
    average = {"property": "temperature", "aggregate": "avg", "over": "10m", "op": ">", "value": 5}
    rule = make_rule(tenant, when={"all": [average, {"property": "door", "op": "=", "value": "open"}]}, **{"for": "5m"})
    say(freezer, 0, temperature=4)
    [note] = notes(freezer, 60, temperature=5, door="open")
    assert (note.rule_id, note.device, note.sample) == (rule.pk, "freezer", True)
    assert note.entry == {
        "ts": MS + 60_000,
        "device": "freezer",
        "change": None,
        "state": "quiet",
        "since": None,
        "look_again": MS + 600_000,
        "values": {"door": "open", "temperature": 5},
        "windows": {"temperature 10m": {"count": 2, "avg": 4.5, "sum": 9.0, "min": 4.0, "max": 5.0}},
        "why": [{"path": "when.all.0", "so": False}, {"path": "when.all.1", "so": True}],
        "effective": True,
        "hops": 0,
    }


@pytest.mark.django_db
def test_one_that_waits_and_one_that_fires_say_since_when(tenant: Tenant, notes: Any) -> None:
    freezer = make_freezer(tenant)
    make_rule(tenant, **{"for": "5m"})
    [waiting] = notes(freezer, 0, temperature=9)
    assert (waiting.entry["state"], waiting.entry["since"], waiting.entry["look_again"]) == ("waiting", MS, MS + 300_000)
    assert notes(freezer, 10, temperature=9) == [], "its next sample is due in half a minute"
    [fired] = notes(freezer, 300, temperature=9)
    assert (fired.entry["change"], fired.entry["state"], fired.sample) == ("raised", "raised", False)


@pytest.mark.django_db
def test_outside_of_its_hours_a_look_says_so(tenant: Tenant, notes: Any) -> None:
    freezer = make_freezer(tenant)
    make_rule(tenant, active={"holidays": ["2000-01-01"], "on_holidays": "only"})
    [note] = notes(freezer, 0, temperature=9)
    assert (note.entry["why"], note.entry["effective"], note.entry["state"]) == ([{"path": "when", "so": True}], False, "quiet")


@pytest.mark.django_db
def test_a_comparison_that_fails_though_nobody_asked_it_breaks_nothing(tenant: Tenant, notes: Any) -> None:
    freezer = make_freezer(tenant)
    make_rule(tenant, when={"any": [HOT, {"lua": "values.nothing.there"}]})
    [note] = notes(freezer, 0, temperature=9)
    assert note.entry["change"] == "raised"
    assert note.entry["why"][0] == {"path": "when.any.0", "so": True}
    assert "codec_error" in note.entry["why"][1]["error"]


@pytest.mark.django_db
def test_changes_and_samples_are_read_as_one_story(tenant: Tenant, owner: User) -> None:
    make_freezer(tenant)
    rule = make_rule(tenant)
    client = valkey.client()
    for ring, ts, device in (("trace", 1, "freezer"), ("trace-samples", 3, "freezer"), ("trace-samples", 2, "other")):
        client.lpush(f"{valkey.PREFIX}{ring}:{rule.pk}", orjson.dumps({"ts": ts, "device": device, "change": None}))
    client.lpush(f"{valkey.PREFIX}trace:{rule.pk}:freezer", orjson.dumps({"ts": 1, "device": "freezer", "change": None}))
    try:
        found = Rest(owner).get(f"rules/{rule.pk}/trace/").json()["results"]
        assert [(each["ts"], each.get("sample", False)) for each in found] == [(3, True), (2, True), (1, False)]
        assert [each["ts"] for each in Rest(owner).get(f"rules/{rule.pk}/trace/", device="freezer").json()["results"]] == [3, 1]
        assert [each["ts"] for each in Rest(owner).get(f"rules/{rule.pk}/trace/", limit=1).json()["results"]] == [3]
    finally:
        client.delete(*client.keys(f"{valkey.PREFIX}trace*:{rule.pk}*"))


def test_samples_have_a_ring_of_their_own() -> None:
    with mock.patch.object(trace, "publisher") as publisher:
        trace.keep([Note(7, "a", {"ts": 1}, True), Note(7, "a", {"ts": 2})])
    rings = [(call.args[0].removeprefix(valkey.PREFIX), call.args[2]) for call in publisher().keep.call_args_list]
    assert rings == [("trace-samples:7", trace.SAMPLES), ("trace:7", trace.KEPT), ("trace:7:a", trace.KEPT)]
