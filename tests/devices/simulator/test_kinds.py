"""What the fleet sends is what its products understand, but for the rare fault that is there on purpose."""

import json
from itertools import pairwise
from typing import Any

import pytest

from devices.catalog import load
from devices.codecs import lua
from devices.codecs.json import split
from devices.codecs.lua.samples import same
from devices.exceptions import Invalid
from devices.messages import Decoded, Frame, Sample
from devices.simulator.kinds import KINDS, Message, Simulated
from devices.simulator.kinds.em300 import REAL_FRAME
from devices.thing_model import ThingModel
from devices.thing_model_parser import parse
from devices.topics import is_device_key

START = 1_780_000_000.0
TWO_DAYS = [START + 37.0 * step for step in range(4_700)]
CODED = {"meter": "power-meter", "em300": "milesight-em300-th"}


def make(kind: str, number: int = 1) -> Simulated:
    return KINDS[kind](f"{kind}-{number}", number)


def model_of(name: str) -> ThingModel:
    return parse(load(name)["thing_model"])


def sent(kind: str, instants: list[float], number: int = 1) -> list[tuple[float, Message]]:
    device = make(kind, number)
    return [(at, message) for at in instants for message in device.messages(at)]


def decode(name: str, payloads: list[bytes]) -> list[Decoded | Invalid]:
    return lua.decode(load(name)["codec"]["script"], [Frame(payload, "t", "d", name, 85, 0) for payload in payloads])


@pytest.mark.parametrize("kind", KINDS)
def test_readings_fit_the_product(kind: str) -> None:
    device = make(kind)
    model = model_of(device.product)
    for at in TWO_DAYS:
        assert model.check_values(device.values(at)) == []
    for message in device.greeting():
        if message.topic == "attributes":
            assert model.check_attributes(json.loads(message.payload)) == []


@pytest.mark.parametrize("kind", KINDS)
def test_readings_move(kind: str) -> None:
    device = make(kind)
    assert len({json.dumps(device.values(at)) for at in TWO_DAYS[:100]}) > 5


@pytest.mark.parametrize("kind", KINDS)
def test_two_of_a_kind_differ(kind: str) -> None:
    assert make(kind, 1).values(START) != make(kind, 2).values(START)


@pytest.mark.parametrize("kind", KINDS)
def test_the_past_goes_in_one_message_with_its_times(kind: str) -> None:
    device = make(kind)
    instants = TWO_DAYS[:240]
    own = device.history(instants)[0]
    assert own.topic == "telemetry"
    assert len(own.payload) < 100_000
    found = split(own.payload)
    assert [entry.ts for entry in found if isinstance(entry, Sample)] == [round(at * 1000) for at in instants]
    assert [entry.values for entry in found if isinstance(entry, Sample)] == [device.reported(at) for at in instants]


def test_the_past_has_its_faults_and_gaps_too() -> None:
    model = model_of("cold-room")
    refused = 0
    for entry in json.loads(make("cold").history(TWO_DAYS)[0].payload):
        try:
            model.check_values(entry["values"])
        except Invalid as error:
            assert error.code == "out_of_range"
            refused += 1
    assert 1 <= refused <= 40
    assert 0.8 < len(json.loads(make("climate", 3).history(TWO_DAYS)[0].payload)) / len(TWO_DAYS) < 0.95


@pytest.mark.parametrize(("kind", "name"), CODED.items())
def test_binary_frames_give_what_was_measured(kind: str, name: str) -> None:
    device = make(kind)
    messages = sent(kind, TWO_DAYS[:600])
    for (at, _), found in zip(messages, decode(name, [message.payload for _, message in messages]), strict=True):
        if isinstance(found, Invalid):
            assert "checksum" in found.detail
            continue
        got = found.samples[0].values
        measured = device.values(at)
        if got != {"temperature": 4.4, "humidity": 11.5}:
            assert same(measured, {key: got[key] for key in measured})


def test_the_first_frame_of_the_refrigerator_is_a_real_one() -> None:
    first, second = sent("em300", [START, START + 60])[:2]
    assert first[1].payload == REAL_FRAME
    assert second[1].payload[:2] == b"\x01\x75"


def test_damaged_frames_are_rare_and_found() -> None:
    instants = [START + 5.0 * step for step in range(1_500)]
    answers = decode("power-meter", [message.payload for _, message in sent("meter", instants)])
    refused = [answer for answer in answers if isinstance(answer, Invalid)]
    assert 1 <= len(refused) <= 6
    assert {answer.code for answer in refused} == {"codec_error"}


