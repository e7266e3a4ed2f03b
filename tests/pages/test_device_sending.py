"""Sending a message as a device: the real uplink, and what became of it in words."""

import pytest
from django.test import Client

from devices import provisioning
from devices.models import Device
from iotpanel.pages.device.sending import hex_bytes
from iotpanel.tenants.models import Role, Tenant, User
from telemetry import attributes, latest
from telemetry.models import DeadLetterRecord, Event, LedgerEntry
from telemetry.uplink.memory import memory
from tests import make

from .device_data import make_cold_room

LUA = """
function decode(payload, topic, meta)
  if #payload < 2 then error("two bytes are needed") end
  return {temperature = string.unpack(">i2", payload) / 100, port = meta.port}
end
"""


@pytest.fixture
def device(tenant: Tenant) -> Device:
    return make_cold_room(tenant)


@pytest.fixture
def signed_in(client: Client, tenant: Tenant) -> Client:
    client.force_login(make.make_member(tenant, Role.OPERATOR))
    return client


def send(client: Client, device: Device, **sent: str) -> str:
    return client.post(f"/devices/{device.key}/connect/send/", sent).content.decode()


def test_telemetry_is_stored_and_shown(signed_in: Client, device: Device) -> None:
    page = send(signed_in, device, kind="telemetry", payload='{"temperature": -18.24, "door": false}')
    assert "Stored 1 report in" in page
    assert "Temperature −18.2 °C" in page
    assert "Door off" in page
    assert latest.read([device.pk])[device.pk]["temperature"][0] == -18.24


def test_a_list_is_several_reports(signed_in: Client, device: Device) -> None:
    page = send(signed_in, device, kind="telemetry", payload='[{"ts": 1790000000000, "values": {"temperature": 1}}, {"temperature": 2}]')
    assert "Stored 2 reports in" in page


def test_attributes_and_events(signed_in: Client, device: Device) -> None:
    assert "Stored 1 report" in send(signed_in, device, kind="attributes", payload='{"firmware": "1.2"}')
    assert attributes.read(device.pk)["reported"]["firmware"][0] == "1.2"
    assert "Stored 1 report" in send(signed_in, device, kind="event", name="opened", payload='{"params": {"by": "key"}}')
    assert Event.objects.get(device_id=device.pk).params == {"by": "key"}


def test_raw_bytes_pass_the_codec(signed_in: Client, tenant: Tenant) -> None:
    device = make_cold_room(tenant, product=make.make_product(tenant, codec_kind="lua", codec_script=LUA))
    assert "Stored 1 report" in send(signed_in, device, kind="raw", encoding="hex", port="7", payload="0x09 c4")
    values = latest.read([device.pk])[device.pk]
    assert (values["temperature"][0], values["port"][0]) == (25, 7)
    page = send(signed_in, device, kind="raw", encoding="hex", payload="01")
    assert "codec_error" in page
    assert "two bytes are needed" in page
    assert send(signed_in, device, kind="raw", encoding="text", payload="AB").count("Stored 1 report") == 1


def test_a_dead_letter_says_why_and_is_kept(signed_in: Client, device: Device) -> None:
    page = send(signed_in, device, kind="telemetry", payload='{"temperature": 99}')
    assert "out_of_range" in page
    assert "above 60" in page
    letter = DeadLetterRecord.objects.get()
    assert (letter.source, letter.device) == ("page", device)


def test_a_heartbeat_a_duplicate_and_a_disabled_device(signed_in: Client, device: Device) -> None:
    assert "Heard: nothing to store" in send(signed_in, device, kind="telemetry", payload="{}")
    twice = '{"ts": 1790000000000, "values": {"temperature": 1}}'
    send(signed_in, device, kind="telemetry", payload=twice)
    assert "Duplicate" in send(signed_in, device, kind="telemetry", payload=twice)
    provisioning.update_device(device, enabled=False)
    memory().directory.forget()  # a committed change says so itself
    assert "This device is disabled." in send(signed_in, device, kind="telemetry", payload='{"temperature": 1}')


@pytest.mark.parametrize(
    "sent",
    [
        {},
        {"kind": "nonsense", "payload": "{}"},
        {"kind": "event", "name": "a/b", "payload": "{}"},
        {"kind": "event", "name": "", "payload": "{}"},
        {"kind": "raw", "port": "-1", "payload": "00"},
        {"kind": "raw", "port": "x/y", "payload": "00"},
        {"kind": "raw", "encoding": "hex", "payload": "abc"},
        {"kind": "raw", "encoding": "hex", "payload": "zz"},
        {"kind": "telemetry", "payload": "x" * 1_048_577},
    ],
)
def test_what_cannot_be_sent_says_why_and_sends_nothing(signed_in: Client, device: Device, sent: dict[str, str]) -> None:
    answer = signed_in.post(f"/devices/{device.key}/connect/send/", sent)
    assert answer.status_code == 422
    assert "Not sent" in answer.content.decode()
    assert not LedgerEntry.objects.exists()


def test_hostile_bytes_come_back_as_text(signed_in: Client, device: Device) -> None:
    page = send(signed_in, device, kind="telemetry", payload='{"<script>alert(1)</script>": "<img src=x>"}')
    assert "<script>" not in page
    assert "<img" not in page


def test_a_message_goes_to_this_device_only(client: Client, stranger: User, device: Device) -> None:
    client.force_login(stranger)
    assert client.post(f"/devices/{device.key}/connect/send/", {"kind": "telemetry", "payload": '{"temperature": 1}'}).status_code == 404
    assert not latest.read([device.pk])


@pytest.mark.parametrize("text", ["01 ff", "01ff", "01:FF", "0x01, 0xff", "01-ff\n"])
def test_hex_as_people_paste_it(text: str) -> None:
    assert hex_bytes(text) == b"\x01\xff"
