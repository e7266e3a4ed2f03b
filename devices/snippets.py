"""Programs that send a first message: complete, filled with this device's address, key and a value that it may send."""

import json
import shlex
from base64 import b64decode
from typing import Any, NamedTuple

from devices.models import Device, Product
from devices.models.product import CodecKind
from devices.thing_model import Property
from devices.thing_model_parser import parse_or_empty
from devices.topics import up

PLACEHOLDER = "PUT-THE-SECRET-HERE"
VALUES = 3  # properties in the message of an example


class Endpoint(NamedTuple):
    """Where devices reach us: the broker's host and port, and the address of the web."""

    host: str
    port: int
    web: str


class Message(NamedTuple):
    """What an example sends: JSON values, or the bytes of a frame."""

    topic: str
    path: str
    values: dict[str, Any] | None
    frame: bytes


class Snippet(NamedTuple):
    """One program. `name` is what its tab says."""

    kind: str
    name: str
    text: str


def message_for(device: Device) -> Message:
    """A message that the device's product accepts."""
    if device.product.codec_kind == CodecKind.LUA:
        frame, port = sample_frame(device.product)
        rest = ["raw"] if port is None else ["raw", str(port)]
        return Message(up(device.key, *rest), "/".join(["/api/v1/device", *rest]), None, frame)
    return Message(up(device.key, "telemetry"), "/api/v1/device/telemetry", sample_values(device.product), b"")


def sample_values(product: Product) -> dict[str, Any]:
    """A few values that the thing model allows."""
    known = list(parse_or_empty(product.thing_model).properties.values())
    return {prop.key: example(prop) for prop in known[:VALUES]} or {"temperature": 21.5}


def example(prop: Property) -> Any:
    """A value that the property accepts."""
    if prop.enum:
        return prop.enum[0]
    if prop.type == "number":
        return _within(21.5, prop)
    return {"boolean": True, "text": "ok"}.get(prop.type, {"a": 1})


def _within(value: float, prop: Property) -> float:
    if prop.min is not None and prop.max is not None and not prop.min <= value <= prop.max:
        value = (prop.min + prop.max) / 2
    value = max(value, prop.min) if prop.min is not None else value
    value = min(value, prop.max) if prop.max is not None else value
    return round(value, prop.precision) if prop.precision is not None and prop.precision > 0 else value


def sample_frame(product: Product) -> tuple[bytes, int | None]:
    """The first frame that is saved with the product's codec, with its port; else one byte of nothing."""
    for sample in product.codec_samples:
        if text := sample.get("hex"):
            return bytes.fromhex(text), sample.get("port")
        if text := sample.get("payload_base64"):
            return b64decode(text), sample.get("port")
    return b"\x01", None


def snippets(device: Device, endpoint: Endpoint, secret: str | None = None) -> list[Snippet]:
    """The programs, in the order of their tabs; with a placeholder where the secret is not at hand."""
    message, word = message_for(device), secret or PLACEHOLDER
    return [
        Snippet("mosquitto", "mosquitto_pub", mosquitto(device.key, endpoint, message, word)),
        Snippet("python", "Python", python(device.key, endpoint, message, word)),
        Snippet("arduino", "ESP32 / Arduino", arduino(device.key, endpoint, message, word)),
        Snippet("curl", "curl", curl(device.key, endpoint, message, word)),
    ]


def _json(values: dict[str, Any]) -> str:
    return json.dumps(values, ensure_ascii=False)


def _printf(frame: bytes) -> str:
    """Bytes for any shell's printf: octal, because not every one knows `\\x`."""
    return "printf '" + "".join(f"\\{byte:03o}" for byte in frame) + "'"


def mosquitto(key: str, endpoint: Endpoint, message: Message, secret: str) -> str:
    """A line for the shell."""
    where = f"-h {shlex.quote(endpoint.host)} -p {endpoint.port} -q 1 \\\n  -u {shlex.quote(key)} -P {shlex.quote(secret)}"
    topic = f"-t {shlex.quote(message.topic)}"
    if message.values is None:
        return f"{_printf(message.frame)} | mosquitto_pub {where} \\\n  {topic} -s"
    return f"mosquitto_pub {where} \\\n  {topic} \\\n  -m {shlex.quote(_json(message.values))}"


