"""Devices by their verbs: keys, secrets, gateways, groups, labels, places."""

from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone
from pytest_django import Settings

from devices import provisioning
from devices.credentials import verify_secret
from devices.exceptions import Invalid
from devices.models import Credential, Device, DevicePresence
from devices.secrets import broker_hash, make_secret, matches
from iotpanel.api import handler
from iotpanel.api.errors import ApiError, Conflict
from iotpanel.tenants.models import Tenant
from tests.make import make_device, make_device_with_secret, make_group, make_product

pytestmark = pytest.mark.django_db


def refused(call: Any, *args: Any, **kwargs: Any) -> dict[str, list[str]]:
    with pytest.raises(ValidationError) as caught:
        call(*args, **kwargs)
    return dict(caught.value.message_dict)


def test_a_new_device_has_a_secret_and_a_presence(tenant: Tenant) -> None:
    device, secret = make_device_with_secret(tenant, key="pump-1", labels={"line": "4"}, latitude=52.5, longitude=13.4)
    assert verify_secret("pump-1", secret) == device
    assert device.name == "pump-1"
    assert DevicePresence.objects.get(device=device).last_seen is None
    assert Credential.objects.get(device=device).broker_hash.startswith("$7$")


def test_the_secret_is_not_kept(tenant: Tenant) -> None:
    _device, secret = make_device_with_secret(tenant)
    assert secret not in Credential.objects.get().broker_hash


@pytest.mark.parametrize(
    "key", ["", "设备", "a b", "iotpanel-worker", "IOTPANEL-x", "a" * 65, "a\x00", "a\n", "a/b", "+", "#", "$SYS", None]
)
def test_a_bad_key_is_named(tenant: Tenant, key: Any) -> None:
    assert "key" in refused(make_device, tenant, key=key, name="n")


def test_a_key_is_unique_on_the_platform(tenant: Tenant, other_tenant: Tenant) -> None:
    make_device(tenant, key="pump-1")
    with pytest.raises(Conflict) as caught:
        make_device(other_tenant, key="pump-1")
    assert caught.value.code == "key_taken"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", "\x00"),
        ("name", "x" * 201),
        ("labels", {"a": 5}),
        ("labels", {"": "x"}),
        ("labels", {"a=b": "x"}),
        ("labels", {"a": "x" * 129}),
        ("labels", {"a": "\x00"}),
        ("labels", {f"k{i}": "v" for i in range(33)}),
        ("labels", {"a": "x" * 1_000_000}),
        ("labels", ["a"]),
        ("latitude", 91),
        ("latitude", float("nan")),
        ("latitude", "52"),
        ("longitude", 181),
        ("enabled", "yes"),
    ],
)
def test_a_bad_value_is_named(tenant: Tenant, field: str, value: Any) -> None:
    place = {"latitude": 1.0, "longitude": 1.0} if field in ("latitude", "longitude") else {}
    assert list(refused(make_device, tenant, **place | {field: value})) == [field]


def test_a_location_is_whole(tenant: Tenant) -> None:
    assert "latitude" in refused(make_device, tenant, longitude=13.4)


def test_labels_may_be_in_any_script(tenant: Tenant) -> None:
    assert make_device(tenant, labels={"楼层": "三楼 <b>"}).labels == {"楼层": "三楼 <b>"}


class TestWalls:
    """Nothing of another tenant can be referred to."""

    def test_product(self, tenant: Tenant, other_tenant: Tenant) -> None:
        assert "product" in refused(provisioning.create_device, tenant, key="a", product=make_product(other_tenant))

    def test_gateway(self, tenant: Tenant, other_tenant: Tenant) -> None:
        assert "parent" in refused(make_device, tenant, parent=make_device(other_tenant))

    def test_groups(self, tenant: Tenant, other_tenant: Tenant) -> None:
        assert "groups" in refused(make_device, tenant, groups=[make_group(other_tenant)])

    def test_on_update_too(self, tenant: Tenant, other_tenant: Tenant) -> None:
        device = make_device(tenant)
        wrong = refused(provisioning.update_device, device, product=make_product(other_tenant), groups=[make_group(other_tenant)])
        assert set(wrong) == {"product", "groups"}


