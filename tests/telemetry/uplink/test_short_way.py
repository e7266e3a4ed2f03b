"""The short way finds exactly what the long one finds, whatever a device says."""

import json
from collections.abc import Sequence
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from devices.codecs import json as codec
from devices.connectors.clock import arrivals
from devices.directory import Directory
from devices.messages import Uplink
from devices.models import Device, Product
from telemetry.uplink import judge, plain, server_time
from telemetry.uplink.findings import Findings
from telemetry.uplink.translate import translate
from tests.make import make_device, make_product

pytestmark = pytest.mark.django_db

NOW = arrivals(1)
SCRIPT = "function decode() return {} end"
NUMBERS = st.one_of(
    st.integers(-50, 90),
    st.floats(-50, 90),
    st.sampled_from([0, -40, 85, 85.1, 2**63, 2**64, -(2**63) - 1, 1e308, float("inf"), float("nan"), -0.0]),
)
SCALARS = st.one_of(NUMBERS, st.booleans(), st.none(), st.text(max_size=5), st.sampled_from(["\x00", "\ud800", "{" * 40]))
DEEP: Any = [[[[[]]]]] * 9
TREES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3), max_leaves=6
)
NAMES = st.sampled_from(["temperature", "door", "note", "setup", "unheard", "ts", "values", ""])
VALUES = st.dictionaries(NAMES, st.one_of(NUMBERS, st.booleans(), TREES), max_size=4)
TIMES: st.SearchStrategy[Any] = st.one_of(
    st.sampled_from(
        [NOW // 1_000_000, NOW // 1000, NOW, NOW * 1000, NOW / 1e6, "2026-01-01T00:00:00Z", "soon", -1, 0, True, None, [], NOW + 10**12]
    ),
    st.integers(NOW - 10**9, NOW + 10**9),
)
LONG = st.fixed_dictionaries({"values": st.one_of(VALUES, TREES)}, optional={"ts": TIMES, "more": SCALARS})
ENTRIES = st.one_of(VALUES, LONG)
DOCUMENTS = st.one_of(ENTRIES, ENTRIES, st.lists(ENTRIES, max_size=3), TREES, st.just(DEEP))
PAYLOADS = st.one_of(
    DOCUMENTS.map(lambda document: json.dumps(document).encode()),
    DOCUMENTS.map(lambda document: json.dumps(document, indent=1).encode() + b" "),
    st.sampled_from([b"", b"{", b'{"temperature": 1e400}', b'{"temperature": 1, "temperature": 2}', b"\xff", b'{"temperature": 21.5}}']),
    st.binary(max_size=20),
)
KINDS = st.sampled_from(["telemetry", "telemetry", "telemetry", "raw", "raw", "attributes", "status", "events/opened", "nonsense"])
MESSAGES = st.lists(
    st.tuples(
        st.sampled_from(["room-1", "room-2", "framed", "nobody"]), KINDS, PAYLOADS, st.sampled_from(["mqtt", "mqtt", "http", "replay"])
    ),
    max_size=12,
)


@pytest.fixture
def devices(product: Product, device: Device) -> Sequence[Device]:
    model = product.thing_model
    model["properties"] += [
        {"key": "note", "type": "text", "enum": ["a", "b"]},
        {"key": "setup", "type": "json"},
    ]
    product.save()
    framed = make_product(device.tenant, codec_kind="lua", codec_script=SCRIPT, thing_model=model, archive_days=1)
    return [device, make_device(product=product, key="room-2"), make_device(product=framed, key="framed")]


def found(batch: Sequence[Uplink], monkeypatch: pytest.MonkeyPatch, *, short: bool) -> tuple[Any, ...]:
    """Everything that a translation found, in a form that can be compared."""
    with monkeypatch.context() as patch:
        clock = server_time.ServerTimes()
        patch.setattr(judge, "SERVER_TIMES", clock)
        patch.setattr(plain, "SERVER_TIMES", clock)
        patch.setattr(
            "telemetry.uplink.translate.CODECS", {"lua": codec.decode}
        )  # the frames are JSON as well: a script's would take hours
        if not short:
            patch.setattr(plain, "take", lambda *_: False)
            patch.setattr(plain, "take_sample", lambda *_: False)
        return comparable(translate(batch, Directory()))


def comparable(findings: Findings) -> tuple[Any, ...]:
    reports, attributes, events = (
        [
            (repr(item), origin.place, origin.piece if isinstance(origin.piece, dict) else "whole", origin.entry, origin.payload)
            for item, origin in zip(*each, strict=True)
        ]
        for each in (findings.reports, findings.attributes, findings.events)
    )
    letters = [(place, letter._replace(product_id=0)) for place, letter in findings.letters]
    present = {device_id: at for device_id, (_, at) in findings.present.items()}
    presences = [word for _, word in findings.presences]
    return (
        reports,
        attributes,
        events,
        letters,
        dict(findings.counts),
        findings.offsets,
        findings.heard,
        findings.refusals,
        findings.bases,
        present,
        presences,
    )


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], deadline=None)
@given(MESSAGES)
def test_both_ways_find_the_same(
    devices: Sequence[Device], monkeypatch: pytest.MonkeyPatch, messages: list[tuple[str, str, bytes, str]]
) -> None:
    batch = [
        Uplink(f"devices/{key}/up/{kind}", payload, NOW + place, source) for place, (key, kind, payload, source) in enumerate(messages)
    ]

    assert found(batch, monkeypatch, short=True) == found(batch, monkeypatch, short=False)


