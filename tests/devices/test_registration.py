"""Self-registration: a product's secret, the list, the queue, and that nobody gets more than their own device."""

from typing import Any

import pytest
from auditlog.models import LogEntry
from django.core.exceptions import ValidationError

from devices import provisioning
from devices.credentials import verify_secret
from devices.enrolment import policies, serials
from devices.enrolment.registration import Registered, register
from devices.models import Device, DevicePresence, Product, Serial
from iotpanel.api.errors import ApiError, Conflict
from iotpanel.tenants.models import Tenant
from tests.make import make_device, make_product

pytestmark = pytest.mark.django_db


class Line:
    """A product of the home tenant whose devices register themselves."""

    def __init__(self, tenant: Tenant, **policy: Any) -> None:
        self.product = make_product(tenant, key="climate")
        policies.set_policy(self.product, **{"mode": "open", **policy})
        self.secret = policies.new_product_secret(self.product)

    def ask(self, serial: Any = "SN-1", secret: str = "", product: str = "home/climate") -> Registered:
        found = register(product, secret or self.secret, serial, address="192.0.2.7")
        assert found is not None, "waits for approval"
        return found

    def refused(self, *args: Any, **kwargs: Any) -> str:
        with pytest.raises(ApiError) as caught:
            self.ask(*args, **kwargs)
        return caught.value.code

    def row(self, serial: str = "SN-1") -> Serial:
        found: Serial = Serial.objects.get(serial=serial)
        return found


@pytest.fixture
def line(tenant: Tenant) -> Line:
    return Line(tenant)


def heard(device: Device) -> None:
    DevicePresence.objects.filter(device=device).update(last_seen=device.created_at)


def test_a_device_gets_credentials_of_its_own(line: Line, tenant: Tenant) -> None:
    device, secret = line.ask()

    assert (device.key, device.tenant, device.product) == ("SN-1", tenant, line.product)
    assert verify_secret("SN-1", secret) == device
    assert secret != line.secret
    assert (line.row().state, line.row().address, line.row().device) == ("registered", "192.0.2.7", device)


def test_it_may_ask_again_until_its_credentials_are_used(line: Line) -> None:
    device, first = line.ask()
    again, second = line.ask()

    assert again == device
    assert verify_secret("SN-1", first) is None
    assert verify_secret("SN-1", second) == device
    heard(device)
    assert line.refused() == "already_registered"
    assert verify_secret("SN-1", second) == device


def test_a_registered_device_is_let_in_again_after_a_factory_reset(line: Line) -> None:
    device, old = line.ask()
    heard(device)

    serials.let_in_again(line.row())
    again, new = line.ask()

    assert again == device
    assert verify_secret("SN-1", old) is None
    assert verify_secret("SN-1", new) == device
    assert line.refused() == "already_registered"


@pytest.mark.parametrize(
    ("product", "secret"),
    [("home/climate", "wrong"), ("elsewhere/climate", ""), ("home/other", ""), ("climate", ""), ("", ""), ("home/", "")],
)
def test_a_wrong_secret_and_an_unknown_product_are_told_the_same(line: Line, product: str, secret: str) -> None:
    assert line.refused(product=product, secret=secret) == "wrong_secret"
    assert not Device.objects.exists()


def test_without_a_secret_nothing_matches(tenant: Tenant) -> None:
    product = make_product(tenant, key="bare")
    policies.set_policy(product, mode="open")
    for secret in ("", "x"):
        with pytest.raises(ApiError) as caught:
            register("home/bare", secret, "SN-1")
        assert caught.value.code == "wrong_secret"


def test_a_new_secret_ends_the_old_one_and_leaves_the_devices_alone(line: Line) -> None:
    device, own = line.ask()
    old = line.secret
    line.secret = policies.new_product_secret(line.product)

    assert line.refused("SN-2", secret=old) == "wrong_secret"
    assert verify_secret("SN-1", own) == device
    assert line.ask("SN-2").device.key == "SN-2"


def test_a_closed_product_takes_nobody(line: Line) -> None:
    policies.set_policy(line.product, mode="closed")
    assert line.refused() == "registration_closed"


def test_a_list_takes_its_serial_numbers_only(line: Line) -> None:
    policies.set_policy(line.product, mode="listed")
    serials.list_serials(line.product, ["SN-1"])

    assert line.ask("SN-1").device.key == "SN-1"
    assert line.refused("SN-2") == "serial_unknown"
    assert Device.objects.count() == 1


def test_another_product_s_list_does_not_count(line: Line, tenant: Tenant) -> None:
    policies.set_policy(line.product, mode="listed")
    serials.list_serials(make_product(tenant, key="other"), ["SN-1"])
    assert line.refused("SN-1") == "serial_unknown"


