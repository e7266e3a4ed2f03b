"""The product pages, and the workbench where a codec is mended and published with its tests."""

import json
from html import unescape
from typing import Any

import orjson
import pytest
from django.utils import timezone

from devices import catalog
from devices.models import Device, DiscoveredProperty, Product
from iotpanel.tenants.models import Role, Tenant, User
from telemetry import latest
from telemetry.models import DeadLetterRecord
from tests import make
from tests.pages.people import browser, links, words

MODEL: dict[str, Any] = {
    "properties": [
        {"key": "temperature", "name": "Temperature", "type": "number", "unit": "°C", "min": -40, "max": 125, "precision": 1, "period": 600}
    ],
    "attributes": [{"key": "firmware", "name": "Firmware", "type": "text"}],
    "events": [{"key": "opened", "name": "Door opened", "params": []}],
}
GOOD = "function decode(payload) return {temperature = payload:byte(1)} end\n"
BAD = "function decode(payload) error('not yet') end\n"
SAMPLE: dict[str, Any] = {"hex": "15", "expected": [{"values": {"temperature": 21}}]}


@pytest.fixture
def product(tenant: Tenant) -> Product:
    return make.make_product(tenant, key="sensor", name="Sensor", thing_model=MODEL, codec_kind="lua", codec_script=BAD)


@pytest.fixture
def device(product: Product) -> Device:
    return make.make_device(product.tenant, key="cellar", product=product)


@pytest.fixture
def admin(tenant: Tenant) -> User:
    return make.make_member(tenant, Role.ADMIN)


def letter(device: Device, payload: bytes = b"\x15", topic: str = "devices/cellar/up/raw/85", **overrides: Any) -> DeadLetterRecord:
    values: dict[str, Any] = {"tenant": device.tenant, "device": device, "product": device.product, "key": device.key, "topic": topic}
    values |= {"reason": "codec_error", "detail": "not yet", "payload": payload, "received_at": timezone.now()}
    return DeadLetterRecord.objects.create(**values | overrides)


def bench(user: User, query: str = "") -> dict[str, Any]:
    """What the page hands to its script."""
    html = browser(user).get(f"/products/sensor/codec/{query}").content.decode()
    data: dict[str, Any] = json.loads(html.split('<script id="workbench" type="application/json">')[1].split("</script>")[0])
    return data


def test_the_list_counts_devices_and_letters(viewer: User, device: Device) -> None:
    letter(device)
    shown = browser(viewer).get("/products/")

    assert "Sensor sensor 0 / 1 Lua 1 10 min 1" in words(shown.content)
    assert {"/products/sensor/", "/devices/?product=sensor", "/dead-letters/?product=sensor"} <= links(shown.content)


def test_ready_products_are_taken_once(admin: User, tenant: Tenant) -> None:
    client = browser(admin)
    first = catalog.list_products()[0]
    assert first["name"] in words(client.get("/products/").content)
    assert client.post("/products/-/take/", {"product": first["key"]})["Location"] == f"/products/{first['key']}/"
    client.post("/products/-/take/", {"product": first["key"]})
    assert client.post("/products/-/take/", {"product": "../../etc/passwd"})["Location"] == "/products/"

    assert [product.key for product in Product.objects.for_tenant(tenant)] == [first["key"]]


def test_the_thing_model_is_readable(viewer: User, product: Product) -> None:
    DiscoveredProperty.objects.create(product=product, key="<i>humidity</i>")
    text = words(browser(viewer).get("/products/sensor/").content)

    assert "Temperature temperature number °C −40 to 125 1 every 10 min" in text
    assert "Firmware firmware text" in text
    assert "Door opened" in text
    assert "<i>humidity</i>" in text


def test_the_tabs_lead_to_topics_and_devices(viewer: User, product: Product) -> None:
    assert "devices/{key}/up/telemetry" in words(browser(viewer).get("/products/sensor/topics/").content)
    assert browser(viewer).get("/products/sensor/devices/")["Location"] == "/devices/?product=sensor"


@pytest.mark.parametrize("tab", ["", "codec/", "topics/", "devices/"])
def test_strangers_find_nothing(tab: str, stranger: User, product: Product) -> None:
    assert browser(stranger).get(f"/products/sensor/{tab}").status_code == 404


def test_the_workbench_has_the_letters_of_the_codec_and_the_tests(admin: User, device: Device) -> None:
    Product.objects.update(codec_samples=[{"payload_base64": "FQ==", "port": 2, "expected": [], "name": "warm"}])
    letter(device)
    letter(device)
    letter(device, b"\x16", "devices/cellar/up/telemetry")
    letter(device, b"\x17", reason="unknown_device")
    wanted = letter(device, b"\x18")
    letter(device, b"\x19")
    frames = bench(admin, f"?letter={wanted.pk}&hex=01ff&port=7")["frames"]

    assert [frame["hex"] for frame in frames if frame["kind"] == "letter"] == ["18", "19", "15"]
    assert frames[0]["port"] == 85
    assert [(frame["hex"], frame["port"], frame["label"]) for frame in frames if frame["kind"] == "test"] == [("15", 2, "warm")]
    assert [(frame["hex"], frame["port"]) for frame in frames if frame["kind"] == "pasted"] == [("01ff", 7)]


