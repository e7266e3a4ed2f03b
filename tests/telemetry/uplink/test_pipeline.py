"""The pipeline: what is accepted, what becomes a dead letter, and that the counts always balance."""

from typing import Any

import pytest
from django.db import DatabaseError, IntegrityError, OperationalError, connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from devices import products, provisioning
from devices.exceptions import REASONS, Invalid, Unavailable
from devices.models import Device, DevicePresence, DiscoveredProperty, Product
from devices.thing_model import MAX_PROPERTIES
from iotpanel import databases
from telemetry import latest, ledger
from telemetry.models import Attribute, DeadLetterRecord, Event, LedgerEntry, ReportRow
from telemetry.uplink import pipeline
from telemetry.uplink.memory import memory
from telemetry.uplink.pipeline import Outcome, process
from tests.make import make_device, make_product

from .talk import now_ms, reasons, say, stored, uplink

pytestmark = pytest.mark.django_db


def balance(outcome: Outcome) -> bool:
    return outcome.received == outcome.stored + outcome.duplicate + outcome.rejected + outcome.dead_lettered


def test_the_three_shapes_of_telemetry_are_stored(device: Device) -> None:
    ts = now_ms()
    assert say(device, "telemetry", {"temperature": 1}).stored == 1
    assert say(device, "telemetry", {"ts": ts, "values": {"temperature": 2}}).stored == 1
    assert say(device, "telemetry", [{"ts": ts - 2000, "values": {"temperature": 3}}, {"temperature": 4}]).stored == 2
    assert sorted(values["temperature"] for values in stored(device)) == [1, 2, 3, 4]


def test_values_keep_their_type_and_every_digit(device: Device) -> None:
    sent = {
        "int": 2**53 + 1,
        "big": 2**64 - 1,
        "low": -(2**63),
        "float": 0.1 + 0.2,
        "tiny": 5e-324,
        "text": "21.5",
        "yes": True,
        "json": {"a": [1, None, "é"]},
    }
    say(device, "telemetry", sent)
    assert stored(device) == [sent]
    assert {key: value for key, (value, _) in latest.read([device.pk])[device.pk].items()} == sent


def test_a_thousand_messages_within_a_moment_are_a_thousand_readings(device: Device) -> None:
    topic = f"devices/{device.key}/up/telemetry"
    received_at = now_ms() * 1000
    outcome = process([uplink(topic, {"temperature": number % 80}, received_at=received_at) for number in range(1000)])
    assert outcome.stored == 1000
    assert ReportRow.objects.filter(device_id=device.pk).count() == 1000


def test_the_same_instant_again_is_a_duplicate_or_merges(device: Device) -> None:
    report = {"ts": now_ms(), "values": {"temperature": 20}}
    assert say(device, "telemetry", report).stored == 1
    assert say(device, "telemetry", report).duplicate == 1
    assert say(device, "telemetry", report | {"values": {"door": True}}).stored == 1
    assert stored(device) == [{"temperature": 20, "door": True}]


def test_the_newest_value_never_goes_back(device: Device) -> None:
    ts = now_ms()
    say(device, "telemetry", {"ts": ts, "values": {"temperature": 20}})
    say(device, "telemetry", {"ts": ts - 60_000, "values": {"temperature": 10, "door": False}})
    values = latest.read([device.pk])[device.pk]
    assert values["temperature"] == (20, ts * 1000)
    assert values["door"] == (False, (ts - 60_000) * 1000)


@pytest.mark.parametrize("payload", [b"{}", b"[]", b'{"temperature": null}', b'{"values": {}}'])
def test_nothing_to_store_is_a_heartbeat(device: Device, payload: bytes) -> None:
    outcome = say(device, "telemetry", payload)
    assert (outcome.heartbeats, outcome.received) == (1, 0)
    device.presence.refresh_from_db()
    assert device.presence.online