def test_what_needs_approval_waits(line: Line) -> None:
    policies.set_policy(line.product, approval=True)

    assert register("home/climate", line.secret, "SN-1") is None
    assert register("home/climate", line.secret, "SN-1") is None
    assert (line.row().state, Device.objects.count()) == ("pending", 0)

    serials.approve(line.row())
    assert line.ask().device.key == "SN-1"
    assert line.row().state == "registered"


def test_the_denied_are_refused_until_they_are_approved(line: Line) -> None:
    policies.set_policy(line.product, approval=True)
    register("home/climate", line.secret, "SN-1")
    serials.deny(line.row())

    assert line.refused() == "serial_denied"
    serials.approve(line.row())
    assert line.ask().device.key == "SN-1"


def test_a_registered_device_cannot_be_denied_but_is_deleted_or_disabled(line: Line) -> None:
    line.ask()
    with pytest.raises(Conflict) as caught:
        serials.deny(line.row())
    assert caught.value.code == "wrong_state"


def test_a_deleted_device_does_not_come_back_by_itself(line: Line) -> None:
    provisioning.delete_device(line.ask().device)
    assert line.refused() == "already_registered"
    serials.remove(line.row())
    assert line.ask().device.key == "SN-1"


def test_an_open_product_takes_so_many_and_no_more(line: Line) -> None:
    policies.set_policy(line.product, max_devices=2)
    line.ask("SN-1")
    line.ask("SN-2")
    assert line.refused("SN-3") == "too_many_devices"
    assert line.ask("SN-1").device.key == "SN-1"


def test_a_key_that_another_device_has_is_not_taken_over(line: Line, other_tenant: Tenant) -> None:
    foreign = make_device(other_tenant, key="SN-1")
    assert line.refused("SN-1") == "key_taken"
    foreign.refresh_from_db()
    assert foreign.tenant == other_tenant


def test_a_device_made_by_hand_is_not_taken_over(line: Line, tenant: Tenant) -> None:
    make_device(tenant, key="SN-1", product=line.product)
    assert line.refused("SN-1") == "key_taken"


def test_keys_are_made_by_the_template(line: Line) -> None:
    policies.set_policy(line.product, key_template="acme-{serial}")
    assert line.ask("24:0A:C4:00:01:10").device.key == "acme-24-0A-C4-00-01-10"


@pytest.mark.parametrize("serial", ["", " ", "a b", "../x", "+", "#", "a/b", "x" * 65, "设备", "a\n", None, 7, "iotpanel-x"])
def test_a_hostile_serial_number_is_no_key(line: Line, serial: Any) -> None:
    with pytest.raises(ValidationError) as caught:
        line.ask(serial)
    assert "serial" in caught.value.message_dict
    assert not Serial.objects.exists()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("mode", "any"),
        ("approval", "yes"),
        ("key_template", "acme"),
        ("key_template", "{serial}{serial}"),
        ("key_template", "a/{serial}"),
        ("key_template", "iotpanel-{serial}"),
        ("max_devices", 0),
        ("secret_hash", "x"),
    ],
)
def test_a_bad_policy_is_refused(line: Line, field: str, value: Any) -> None:
    with pytest.raises(ValidationError) as caught:
        policies.set_policy(line.product, **{field: value})
    assert field in caught.value.message_dict


def test_a_list_is_added_to_and_says_what_is_no_serial_number(line: Line) -> None:
    assert serials.list_serials(line.product, ["A", "B", "A"]) == (2, 0)
    assert serials.list_serials(line.product, serials.read_csv("serial,note\nB,x\nC,y\n\n")) == (1, 1)
    with pytest.raises(ValidationError) as caught:
        serials.list_serials(line.product, ["D", "=cmd()", "E F"])
    assert "2: '=cmd()'" in caught.value.message_dict["serials"][0]
    assert set(Serial.objects.values_list("serial", flat=True)) == {"A", "B", "C"}


@pytest.mark.usefixtures("audited")
def test_everything_is_in_the_audit_log_and_no_secret(line: Line) -> None:
    _device, secret = line.ask()
    entries = list(LogEntry.objects.all())
    kinds = {entry.content_type.model for entry in entries}
    text = " ".join(f"{entry.changes}" for entry in entries)

    assert {"registrationpolicy", "serial", "device", "credential"} <= kinds
    assert all(entry.additional_data["tenant"] == line.product.tenant_id for entry in entries if entry.content_type.model == "serial")
    assert secret not in text
    assert line.secret not in text
    assert "$7$" not in text


def test_a_deleted_product_takes_its_list_along(line: Line) -> None:
    serials.list_serials(line.product, ["A"])
    Product.objects.filter(pk=line.product.pk).delete()
    assert not Serial.objects.exists()