class TestGateways:
    def test_children_to_any_depth(self, tenant: Tenant) -> None:
        device = make_device(tenant)
        for _ in range(8):
            device = make_device(tenant, parent=device)
        assert device.parent is not None

    def test_no_circles(self, tenant: Tenant) -> None:
        top = make_device(tenant)
        middle = make_device(tenant, parent=top)
        bottom = make_device(tenant, parent=middle)
        assert "parent" in refused(provisioning.update_device, top, parent=bottom)
        assert "parent" in refused(provisioning.update_device, middle, parent=middle)

    def test_children_stay_without_their_gateway(self, tenant: Tenant) -> None:
        gateway = make_device(tenant)
        child = make_device(tenant, parent=gateway)
        provisioning.delete_device(gateway)
        child.refresh_from_db()
        assert child.parent is None

    def test_a_child_registers_itself(self, tenant: Tenant) -> None:
        kind = make_product(tenant)
        gateway = make_device(tenant, product=make_product(tenant, register_children=True, child_product=kind))
        child = provisioning.register_child(gateway, "meter-1")
        assert (child.tenant, child.parent, child.product, child.name) == (tenant, gateway, kind, "meter-1")
        assert not child.credentials.exists()
        assert DevicePresence.objects.filter(device=child).exists()

    @pytest.mark.parametrize("key", ["", "a b", "设备", "iotpanel-x", "a\x00"])
    def test_a_hostile_child_key_is_an_unknown_child(self, tenant: Tenant, key: str) -> None:
        gateway = make_device(tenant, product=make_product(tenant, register_children=True, child_product=make_product(tenant)))
        with pytest.raises(Invalid) as caught:
            provisioning.register_child(gateway, key)
        assert caught.value.code == "unknown_child"

    def test_a_child_of_somebody_else_is_not_taken_over(self, tenant: Tenant, other_tenant: Tenant) -> None:
        gateway = make_device(tenant, product=make_product(tenant, register_children=True, child_product=make_product(tenant)))
        theirs = make_device(other_tenant, key="meter-1")
        with pytest.raises(Invalid):
            provisioning.register_child(gateway, "meter-1")
        theirs.refresh_from_db()
        assert (theirs.tenant, theirs.parent) == (other_tenant, None)

    def test_only_where_the_product_says_so(self, tenant: Tenant) -> None:
        with pytest.raises(Invalid):
            provisioning.register_child(make_device(tenant), "meter-1")

    def test_a_gateway_gone_mad_is_stopped(self, tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(provisioning, "MAX_REGISTERED_CHILDREN", 2)
        gateway = make_device(tenant, product=make_product(tenant, register_children=True, child_product=make_product(tenant)))
        provisioning.register_child(gateway, "a")
        provisioning.register_child(gateway, "b")
        with pytest.raises(Invalid):
            provisioning.register_child(gateway, "c")


class TestUpdates:
    def test_what_is_not_said_stays(self, tenant: Tenant) -> None:
        group = make_group(tenant)
        device = make_device(tenant, groups=[group], labels={"a": "b"})
        provisioning.update_device(device, name="New")
        device.refresh_from_db()
        assert (device.name, device.labels, list(device.groups.all())) == ("New", {"a": "b"}, [group])

    def test_groups_are_replaced(self, tenant: Tenant) -> None:
        device, new = make_device(tenant, groups=[make_group(tenant)]), make_group(tenant)
        provisioning.update_device(device, groups=[new])
        assert list(device.groups.all()) == [new]

    def test_a_key_is_for_good(self, tenant: Tenant) -> None:
        assert "key" in refused(provisioning.update_device, make_device(tenant), key="other")

    def test_a_stale_copy_writes_its_own_field_only(self, tenant: Tenant) -> None:
        device = make_device(tenant)
        stale = Device.objects.get(pk=device.pk)
        provisioning.update_device(device, name="First")
        provisioning.update_device(stale, enabled=False)
        device.refresh_from_db()
        assert (device.name, device.enabled) == ("First", False)


class TestSecrets:
    def test_are_long_and_different(self) -> None:
        assert len({make_secret() for _ in range(100)}) == 100
        assert len(make_secret()) >= 22  # 128 bits in letters and digits
        assert make_secret().isalnum()

    def test_hash_lines_are_salted_and_match(self) -> None:
        assert broker_hash("a") != broker_hash("a")
        assert matches("a", broker_hash("a"))
        assert not matches("b", broker_hash("a"))

    @pytest.mark.parametrize("line", ["", "x", "$6$1$AA==$AA==", "$7$x$AA==$AA==", "$7$1$AA==", "$7$1$AA==$AA=="])
    def test_other_lines_match_nothing(self, line: str) -> None:
        assert not matches("", line)

    def test_rotation_ends_the_old_one(self, tenant: Tenant) -> None:
        device, old = make_device_with_secret(tenant)
        new = provisioning.rotate_secret(device)
        assert verify_secret(device.key, old) is None
        assert verify_secret(device.key, new) == device
        assert device.credentials.filter(revoked_at=None).count() == 1

    def test_revocation_ends_all(self, tenant: Tenant) -> None:
        device, secret = make_device_with_secret(tenant)
        provisioning.revoke_credentials(device)
        assert verify_secret(device.key, secret) is None
        assert verify_secret(device.key, provisioning.rotate_secret(device)) == device

    def test_a_disabled_device_is_nobody(self, tenant: Tenant) -> None:
        device, secret = make_device_with_secret(tenant)
        provisioning.update_device(device, enabled=False)
        assert verify_secret(device.key, secret) is None

    def test_a_secret_fits_its_device_only(self, tenant: Tenant) -> None:
        _device, secret = make_device_with_secret(tenant)
        other = make_device(tenant)
        assert verify_secret(other.key, secret) is None

    @pytest.mark.parametrize(("key", "secret"), [("", ""), ("nobody", "x"), ("a\x00b", "x"), ("\ud800", "\ud800"), ("键", "秘")])
    def test_nobody_is_let_in(self, key: str, secret: str) -> None:
        assert verify_secret(key, secret) is None

    def test_grace_where_we_check_ourselves(self, tenant: Tenant, settings: Settings) -> None:
        settings.BROKER_DIR = ""
        device, old = make_device_with_secret(tenant)
        new = provisioning.rotate_secret(device, grace=timedelta(hours=1))
        assert verify_secret(device.key, old) == verify_secret(device.key, new) == device
        Credential.objects.filter(device=device).exclude(valid_until=None).update(valid_until=timezone.now() - timedelta(seconds=1))
        assert verify_secret(device.key, old) is None

    def test_revocation_ends_a_grace_too(self, tenant: Tenant, settings: Settings) -> None:
        settings.BROKER_DIR = ""
        device, old = make_device_with_secret(tenant)
        provisioning.rotate_secret(device, grace=timedelta(hours=1))
        provisioning.revoke_credentials(device)
        assert verify_secret(device.key, old) is None

    def test_a_broker_with_a_file_knows_no_grace(self, tenant: Tenant, settings: Settings) -> None:
        settings.BROKER_DIR = "somewhere"
        with pytest.raises(ApiError) as caught:
            provisioning.rotate_secret(make_device(tenant), grace=timedelta(hours=1))
        assert handler.body(caught.value)["code"] == "grace_unsupported"
        assert "grace" in caught.value.details
