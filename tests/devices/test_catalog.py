"""The ready products: real frames of real sensors give exactly what their makers expect."""

import json
from pathlib import Path
from typing import Any

import pytest

from devices.catalog import UnknownProduct, list_products, load
from devices.catalog.install import install
from devices.codecs import lua
from devices.codecs.lua.samples import frame_of, same
from devices.exceptions import Invalid
from devices.messages import Decoded, Frame
from devices.models import Product
from devices.thing_model_parser import parse
from iotpanel.tenants.models import Tenant

FRAMES: list[dict[str, Any]] = json.loads((Path(__file__).parent / "data" / "frames.json").read_text())["frames"]
NAMES = [product["key"] for product in list_products()]
SCRIPTED = [name for name in NAMES if load(name)["codec"]["kind"] == "lua"]


def name_of(frame: dict[str, Any]) -> str:
    """The ready product for a real frame."""
    return "elsys" if frame["maker"] == "elsys" else f"{frame['maker']}-{frame['device']}"


def decode(name: str, payload: bytes, port: int | None = None) -> Decoded | Invalid:
    return lua.decode(load(name)["codec"]["script"], [Frame(payload, "devices/d/up/raw", "d", name, port, 0)])[0]


def samples() -> list[Any]:
    return [pytest.param(name, sample, id=f"{name}: {sample['name']}") for name in SCRIPTED for sample in load(name)["codec"]["samples"]]


def test_there_are_as_many_frames_as_makers_gave() -> None:
    assert len(FRAMES) == 18
    assert {name_of(frame) for frame in FRAMES} <= set(NAMES)


@pytest.mark.parametrize("frame", FRAMES, ids=[f"{frame['device']}: {frame['case']}" for frame in FRAMES])
def test_a_real_frame_gives_exactly_what_its_maker_expects(frame: dict[str, Any]) -> None:
    found = decode(name_of(frame), bytes.fromhex(frame["hex"]), frame["port"])
    assert isinstance(found, Decoded), found
    (sample,) = found.samples
    assert sample.ts is None
    assert sample.values.keys() == frame["expected"].keys()
    assert same(frame["expected"], sample.values), sample.values


def test_every_real_frame_is_saved_as_a_sample() -> None:
    saved = {(name, sample["hex"]) for name in SCRIPTED for sample in load(name)["codec"]["samples"]}
    assert {(name_of(frame), frame["hex"]) for frame in FRAMES} <= saved


@pytest.mark.parametrize("name", SCRIPTED)
def test_all_samples_pass(name: str) -> None:
    codec = load(name)["codec"]
    assert lua.compile_error(codec["script"]) is None
    assert lua.check_samples(codec["script"], codec["samples"]) == []


@pytest.mark.parametrize(("name", "sample"), samples())
def test_the_thing_model_knows_what_the_codec_gives(name: str, sample: dict[str, Any]) -> None:
    model = parse(load(name)["thing_model"])
    for report in sample["expected"]:
        assert model.check_values(report["values"]) == []


@pytest.mark.parametrize(("name", "sample"), samples())
def test_a_frame_that_is_cut_off_is_refused_or_gives_less(name: str, sample: dict[str, Any]) -> None:
    """Never a wrong value: what a shorter frame still gives must be a part of what the whole one gave."""
    frame = frame_of(sample)
    cut = [frame._replace(payload=frame.payload[:size]) for size in range(len(frame.payload))]
    whole = [report["values"] for report in sample["expected"]]
    for found in lua.decode(load(name)["codec"]["script"], cut):
        if isinstance(found, Invalid):
            assert found.code == "codec_error"
            assert found.detail
        else:
            for part, complete in zip(found.samples, whole, strict=False):
                assert part.values.keys() <= complete.keys() | {"bat", "sensor", "Temp"}


@pytest.mark.parametrize("name", SCRIPTED)
def test_no_bytes_break_a_decoder(name: str) -> None:
    payloads = [bytes([first]) * size for first in (0, 1, 3, 0x20, 0x7F, 0x83, 0xA5, 0xFE, 0xFF) for size in (0, 1, 2, 8, 11, 64)]
    frames = [Frame(payload, "t", "d", name, port, 0) for payload in payloads for port in (None, 2, 3, 5, 10)]
    for found in lua.decode(load(name)["codec"]["script"], frames):
        assert isinstance(found, Decoded) or found.code == "codec_error"


@pytest.mark.parametrize(
    ("name", "payload", "port", "said"),
    [
        ("elsys", "ee00", None, "type 0xEE at byte 1 is not known"),
        ("milesight-em300-th", "017564aabb01", None, "channel 0xAA of type 0xBB at byte 4 is not known"),
        ("milesight-em300-th", "01756401", None, "one byte is left over"),
        ("dragino-lds02", "0b8801001bb300000000", 2, "port 2 is not used by an LDS02"),
        ("dragino-ldds75", "0d0a07e900000001", 3, "port 3 is not used by an LDDS75"),
        ("dragino-lht65n", "cbc6008200f2037fff7fff", 2, "external sensor 3 is not known"),
        ("dragino-lt-22222-l", "00000000000000003cff49", 2, "work mode 9 is not known"),
        ("power-meter", "00", None, "a frame has 33 bytes and begins with A5; this one has 1"),
    ],
)
def test_what_is_not_known_is_said(name: str, payload: str, port: int | None, said: str) -> None:
    found = decode(name, bytes.fromhex(payload), port)
    assert isinstance(found, Invalid)
    assert found.code == "codec_error"
    assert found.detail.endswith(said)


def test_a_wrong_checksum_is_refused() -> None:
    payload = bytearray.fromhex(load("power-meter")["codec"]["samples"][0]["hex"])
    payload[10] ^= 0x10
    found = decode("power-meter", bytes(payload))
    assert isinstance(found, Invalid)
    assert "the checksum is" in found.detail


def test_the_list_is_for_people() -> None:
    listed = list_products()
    assert len({product["key"] for product in listed}) == len(listed) >= 14
    assert all(product["name"] and product["maker"] and product["description"] for product in listed)
    assert [product["maker"] for product in listed][:4] == ["Dragino"] * 4
    assert listed[-1]["maker"] == "iotpanel"


def test_what_is_loaded_is_the_callers_own() -> None:
    load("elsys")["codec"]["samples"].clear()
    assert load("elsys")["codec"]["samples"]


@pytest.mark.parametrize("name", ["", "nothing", "../products/elsys", "elsys.json", "*"])
def test_an_unknown_name_is_said(name: str) -> None:
    with pytest.raises(UnknownProduct):
        load(name)


@pytest.mark.parametrize("name", NAMES)
def test_every_product_can_be_taken_in(tenant: Tenant, name: str) -> None:
    product = install(tenant, name)
    assert product.tenant == tenant
    assert product.key == name
    assert product.description
    assert Product.objects.get(pk=product.pk).thing_model["properties"]
    assert install(tenant, name) == product


def test_a_gateway_brings_its_children_along(tenant: Tenant) -> None:
    gateway = install(tenant, "modbus-gateway")
    assert gateway.register_children
    assert gateway.child_product is not None
    assert gateway.child_product.key == "heat-meter"


def test_a_product_of_the_same_key_is_left_as_it_is(tenant: Tenant, other_tenant: Tenant) -> None:
    mine = install(tenant, "elsys")
    mine.name = "Ours"
    mine.save()
    assert install(tenant, "elsys").name == "Ours"
    assert install(other_tenant, "elsys").name == "Elsys sensors"
