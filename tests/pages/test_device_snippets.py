"""Programs to paste: right for every product, and safe whatever stands in its thing model."""

import ast
import json
import re
import shlex

import pytest
from django.test import RequestFactory
from pytest_django.fixtures import Settings

from devices import endpoint
from devices.endpoint import endpoint_of, only_here
from devices.models import Device
from devices.snippets import Endpoint, arduino, example, message_for, snippets
from devices.thing_model import Property
from iotpanel.tenants.models import Tenant
from tests import make

HERE = Endpoint("broker.example", 1883, "https://panel.example")
HOSTILE = "a'b\"c\\$(id)`id`°\n"
LUA = "function decode(payload) return {n = #payload} end"


def device_of(tenant: Tenant, **product: object) -> Device:
    return make.make_device(tenant, key="pump-1", product=make.make_product(tenant, **product))


def text_of(device: Device, kind: str, secret: str | None = "s3cret") -> str:
    return next(snippet.text for snippet in snippets(device, HERE, secret) if snippet.kind == kind)


def words_of(line: str) -> list[str]:
    """The words that a shell sees; lines that end with a backslash go on."""
    return shlex.split(line.replace("\\\n", ""))


def model(*properties: dict[str, object]) -> dict[str, object]:
    return {"properties": list(properties)}


def test_mosquitto_pub_is_one_command_with_everything(tenant: Tenant) -> None:
    device = device_of(tenant, thing_model=model({"key": "level", "name": "Level", "type": "number", "min": 0, "max": 4}))
    words = words_of(text_of(device, "mosquitto"))
    assert words == [
        *("mosquitto_pub", "-h", "broker.example", "-p", "1883", "-q", "1", "-u", "pump-1", "-P", "s3cret"),
        *("-t", "devices/pump-1/up/telemetry", "-m", '{"level": 2.0}'),
    ]


def test_curl_posts_to_the_device_door(tenant: Tenant) -> None:
    words = words_of(text_of(device_of(tenant), "curl"))
    assert words[-1] == "https://panel.example/api/v1/device/telemetry"
    assert "pump-1:s3cret" in words
    assert json.loads(words[words.index("-d") + 1]) == {"temperature": 21.5}


def test_python_is_python(tenant: Tenant) -> None:
    device = device_of(tenant, thing_model=model({"key": "on", "name": "On", "type": "boolean"}))
    program = text_of(device, "python")
    ast.parse(program)
    assert "json.dumps({'on': True})" in program


def test_without_a_secret_there_is_a_placeholder(tenant: Tenant) -> None:
    for snippet in snippets(device_of(tenant), HERE):
        assert "PUT-THE-SECRET-HERE" in snippet.text


def test_hostile_names_stay_data_in_every_language(tenant: Tenant) -> None:
    device = device_of(tenant, thing_model=model({"key": HOSTILE.strip(), "name": "x", "type": "text", "enum": [HOSTILE]}))
    expected = {HOSTILE.strip(): HOSTILE}
    mosquitto, curl = (words_of(text_of(device, kind)) for kind in ("mosquitto", "curl"))
    assert json.loads(mosquitto[mosquitto.index("-m") + 1]) == expected
    assert json.loads(curl[curl.index("-d") + 1]) == expected
    calls = [node for node in ast.walk(ast.parse(text_of(device, "python"))) if isinstance(node, ast.Call)]
    dumped = next(call.args[0] for call in calls if ast.unparse(call.func) == "json.dumps")
    assert ast.literal_eval(dumped) == expected
    sketch = text_of(device, "arduino")
    line = next(line for line in sketch.splitlines() if "payload = " in line)
    literal = line.split("= ", 1)[1].removesuffix(";")
    assert json.loads(ast.literal_eval(f"b{literal}").decode()) == expected


def test_a_lua_product_sends_the_frame_of_its_first_sample(tenant: Tenant) -> None:
    samples = [{"hex": "01ff27", "port": 5, "expected": [{"values": {"n": 3}}]}]
    device = device_of(tenant, codec_kind="lua", codec_script=LUA, codec_samples=samples)
    message = message_for(device)
    assert (message.topic, message.frame) == ("devices/pump-1/up/raw/5", b"\x01\xff'")
    assert text_of(device, "mosquitto").startswith(r"printf '\001\377\047' | mosquitto_pub")
    assert text_of(device, "curl").rstrip().endswith("https://panel.example/api/v1/device/raw/5")
    assert "bytes.fromhex('01 ff 27')" in text_of(device, "python")
    assert "{0x01, 0xff, 0x27}" in text_of(device, "arduino")
    ast.parse(text_of(device, "python"))


@pytest.mark.parametrize(
    ("prop", "value"),
    [
        (Property("a", "a"), 21.5),
        (Property("a", "a", min=50), 50),
        (Property("a", "a", max=-12), -12),
        (Property("a", "a", min=-40, max=-12), -26),
        (Property("a", "a", "text", enum=("x", "y")), "x"),
        (Property("a", "a", "boolean"), True),
        (Property("a", "a", "json"), {"a": 1}),
    ],
)
def test_an_example_is_a_value_that_the_property_accepts(prop: Property, value: object) -> None:
    assert example(prop) == value


def test_the_sketch_holds_its_strings(tenant: Tenant) -> None:
    message = message_for(device_of(tenant))
    sketch = arduino("pump-1", HERE, message, 'a"b')
    assert 'SECRET = "a\\"b";' in sketch
    assert 'setServer("broker.example", 1883)' in sketch
    assert "%%" not in sketch


@pytest.mark.parametrize("size", [10, 5_000])
def test_the_sketch_has_room_for_its_message(tenant: Tenant, size: int) -> None:
    message = message_for(device_of(tenant))._replace(values=None, frame=bytes(size))
    found = re.search(r"setBufferSize\((\d+)\)", arduino("pump-1", HERE, message, "secret"))

    assert found and int(found[1]) >= max(1024, size + len(message.topic) + 7)  # a header of 5 bytes, the topic's length in 2


def asked(host: str) -> Endpoint:
    return endpoint_of(RequestFactory().get("/", HTTP_HOST=host))


def test_the_address_is_the_one_of_the_settings(settings: Settings) -> None:
    settings.ALLOWED_HOSTS = ["*"]
    settings.MQTT_HOST, settings.MQTT_PORT = "mqtt.example", 8883
    assert asked("panel.example:8000") == Endpoint("mqtt.example", 8883, "http://panel.example:8000")
    assert not only_here()


def test_without_settings_it_is_the_name_that_the_browser_used(settings: Settings) -> None:
    settings.ALLOWED_HOSTS = ["*"]
    settings.MQTT_HOST, settings.BIND = "", "0.0.0.0"
    assert asked("panel.lan:8000").host == "panel.lan"
    assert asked("[fe80::1]:8000").host == "fe80::1"


def test_a_browser_on_the_machine_itself_learns_the_networks_name(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(endpoint, "own_address", lambda: "192.168.1.5")
    settings.ALLOWED_HOSTS = ["*"]
    settings.MQTT_HOST, settings.BIND, settings.MQTT_PORT = "", "0.0.0.0", 1883
    assert asked("localhost:8000") == Endpoint("192.168.1.5", 1883, "http://192.168.1.5:8000")
    settings.BIND = "127.0.0.1"
    assert asked("localhost:8000").host == "localhost"
    assert only_here()
