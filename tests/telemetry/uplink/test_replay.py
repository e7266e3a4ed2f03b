"""Replay: what was mended is stored at its first time, once; what was not keeps its letter."""

from datetime import timedelta

import pytest
from django.utils import timezone

from devices import products
from devices.models import Device, Product
from iotpanel.tenants.models import Tenant
from telemetry.models import DeadLetterRecord, ReportRow
from telemetry.uplink.memory import memory
from telemetry.uplink.replay import replay
from tests.make import make_device, make_product

from .talk import reasons, say, stored

pytestmark = pytest.mark.django_db


def widen(product: Product) -> None:
    products.update_product(product, thing_model={"properties": [{"key": "temperature", "type": "number"}]})
    memory().directory.forget()


def test_a_mended_letter_is_stored_at_its_first_time(product: Product, device: Device) -> None:
    say(device, "telemetry", {"temperature": 900})
    letter = DeadLetterRecord.objects.get()
    widen(product)
    assert replay(DeadLetterRecord.objects.all()) == (1, 0)
    assert ReportRow.objects.get().at == letter.received_at
    letter.refresh_from_db()
    assert letter.replayed_at is not None


def test_a_second_replay_does_nothing(product: Product, device: Device) -> None:
    say(device, "telemetry", {"temperature": 900})
    widen(product)
    replay(DeadLetterRecord.objects.all())
    assert replay(DeadLetterRecord.objects.all()) == (0, 0)
    assert len(stored(device)) == 1


def test_what_is_still_bad_keeps_its_letter_with_the_new_reason(product: Product, device: Device) -> None:
    say(device, "telemetry", {"temperature": 900})
    products.update_product(product, thing_model={"properties": [{"key": "temperature", "type": "text"}]})
    memory().directory.forget()
    assert replay(DeadLetterRecord.objects.all()) == (0, 1)
    assert reasons() == ["bad_value"]


def test_one_entry_of_a_list_does_not_touch_its_neighbours(product: Product, device: Device) -> None:
    say(device, "telemetry", [{"temperature": 1}, {"temperature": 900}, {"temperature": 2}, {"temperature": 901}])
    before = stored(device)
    widen(product)
    assert replay(DeadLetterRecord.objects.all()) == (2, 0)
    assert [values["temperature"] for values in stored(device)] == [1, 900, 2, 901]
    assert len(before) == 2


def test_a_frame_is_decoded_again_by_the_corrected_script(tenant: Tenant) -> None:
    product = make_product(tenant, codec_kind="lua", codec_script='function decode() error("not yet") end')
    device = make_device(product=product)
    say(device, "raw", b"\x05")
    assert reasons() == ["codec_error"]
    products.update_product(product, codec_script="function decode(p) return {level = string.byte(p)} end")
    memory().directory.forget()
    assert replay(DeadLetterRecord.objects.all()) == (1, 0)
    assert stored(device) == [{"level": 5}]


def test_only_the_bad_report_of_a_frame_comes_again(tenant: Tenant) -> None:
    script = "function decode() return {{values={a=1}}, {values={a=900}}} end"
    model = {"properties": [{"key": "a", "type": "number", "max": 10}]}
    product = make_product(tenant, codec_kind="lua", codec_script=script, thing_model=model)
    device = make_device(product=product)
    outcome = say(device, "raw", b"\x05")
    assert (outcome.stored, outcome.dead_lettered) == (1, 1)
    assert DeadLetterRecord.objects.get().index == 1
    products.update_product(product, thing_model={})
    memory().directory.forget()
    assert replay(DeadLetterRecord.objects.all()) == (1, 0)
    assert [values["a"] for values in stored(device)] == [1, 900]


def test_a_replay_says_nothing_about_presence(product: Product, device: Device) -> None:
    say(device, "telemetry", {"temperature": 900})
    long_ago = timezone.now() - timedelta(days=1)
    type(device.presence).objects.filter(pk=device.pk).update(online=False, last_seen=long_ago)
    widen(product)
    replay(DeadLetterRecord.objects.all())
    device.presence.refresh_from_db()
    assert (device.presence.online, device.presence.last_seen) == (False, long_ago)