def test_a_loose_probe_is_out_of_range_now_and_then() -> None:
    model = model_of("cold-room")
    codes = []
    for _, message in sent("cold", [START + 10.0 * step for step in range(1_000)]):
        if message.topic != "telemetry":
            continue
        try:
            model.check_values(json.loads(message.payload))
        except Invalid as error:
            codes.append(error.code)
    assert 1 <= len(codes) <= 8
    assert set(codes) == {"out_of_range"}


def test_one_room_falls_silent_for_a_while_and_the_others_do_not() -> None:
    instants = [START + 10.0 * step for step in range(1_000)]
    spoken = [len(sent("climate", instants, number)) for number in (1, 2, 3, 4)]
    assert spoken[:2] + spoken[3:] == [1_000] * 3
    assert 800 < spoken[2] < 920
    silent = make("climate", 3)
    quiet = [at for at in instants if not silent.messages(at)]
    assert any(second - first == 10 for first, second in pairwise(quiet))


def events_of(kind: str, step: float, count: int) -> list[tuple[str, dict[str, Any]]]:
    found = []
    for _, message in sent(kind, [START + step * index for index in range(count)]):
        if message.topic.startswith("events/"):
            found.append((message.topic.removeprefix("events/"), json.loads(message.payload)["params"]))
    return found


@pytest.mark.parametrize(("kind", "names"), [("cold", {"door", "defrost"}), ("tracker", {"trip"})])
def test_events_fit_the_product(kind: str, names: set[str]) -> None:
    model = model_of(make(kind).product)
    events = events_of(kind, 5.0, 6_000)
    assert {name for name, _ in events} == names
    assert all(model.check_event(name, params) for name, params in events)


def test_a_door_closes_after_it_opened() -> None:
    states = [params for name, params in events_of("cold", 5.0, 6_000) if name == "door"]
    assert [params["state"] for params in states[:6]] == ["opened", "closed"] * 3
    assert all(60 <= params["seconds"] <= 90 for params in states if "seconds" in params)


def test_the_tracker_moves_along_its_way_and_rests() -> None:
    device = make("tracker")
    values = [device.values(START + 10.0 * step) for step in range(500)]
    assert {entry["ignition"] for entry in values} == {True, False}
    assert all(entry["speed"] == 0 for entry in values if not entry["ignition"])
    assert 20 < max(entry["speed"] for entry in values) < 90
    odometer = [entry["odometer"] for entry in values]
    assert odometer == sorted(odometer)
    for first, second in pairwise(values):
        assert abs(first["location"]["lat"] - second["location"]["lat"]) < 0.01
        assert abs(first["location"]["lon"] - second["location"]["lon"]) < 0.01


def test_energy_only_grows() -> None:
    energy = [make("meter").values(at)["energy"] for at in TWO_DAYS]
    assert energy == sorted(energy)


def test_the_gateway_speaks_for_its_children() -> None:
    model = model_of("heat-meter")
    seen = set()
    failures = 0
    for _, message in sent("gateway", [START + 15.0 * step for step in range(1_500)]):
        if not message.topic.startswith("gateway/"):
            continue
        for key, part in json.loads(message.payload).items():
            assert is_device_key(key)
            if message.topic == "gateway/telemetry":
                assert model.check_values(part) == []
                seen.add(key)
            else:
                failures += model.check_event(message.topic.removeprefix("gateway/events/"), part["params"])
    assert seen == {f"gateway-1-heat-{number}" for number in (1, 2, 3)}
    assert 1 <= failures <= 10


def test_the_gateway_brings_and_takes_its_children() -> None:
    device = make("gateway")
    told = {message.topic: json.loads(message.payload) for message in device.greeting()}
    assert told["gateway/status"] == {f"gateway-1-heat-{number}": "online" for number in (1, 2, 3)}
    assert all(model_of("heat-meter").check_attributes(values) == [] for values in told["gateway/attributes"].values())
    (goodbye,) = device.farewell()
    assert set(json.loads(goodbye.payload).values()) == {"offline"}


def test_the_gateway_sends_the_past_of_its_children() -> None:
    _, *parts = make("gateway").history(TWO_DAYS[:50])
    assert len(parts) == 3
    for part in parts:
        ((key, entries),) = json.loads(part.payload).items()
        assert key.startswith("gateway-1-heat-")
        assert len(entries) == 50
        assert model_of("heat-meter").check_values(entries[0]["values"]) == []