BAD: list[tuple[bytes, str]] = [
    (b"", "not_json"),
    (b"hello", "not_json"),
    (b"NaN", "not_json"),
    (b'{"temperature": NaN}', "bad_value"),
    (b'{"temperature": Infinity}', "bad_value"),
    (b'{"ts": NaN, "values": {"temperature": 1}}', "bad_value"),
    (b'{"a": "\\ud800"}', "not_json"),
    (b"\xff\xfe", "not_json"),
    (b"5", "bad_shape"),
    (b'"text"', "bad_shape"),
    (b"null", "bad_shape"),
    (b'{"ts": 1767225600000, "temperature": 5}', "bad_shape"),
    (b'{"values": 5}', "bad_shape"),
    (b'{"temperature": "21"}', "bad_value"),
    (b'{"temperature": true}', "bad_value"),
    (b'{"temperature": 1e400}', "bad_value"),
    (b'{"note": "a\\u0000b"}', "bad_value"),
    (b'{"a\\u0000": 1}', "bad_value"),
    (b'{"temperature": 900}', "out_of_range"),
    (b'{"ts": 253402300799000, "values": {"temperature": 1}}', "bad_timestamp"),
    (b'{"ts": 0, "values": {"temperature": 1}}', "bad_timestamp"),
    (b'{"ts": "yesterday", "values": {"temperature": 1}}', "bad_timestamp"),
    (b'{"ts": true, "values": {"temperature": 1}}', "bad_timestamp"),
    (b"[" * 10_000 + b"]" * 10_000, "too_deep"),
    (b'{"a":' * 40 + b"1" + b"}" * 40, "too_deep"),
    (b'{"note": "' + b"x" * 1_100_000 + b'"}', "too_large"),
]


@pytest.mark.parametrize(("payload", "reason"), BAD, ids=[f"{reason}-{place}" for place, (_, reason) in enumerate(BAD)])
def test_a_bad_message_costs_itself_and_not_its_neighbours(device: Device, payload: bytes, reason: str) -> None:
    topic = f"devices/{device.key}/up/telemetry"
    outcome = process([uplink(topic, {"temperature": 1}), uplink(topic, payload), uplink(topic, {"temperature": 2})])
    assert (outcome.stored, outcome.dead_lettered) == (2, 1)
    assert balance(outcome)
    letter = DeadLetterRecord.objects.get()
    assert (letter.reason, bytes(letter.payload), letter.topic, letter.device) == (reason, payload, topic, device)


def test_the_entries_of_a_list_are_judged_on_their_own(device: Device) -> None:
    outcome = say(device, "telemetry", [{"temperature": 1}, {"temperature": 900}, 5, {"temperature": "x"}, {}, {"temperature": 2}])
    assert (outcome.stored, outcome.dead_lettered) == (2, 3)
    assert sorted(reasons()) == ["bad_shape", "bad_value", "out_of_range"]
    assert sorted(bytes(payload) for payload in DeadLetterRecord.objects.values_list("payload", flat=True)) == [
        b"5",
        b'{"temperature":"x"}',
        b'{"temperature":900}',
    ]


def test_an_infinity_in_a_list_keeps_its_bytes(device: Device) -> None:
    say(device, "telemetry", b'[{"temperature": 1}, {"note": "null", "temperature": -1e999}]')
    assert bytes(DeadLetterRecord.objects.get().payload) == b'{"note": "null", "temperature": -1e400}'


def test_attributes_and_events_are_kept(device: Device) -> None:
    assert say(device, "attributes", {"firmware": "1.2", "rssi": -70}).stored == 1
    assert say(device, "events/opened", {"params": {"by": "key"}}).stored == 1
    assert say(device, "events/unplanned", {}).stored == 1
    assert dict(Attribute.objects.values_list("key", "value")) == {"firmware": "1.2", "rssi": -70}
    assert dict(Event.objects.values_list("name", "params")) == {"opened": {"by": "key"}, "unplanned": {}}


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        ({"params": {}}, "bad_value"),
        ({"params": []}, "bad_shape"),
        ({"by": "key"}, "bad_shape"),
        (b"x", "not_json"),
        ({"ts": 5, "params": {"by": "x"}}, "bad_timestamp"),
    ],
)
def test_a_bad_event_is_a_dead_letter(device: Device, payload: Any, reason: str) -> None:
    assert say(device, "events/opened", payload).dead_lettered == 1
    assert reasons() == [reason]


