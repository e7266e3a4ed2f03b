"""Gateways: what they say for their children, at any depth, and for nobody else's."""

import base64

import pytest

from devices import provisioning
from devices.models import Device, Product
from iotpanel.tenants.models import Tenant
from telemetry.models import DeadLetterRecord
from telemetry.uplink.replay import replay
from tests.make import make_device, make_product, make_tenant

from .talk import reasons, say, stored

pytestmark = pytest.mark.django_db


@pytest.fixture
def gateway(tenant: Tenant, product: Product) -> Device:
    own = make_product(tenant, key="gateway", register_children=True, child_product=product)
    return make_device(product=own, key="gw-1")


@pytest.fixture
def child(product: Product, gateway: Device) -> Device:
    return make_device(product=product, key="child-1", parent=gateway)


def test_each_child_is_judged_on_its_own(gateway: Device, child: Device) -> None:
    outcome = say(gateway, "gateway/telemetry", {child.key: {"temperature": 5}, "child-2": [{"temperature": 6}, {"temperature": "x"}]})
    assert (outcome.stored, outcome.dead_lettered) == (2, 1)
    assert stored(child) == [{"temperature": 5}]
    letter = DeadLetterRecord.objects.get()
    assert (bytes(letter.payload), letter.reason, letter.key) == (b'{"child-2":{"temperature":"x"}}', "bad_value", "child-2")


def test_children_are_registered_where_the_product_says_so(gateway: Device, product: Product) -> None:
    say(gateway, "gateway/telemetry", {"newcomer": {"temperature": 5}})
    newcomer = Device.objects.get(key="newcomer")
    assert (newcomer.parent, newcomer.product, newcomer.tenant) == (gateway, product, gateway.tenant)
    assert newcomer.credentials.count() == 0
    assert stored(newcomer) == [{"temperature": 5}]


def test_elsewhere_an_unknown_child_is_a_dead_letter(device: Device) -> None:
    say(device, "gateway/telemetry", {"newcomer": {"temperature": 5}})
    assert reasons() == ["unknown_child"]
    assert not Device.objects.filter(key="newcomer").exists()


@pytest.mark.parametrize("key", ["", "a/b", "iotpanel-worker", "x" * 300, "<script>", "a\x00"])
def test_a_hostile_child_key_registers_nothing(gateway: Device, key: str) -> None:
    before = Device.objects.count()
    assert say(gateway, "gateway/telemetry", {key: {"temperature": 5}}).dead_lettered == 1
    assert (reasons(), Device.objects.count()) == (["unknown_child"], before)


def test_a_grandchild_speaks_through_the_gateway_above_its_own(gateway: Device, child: Device, product: Product) -> None:
    grandchild = make_device(product=product, key="grandchild", parent=child)
    assert say(gateway, "gateway/telemetry", {"grandchild": {"temperature": 1}}).stored == 1
    assert stored(grandchild) == [{"temperature": 1}]


def test_nobody_speaks_for_a_device_that_is_not_below(gateway: Device, device: Device, child: Device) -> None:
    assert say(gateway, "gateway/telemetry", {device.key: {"temperature": 1}}).dead_lettered == 1
    assert say(child, "gateway/telemetry", {gateway.key: {"temperature": 1}}).dead_lettered == 1
    assert reasons() == ["wrong_device", "wrong_device"]


def test_another_tenants_device_is_not_even_known(gateway: Device) -> None:
    elsewhere = make_tenant()
    foreign = make_device(product=make_product(elsewhere), key="foreign-1")
    say(gateway, "gateway/telemetry", {"foreign-1": {"temperature": 1}})
    assert reasons() == ["unknown_child"]
    assert stored(foreign) == []


def test_events_attributes_and_status_of_children(gateway: Device, child: Device) -> None:
    assert say(gateway, "gateway/events/opened", {child.key: {"params": {"by": "x"}}}).stored == 1
    assert say(gateway, "gateway/attributes", {child.key: {"firmware": "2"}}).stored == 1
    say(gateway, "gateway/status", {child.key: "offline"})
    child.presence.refresh_from_db()
    gateway.presence.refresh_from_db()
    assert (child.presence.online, gateway.presence.online) == (False, True)


def test_a_childs_frame_goes_through_its_products_script(gateway: Device, tenant: Tenant) -> None:
    script = "function decode(payload) return {level = string.byte(payload, 1)} end"
    sensor = make_device(product=make_product(tenant, codec_kind="lua", codec_script=script), key="lua-child", parent=gateway)
    outcome = say(gateway, "gateway/raw", {sensor.key: base64.b64encode(b"\x2a").decode(), "child-9": "not base64"})
    assert (outcome.stored, outcome.dead_lettered) == (1, 1)
    assert stored(sensor) == [{"level": 42}]


@pytest.mark.parametrize(("payload", "reason"), [(b"[1]", "bad_shape"), (b"x", "not_json"), (b'"a"', "bad_shape")])
def test_a_gateways_message_is_an_object_by_child(gateway: Device, payload: bytes, reason: str) -> None:
    say(gateway, "gateway/telemetry", payload)
    assert reasons() == [reason]


def test_a_disabled_child_is_rejected_and_its_siblings_are_not(gateway: Device, child: Device) -> None:
    provisioning.update_device(child, enabled=False)
    outcome = say(gateway, "gateway/telemetry", {child.key: {"temperature": 1}, "child-2": {"temperature": 1}})
    assert (outcome.rejected, outcome.stored) == (1, 1)


def test_an_unknown_child_is_adopted_by_a_replay(device: Device, product: Product) -> None:
    say(device, "gateway/telemetry", {"late-child": {"temperature": 5}, "other": {"temperature": 6}})
    child = make_device(product=product, key="late-child", parent=device)
    assert replay(DeadLetterRecord.objects.filter(key="late-child")) == (1, 0)
    assert stored(child) == [{"temperature": 5}]
    assert DeadLetterRecord.objects.get(replayed_at=None).key == "other"