def curl(key: str, endpoint: Endpoint, message: Message, secret: str) -> str:
    """A line for the shell, for devices that speak HTTP."""
    address = shlex.quote(endpoint.web + message.path)
    account = f"-u {shlex.quote(f'{key}:{secret}')}"
    if message.values is None:
        kind = "-H 'Content-Type: application/octet-stream'"
        return f"{_printf(message.frame)} | curl --fail-with-body {account} \\\n  {kind} --data-binary @- \\\n  {address}"
    kind = "-H 'Content-Type: application/json'"
    return f"curl --fail-with-body {account} \\\n  {kind} \\\n  -d {shlex.quote(_json(message.values))} \\\n  {address}"


def python(key: str, endpoint: Endpoint, message: Message, secret: str) -> str:
    """A program for Python 3 with paho-mqtt 2."""
    payload = f"bytes.fromhex({message.frame.hex(' ')!r})" if message.values is None else f"json.dumps({message.values!r})"
    lines = [
        '# pip install "paho-mqtt>=2"',
        *([] if message.values is None else ["import json", ""]),
        "import paho.mqtt.client as mqtt",
        "",
        "client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2)",
        f"client.username_pw_set({key!r}, {secret!r})",
        f"client.connect({endpoint.host!r}, {endpoint.port})",
        "client.loop_start()",
        f"message = client.publish({message.topic!r}, {payload}, qos=1)",
        "message.wait_for_publish(10)",
        'print("sent" if message.is_published() else "not sent: is the secret right?")',
        "client.disconnect()",
    ]
    return "\n".join(lines)


def _c_string(text: str) -> str:
    """A C string literal; what is not ASCII as octal bytes of UTF-8."""
    plain = {'"': '\\"', "\\": "\\\\"}
    return '"' + "".join(plain.get(chr(byte), chr(byte)) if 32 <= byte < 127 else f"\\{byte:03o}" for byte in text.encode()) + '"'


def arduino(key: str, endpoint: Endpoint, message: Message, secret: str) -> str:
    """A sketch for an ESP32 with the PubSubClient library."""
    if message.values is None:
        payload = f"  const uint8_t payload[] = {{{', '.join(f'0x{byte:02x}' for byte in message.frame)}}};"
        publish = "client.publish(TOPIC, payload, sizeof(payload))"
    else:
        payload = f"  const char* payload = {_c_string(_json(message.values))};"
        publish = "client.publish(TOPIC, payload)"
    return _SKETCH % {
        "key": _c_string(key),
        "secret": _c_string(secret),
        "host": _c_string(endpoint.host),
        "port": endpoint.port,
        "topic": _c_string(message.topic),
        "payload": payload,
        "publish": publish,
        "room": _room(message),
    }


def _room(message: Message) -> int:
    """Bytes that the library's buffer needs for the whole packet; it has 256, and says of a longer one only that it was not sent."""
    body = message.frame if message.values is None else _json(message.values).encode()
    return max(1024, len(message.topic.encode()) + len(body) + 16)


_SKETCH = """\
// Board: ESP32. Library: PubSubClient by Nick O'Leary
#include <WiFi.h>
#include <PubSubClient.h>

const char* WIFI_NAME = "your Wi-Fi";
const char* WIFI_PASSWORD = "its password";
const char* KEY = %(key)s;
const char* SECRET = %(secret)s;
const char* TOPIC = %(topic)s;

WiFiClient network;
PubSubClient client(network);

void setup() {
  Serial.begin(115200);
  WiFi.begin(WIFI_NAME, WIFI_PASSWORD);
  while (WiFi.status() != WL_CONNECTED) delay(250);
  client.setServer(%(host)s, %(port)d);
  client.setBufferSize(%(room)d);
}

void loop() {
  if (!client.connected() && !client.connect(KEY, KEY, SECRET)) {
    Serial.printf("not connected: %%d\\n", client.state());
    delay(5000);
    return;
  }
%(payload)s
  if (!%(publish)s) Serial.println("not sent");
  for (int i = 0; i < 600; i++) { client.loop(); delay(100); }  // one message a minute
}
"""