def test_an_event_that_comes_again_is_one_event(device: Device) -> None:
    event = {"ts": now_ms(), "params": {"by": "key"}}
    assert [say(device, "events/opened", event).stored, say(device, "events/opened", event).duplicate] == [1, 1]
    assert say(device, "events/opened", event | {"params": {"by": "hand"}}).stored == 1


def test_what_nobody_knows_is_a_dead_letter(device: Device) -> None:
    outcome = process([uplink("devices/ghost/up/telemetry", {"a": 1}), uplink("devices/room-1/up/what", {"a": 1}), uplink("x/y", b"z")])
    assert outcome.dead_lettered == 3
    assert sorted(reasons()) == ["unknown_device", "unknown_topic", "unknown_topic"]
    assert DeadLetterRecord.objects.get(reason="unknown_device").key == "ghost"


def test_a_wrong_topic_of_a_known_device_is_that_devices_dead_letter(device: Device) -> None:
    say(device, "what", {"a": 1})
    letter = DeadLetterRecord.objects.get()
    assert (letter.reason, letter.key, letter.device, letter.tenant) == ("unknown_topic", device.key, device, device.tenant)


def test_a_reply_that_nobody_asked_for_is_unexpected(device: Device) -> None:
    say(device, "commands/77/reply", {"status": "ok"})
    assert reasons() == ["unexpected_reply"]


def test_a_disabled_device_is_rejected_and_not_kept(device: Device) -> None:
    provisioning.update_device(device, enabled=False)
    outcome = say(device, "telemetry", {"temperature": 1})
    assert (outcome.rejected, outcome.refusals, outcome.dead_lettered) == (1, ("device_disabled",), 0)
    assert not DeadLetterRecord.objects.exists()


def test_a_strict_product_refuses_what_its_model_lacks(product: Product, device: Device) -> None:
    products.update_product(product, unknown_properties="reject")
    memory().directory.forget()  # a committed change says so itself
    say(device, "telemetry", {"temperature": 1, "new": 2})
    say(device, "events/unplanned", {})
    say(device, "attributes", {"new": 1})
    assert reasons() == ["unknown_property", "unknown_event", "unknown_property"]


def test_unknown_names_are_bounded_per_product(device: Device) -> None:
    assert say(device, "telemetry", {f"a{number}": 1 for number in range(MAX_PROPERTIES - 1)}).stored == 1
    assert say(device, "telemetry", {"one-more": 1}).stored == 1
    assert say(device, "telemetry", {"too-many": 1}).dead_lettered == 1
    assert say(device, "telemetry", {"one-more": 2, "temperature": 3}).stored == 1
    assert reasons() == ["too_many_properties"]
    assert DiscoveredProperty.objects.count() == MAX_PROPERTIES


def test_a_million_new_names_fill_nothing(device: Device) -> None:
    topic = f"devices/{device.key}/up/telemetry"
    for start in range(0, 5_000, 500):
        process([uplink(topic, {f"n{number}": 1}) for number in range(start, start + 500)])
    assert DiscoveredProperty.objects.count() == MAX_PROPERTIES


def test_every_batch_is_in_the_ledger(device: Device) -> None:
    topic = f"devices/{device.key}/up/telemetry"
    process([uplink(topic, {"temperature": 1}), uplink(topic, b"x"), uplink(topic, {}), uplink("devices/ghost/up/telemetry", {})])
    entry = LedgerEntry.objects.get()
    counts = {name: dict(zip(entry.devices, numbers, strict=True)) for name in ledger.NAMES if (numbers := getattr(entry, name))}
    assert counts == {
        "received": {device.pk: 2, 0: 1},
        "stored": {device.pk: 1, 0: 0},
        "dead_lettered": {device.pk: 1, 0: 1},
        "heartbeats": {device.pk: 1, 0: 0},
    }


def test_an_own_topic_leads_to_the_product_that_maps_it(product: Product, device: Device) -> None:
    products.update_product(
        product, topics=[{"topic": "tele/{key}/SENSOR", "kind": "telemetry"}, {"topic": "ev/{key}", "kind": "events/opened"}]
    )
    other = make_device(product=make_product(product.tenant), key="other-1")
    outcome = process(
        [
            uplink("tele/room-1/SENSOR", {"temperature": 7}),
            uplink("ev/room-1", {"params": {"by": "x"}}),
            uplink(f"tele/{other.key}/SENSOR", {"temperature": 8}),
        ]
    )
    assert (outcome.stored, outcome.dead_lettered) == (2, 1)
    assert reasons() == ["unknown_topic"]