def test_a_products_own_raw_topics_belong_to_its_workbench(admin: User, device: Device) -> None:
    Product.objects.update(topics=[{"topic": "lora.+/{key}/up", "kind": "raw"}, {"topic": "tele/{key}", "kind": "telemetry"}])
    letter(device, b"\x01", "lora.+/cellar/up")
    letter(device, b"\x02", "loraXX/cellar/up")
    letter(device, b"\x03", "tele/cellar")

    assert [frame["hex"] for frame in bench(admin)["frames"]] == ["01"]


def test_publishing_mends_and_replays(admin: User, device: Device) -> None:
    record = letter(device)
    client = browser(admin)
    answer = client.post(
        "/products/sensor/codec/", {"script": GOOD.replace("\n", "\r\n"), "samples": orjson.dumps([SAMPLE]).decode(), "replay": "on"}
    )
    assert answer["Location"] == "/products/sensor/codec/"

    device.product.refresh_from_db()
    assert device.product.codec_script == GOOD
    assert device.product.codec_samples == [SAMPLE]
    record.refresh_from_db()
    assert record.replayed_at is not None
    assert latest.read([device.pk])[device.pk]["temperature"][0] == 21
    assert "Codec published" in words(client.get("/products/").content)


@pytest.mark.parametrize(
    ("script", "samples", "said"),
    [
        ("function decode(", "[]", "line 1"),
        ("", "[]", "Write the script"),
        (GOOD, orjson.dumps([SAMPLE | {"expected": [{"values": {"temperature": 22}}]}]).decode(), "sample 1"),
        (GOOD, "[{}", "no valid JSON"),
        (GOOD, '[{"hex": "zz"}]', "no bytes"),
        ("-" * 70_000, "[]", "65536"),
    ],
)
def test_what_cannot_be_published_is_said_and_keeps_what_was_typed(
    script: str, samples: str, said: str, admin: User, product: Product
) -> None:
    answer = browser(admin).post("/products/sensor/codec/", {"script": script, "samples": samples})

    assert answer.status_code == 400
    assert "Not published" in words(answer.content)
    assert said in words(answer.content)
    if script:
        assert script.splitlines()[0] in unescape(answer.content.decode())
    product.refresh_from_db()
    assert product.codec_script == BAD


def test_a_viewer_reads_the_script_and_may_not_publish(viewer: User, product: Product) -> None:
    client = browser(viewer)
    shown = client.get("/products/sensor/codec/")
    assert "readonly" in shown.content.decode()
    assert "Publish" not in words(shown.content).replace("Publish, then replay", "")
    assert bench(viewer)["writes"] is False
    assert client.post("/products/sensor/codec/", {"script": GOOD, "samples": "[]"}).status_code == 403
    product.refresh_from_db()
    assert product.codec_script == BAD


def test_a_product_that_speaks_json_can_be_given_a_script(admin: User, viewer: User, tenant: Tenant) -> None:
    product = make.make_product(tenant, key="sensor", name="Sensor")
    assert "speak JSON" in words(browser(viewer).get("/products/sensor/codec/").content)
    assert "function decode" in browser(admin).get("/products/sensor/codec/?write=1").content.decode()
    browser(admin).post("/products/sensor/codec/", {"script": GOOD, "samples": "[]"})

    product.refresh_from_db()
    assert product.codec_kind == "lua"


def test_hostile_scripts_and_frames_stay_text(admin: User, device: Device) -> None:
    hostile = "-- </script><script>alert(1)</script></textarea><b>\n" + GOOD
    Product.objects.update(codec_script=hostile, codec_samples=[{"hex": "15", "name": "</script><b>", "expected": []}])
    letter(device, b"</script>")
    html = browser(admin).get("/products/sensor/codec/").content.decode()

    assert "<script>alert(1)" not in html
    assert "</textarea><b>" not in html
    assert bench(admin)["published"] == hostile


def trial(user: User, **asked: Any) -> Any:
    body = {"script": GOOD, "frames": [{"payload_base64": "FQ==", "port": 2}]} | asked
    return browser(user).post("/products/sensor/codec/try/", orjson.dumps(body), content_type="application/json")


def test_a_script_is_tried_without_changing_anything(admin: User, product: Product) -> None:
    assert trial(admin).json() == {"answers": [{"reports": [{"ts": None, "values": {"temperature": 21}}], "log": []}]}
    assert trial(admin, script=BAD).json()["answers"][0]["error"]["code"] == "codec_error"
    assert "line 1" in trial(admin, script="function (").json()["problem"]
    assert "Base64" in trial(admin, frames=[{"payload_base64": "?"}]).json()["problem"]
    product.refresh_from_db()
    assert product.codec_script == BAD


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{}", b'{"script": "x"}', b'{"script": "x", "frames": 5}', b'{"script": "function decode() end", "frames": [5]}']
)
def test_a_trial_that_makes_no_sense_is_refused(body: bytes, admin: User, product: Product) -> None:
    assert browser(admin).post("/products/sensor/codec/try/", body, content_type="application/json").status_code == 400


def test_only_admins_try_scripts(viewer: User, stranger: User, product: Product) -> None:
    assert trial(viewer).status_code == 403
    assert trial(stranger).status_code == 404