@pytest.mark.parametrize(
    ("result", "is_short"),
    [
        ("{temperature = 21.5}", True),
        ("{temperature = 21.5, door = true}", True),
        ("{ts = meta.received_at, values = {temperature = 21}}", True),
        ("{temperature = 90}", False),
        ("{unheard = 1}", False),
        ("{}", None),
        ("{{temperature = 1}, {temperature = 2}}", None),
    ],
)
def test_what_nearly_every_script_says_goes_the_short_way(
    devices: Sequence[Device], monkeypatch: pytest.MonkeyPatch, result: str, is_short: bool | None
) -> None:
    went: list[bool] = []
    take = plain.take_sample

    def watched(*arguments: Any) -> bool:
        went.append(take(*arguments))
        return went[-1]

    monkeypatch.setattr(plain, "take_sample", watched)
    Product.objects.filter(devices__key="framed").update(codec_script=f"function decode(payload, topic, meta) return {result} end")
    translate([Uplink("devices/framed/up/raw", b"", NOW)], Directory())

    assert went == ([] if is_short is None else [is_short])


@pytest.mark.parametrize(
    ("payload", "is_short"),
    [
        ({"temperature": 21.5}, True),
        ({"temperature": 21.5, "door": True}, True),
        ({"ts": NOW // 1000, "values": {"temperature": 21}}, True),
        ({"values": {"temperature": 21}}, True),
        ({"temperature": None}, False),
        ({"setup": None}, False),
        ({"unheard": 1}, False),
        ({"temperature": 90}, False),
        ({"ts": NOW // 1000}, False),
        ({"values": {"temperature": 21}, "door": True}, False),
        ([{"temperature": 21.5}], False),
        ({}, False),
    ],
)
def test_what_nearly_every_device_says_goes_the_short_way(
    devices: Sequence[Device], monkeypatch: pytest.MonkeyPatch, payload: Any, is_short: bool
) -> None:
    """Without this the comparison would be green if nothing ever went the short way."""
    went: list[bool] = []
    take = plain.take

    def watched(*arguments: Any) -> bool:
        went.append(take(*arguments))
        return went[-1]

    monkeypatch.setattr(plain, "take", watched)
    translate([Uplink("devices/room-1/up/telemetry", orjson.dumps(payload), NOW)], Directory())

    assert went == [is_short]