def test_a_database_that_is_down_changes_nothing_and_is_said(device: Device, monkeypatch: pytest.MonkeyPatch) -> None:
    def down(_: Any) -> None:
        raise OperationalError("the server is away")

    with monkeypatch.context() as patched:
        patched.setattr(latest, "columns", down)
        patched.setattr(databases, "hang_up", lambda: None)  # the test's transaction lives on it
        with pytest.raises(Unavailable):
            say(device, "telemetry", {"temperature": 1})
    assert stored(device) == []
    assert say(device, "telemetry", {"temperature": 1}).stored == 1


def test_the_clock_of_a_device_that_says_one_thing_and_sleeps(device: Device) -> None:
    """Its coming was written a moment before, and nobody's coming is written twice within a second."""
    ts = now_ms() + 10
    say(device, "status", b"online", source="broker")
    say(device, "telemetry", {"ts": ts - 90_000, "values": {"temperature": 1}}, received_at=ts * 1000)
    assert DevicePresence.objects.get(device=device).clock_offset == -90.0
    say(device, "telemetry", {"ts": ts - 80_000, "values": {"temperature": 1}}, received_at=ts * 1000 + 1)
    assert DevicePresence.objects.get(device=device).clock_offset == -90.0  # written a moment ago


@pytest.mark.django_db(transaction=True)
def test_a_session_that_became_useless_is_left_for_a_new_one(device: Device) -> None:
    """As after a failover: the old session goes on refusing what a new one takes."""
    say(device, "telemetry", {"temperature": 1})
    with connection.cursor() as cursor:
        cursor.execute("SET default_transaction_read_only = on")
    with pytest.raises(Unavailable):
        say(device, "telemetry", {"temperature": 2})
    assert say(device, "telemetry", {"temperature": 2}).stored == 1
    assert [values["temperature"] for values in stored(device)] == [1, 2]


@pytest.mark.parametrize("error", [IntegrityError("a device went away"), RuntimeError("a fault of ours"), Invalid("bad_value")])
def test_a_fault_that_nobody_foresaw_costs_one_message(device: Device, monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    columns = latest.columns

    def fails_on_13(reports: Any) -> latest.Columns:
        if any(report.values.get("temperature") == 13 for report in reports):
            raise error
        return columns(reports)

    monkeypatch.setattr(latest, "columns", fails_on_13)
    topic = f"devices/{device.key}/up/telemetry"
    outcome = process([uplink(topic, {"temperature": number}) for number in range(20)])
    assert (outcome.stored, outcome.dead_lettered, balance(outcome)) == (19, 1, True)
    assert reasons() == ["store_refused"]
    assert bytes(DeadLetterRecord.objects.get().payload) == b'{"temperature":13}'


def test_a_sink_that_fails_rolls_the_batch_back(device: Device, monkeypatch: pytest.MonkeyPatch) -> None:
    def down(_: Any) -> None:
        raise DatabaseError("no")

    monkeypatch.setattr(pipeline, "_sinks", lambda: [down])
    monkeypatch.setattr(databases, "hang_up", lambda: None)
    with pytest.raises(Unavailable):
        say(device, "telemetry", {"temperature": 1})
    assert (stored(device), LedgerEntry.objects.count()) == ([], 0)


@given(
    payloads=st.lists(
        st.binary(max_size=60) | st.from_regex(rb'\{"(temperature|door|x)": ?(-?[0-9]{1,4}|true|"a"|null)\}', fullmatch=True), max_size=8
    )
)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_comes_the_counts_balance(device: Device, payloads: list[bytes]) -> None:
    outcome = process([uplink(f"devices/{device.key}/up/telemetry", payload) for payload in payloads])
    assert balance(outcome)
    assert outcome.received + outcome.heartbeats >= len([payload for payload in payloads if payload.strip() != b"[]"])
    assert {letter.reason for letter in outcome.letters} <= REASONS
