"""Topics: native ones lead somewhere or are refused; a product's own ones must not open a door."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices import topics
from devices.exceptions import Invalid
from devices.topics import Pattern, Route


@pytest.mark.parametrize(
    ("topic", "route"),
    [
        ("devices/a/up/telemetry", Route("a", "telemetry")),
        ("devices/a/up/attributes", Route("a", "attributes")),
        ("devices/a/up/events/door-open", Route("a", "event", name="door-open")),
        ("devices/a/up/raw", Route("a", "raw")),
        ("devices/a/up/raw/85", Route("a", "raw", port=85)),
        ("devices/a/up/status", Route("a", "status")),
        ("devices/a/up/commands/7f/reply", Route("a", "reply", name="7f")),
        ("devices/g/up/gateway/telemetry", Route("g", "telemetry", gateway=True)),
        ("devices/g/up/gateway/events/door", Route("g", "event", name="door", gateway=True)),
        ("devices/g/up/gateway/raw", Route("g", "raw", gateway=True)),
        ("devices/a/up/ota/chunk", Route("a", "chunk")),
        ("devices/a/up/credentials", Route("a", "credentials")),
        ("devices/a/up/gateway/ota", Route("a", "ota", gateway=True)),
    ],
)
def test_native_topics_lead_somewhere(topic: str, route: Route) -> None:
    assert topics.parse(topic) == route


@pytest.mark.parametrize(
    "topic",
    [
        "",
        "devices",
        "devices/a/up",
        "devices/a/up/",
        "devices/a/down/commands/1",
        "devices/a/up/telemetry/more",
        "devices/a/up/raw/x",
        "devices/a/up/raw/²",
        "devices/a/up/raw/99999999999",
        "devices/a/up/events/",
        "devices/a/up/events/has blank",
        "devices/a/up/gateway/raw/5",
        "devices/a/up/gateway/ota/chunk",
        "devices/a/up/gateway/credentials",
        "devices/a/up/ota/more",
        "devices/a/up/gateway/gateway/telemetry",
        "other/a/up/telemetry",
    ],
)
def test_all_others_are_unknown(topic: str) -> None:
    with pytest.raises(Invalid) as caught:
        topics.parse(topic)
    assert caught.value.code == "unknown_topic"


def test_topics_are_built_as_they_are_read() -> None:
    assert topics.parse(topics.up("pump-1", "events", "started")) == Route("pump-1", "event", name="started")
    assert topics.down("pump-1", "shadow") == "devices/pump-1/down/shadow"


@pytest.mark.parametrize("key", ["a", "A-1_2.3", "0" * 64])
def test_keys(key: str) -> None:
    assert topics.is_device_key(key)


@pytest.mark.parametrize("key", ["", "-a", "a/b", "a+b", "ä", "a\n", "0" * 65, "iotpanel-worker", "IOTPANEL-x", "a b"])
def test_what_is_no_key(key: str) -> None:
    assert not topics.is_device_key(key)


@pytest.mark.parametrize("pattern", ["tele/{key}/SENSOR", "zigbee2mqtt/{key}", "v1/{key}/data/json"])
def test_a_pattern_of_its_own(pattern: str) -> None:
    assert topics.pattern_problem(pattern) is None


@pytest.mark.parametrize(
    "pattern",
    [
        "",
        "{key}",
        "{key}/up",
        "tele/SENSOR",
        "tele/{key}/{key}",
        "tele/x{key}/SENSOR",
        "tele/{key}/#",
        "tele/+/{key}",
        "devices/{key}/down/commands",
        "devices/{key}/up/telemetry",
        "$SYS/{key}",
        "tele//{key}",
        "tele/{key}/",
        "tele/%u/{key}",
        "tele/{key}\npattern write #",
        "tele {key}",
        "a" * 300 + "/{key}",
    ],
)
def test_a_pattern_that_opens_a_door_is_refused(pattern: str) -> None:
    assert topics.pattern_problem(pattern)


def test_a_pattern_finds_the_key() -> None:
    pattern = Pattern.of("tele/{key}/SENSOR", "telemetry")
    assert pattern.key_in("tele/plug-7/SENSOR") == "plug-7"
    assert pattern.key_in("tele/plug-7/STATE") is None
    assert pattern.key_in("tele/a/b/SENSOR") is None
    assert pattern.key_in("tele/SENSOR") is None
    assert pattern.subscription == "tele/+/SENSOR"
    assert pattern.acl == "pattern write tele/%u/SENSOR"


@given(st.text())
def test_no_topic_breaks_the_parser(topic: str) -> None:
    try:
        topics.parse(topic)
    except Invalid as error:
        assert error.code == "unknown_topic"


@pytest.mark.parametrize(
    ("topic", "key"),
    [("devices/a/up/what/ever", "a"), ("devices/a/up", "a"), ("devices/a/down/x", ""), ("devices/a", ""), ("tele/a/up/x", ""), ("", "")],
)
def test_a_topic_belongs_to_its_device_also_where_it_leads_nowhere(topic: str, key: str) -> None:
    assert topics.speaker(topic) == key
