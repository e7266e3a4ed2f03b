"""Devices in the admin: each role sees and does what is theirs, strangers find nothing, secrets are shown once."""

import html
import json
import re
import shlex
from typing import Any

import pytest
from django.contrib.messages import get_messages

from devices.credentials import verify_secret
from devices.models import Device, DevicePresence
from iotpanel.tenants.models import Membership, Role, Tenant, User
from tests.admin_client import Admin, errors_of
from tests.make import make_device, make_device_with_secret, make_group, make_member, make_product

pytestmark = pytest.mark.django_db
HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>"


def values(tenant: Tenant, **overrides: Any) -> dict[str, Any]:
    """What the form of a new device sends."""
    return {"tenant": tenant.pk, "key": "pump-1", "name": "Pump", "labels": "[]", "enabled": "on"} | overrides


def secret_in(response: Any) -> str:
    found = re.search(r"data-secret>([A-Za-z0-9]{32})<", response.content.decode())
    assert found
    return found[1]


class TestTheList:
    def test_shows_the_tenants_own(self, tenant: Tenant, owner: User, other_tenant: Tenant) -> None:
        make_device(tenant, name="Mine")
        make_device(other_tenant, name="Theirs")
        page = Admin(owner).list(Device).content.decode()
        assert "Mine" in page
        assert "Theirs" not in page

    def test_a_superuser_sees_all_and_may_choose(self, tenant: Tenant, other_tenant: Tenant, superuser: User) -> None:
        make_device(tenant, name="Mine")
        make_device(other_tenant, name="Theirs")
        admin = Admin(superuser)
        both = admin.list(Device).content.decode()
        assert "Mine" in both
        assert "Theirs" in both
        chosen = admin.list(Device, tenant__id__exact=tenant.pk).content.decode()
        assert "Mine" in chosen
        assert "Theirs" not in chosen

    def test_names_are_text(self, tenant: Tenant, owner: User) -> None:
        product = make_product(tenant, name=HOSTILE)
        gateway = make_device(tenant, name=HOSTILE, product=product, groups=[make_group(tenant, name=HOSTILE)])
        make_device(tenant, parent=gateway, product=product, labels={"a": HOSTILE})
        admin = Admin(owner)
        for page in (admin.list(Device), admin.open(gateway), admin.open(gateway, "history"), admin.open(gateway, "delete")):
            text = page.content.decode()
            assert "<script>alert" not in text
            assert "<img src=x" not in text
            assert "&lt;script&gt;alert" in text

    def test_presence(self, tenant: Tenant, owner: User) -> None:
        device = make_device(tenant)
        make_device(tenant, enabled=False)
        DevicePresence.objects.filter(device=device).update(online=True, last_seen="2026-01-01T00:00Z")
        page = Admin(owner).list(Device).content.decode()
        assert 'data-state="online"' in page
        assert 'data-state="disabled"' in page

    @pytest.mark.parametrize(
        ("query", "found"),
        [
            ({"presence": "online"}, {"on"}),
            ({"presence": "offline"}, {"off"}),
            ({"presence": "never_seen"}, {"new"}),
            ({"presence": "disabled"}, {"gone"}),
            ({"label": "line=4"}, {"on"}),
            ({"label": "line"}, {"on", "off"}),
            ({"label": "\x00"}, {"on", "off", "new", "gone"}),
            ({"credentials": "no"}, {"new"}),
            ({"q": "OFF"}, {"off"}),
            ({"group": "x"}, set()),
        ],
    )
    def test_filters(self, tenant: Tenant, owner: User, query: dict[str, str], found: set[str]) -> None:
        product, _group = make_product(tenant), make_group(tenant)
        make_device(tenant, key="on", product=product, labels={"line": "4"})
        make_device(tenant, key="off", product=product, labels={"line": "5"})
        make_device(tenant, key="new", product=product).credentials.update(revoked_at="2026-01-01T00:00Z")
        make_device(tenant, key="gone", product=product, enabled=False)
        DevicePresence.objects.filter(device__key="on").update(online=True, last_seen="2026-01-01T00:00Z")
        DevicePresence.objects.filter(device__key="off").update(last_seen="2026-01-01T00:00Z")
        response: Any = Admin(owner).list(Device, **query)
        assert {device.key for device in response.context["cl"].result_list} == found

    def test_a_group_is_searched_with_all_below_it(self, tenant: Tenant, owner: User, other_tenant: Tenant) -> None:
        site = make_group(tenant)
        device = make_device(tenant, groups=[make_group(tenant, parent=site)])
        make_device(tenant)
        admin = Admin(owner)
        found: Any = admin.list(Device, group=site.pk)
        assert list(found.context["cl"].result_list) == [device]
        foreign: Any = admin.list(Device, group=make_group(other_tenant).pk)
        assert not foreign.context["cl"].result_list

    def test_its_queries_do_not_grow_with_it(self, tenant: Tenant, owner: User, django_assert_max_num_queries: Any) -> None:
        product, group = make_product(tenant), make_group(tenant)
        gateway = make_device(tenant, product=product)
        for _ in range(30):
            make_device(tenant, product=product, parent=gateway, groups=[group])
        admin = Admin(owner)
        admin.list(Device)
        with django_assert_max_num_queries(25):
            admin.list(Device)


class TestWhoMayWhat:
    def test_a_stranger_finds_nothing(self, tenant: Tenant, stranger: User) -> None:
        device, secret = make_device_with_secret(tenant)
        admin = Admin(stranger)
        assert admin.open(device).status_code == 404
        assert admin.open(device, "history").status_code == 404
        assert admin.change(device, name="Mine now").status_code == 404
        assert admin.delete(device).status_code == 404
        assert admin.press(device, "rotate").status_code in (403, 404)
        assert admin.press(device, "revoke").status_code in (403, 404)
        for action in ("enable", "disable", "rotate_many", "revoke_many", "delete_selected", "export_chosen"):
            admin.act(Device, action, device)
        device.refresh_from_db()
        assert device.enabled
        assert verify_secret(device.key, secret) == device

    @pytest.mark.parametrize("role", [Role.VIEWER, Role.OPERATOR])
    def test_viewers_and_operators_only_look(self, tenant: Tenant, role: Role) -> None:
        device, secret = make_device_with_secret(tenant, name="Before")
        admin = Admin(make_member(tenant, role))
        assert admin.open(device).status_code == 200
        assert admin.open(device, "history").status_code == 200
        assert admin.change(device, **values(tenant, name="After")).status_code == 403
        assert admin.add(Device, **values(tenant)).status_code == 403
        assert admin.delete(device).status_code == 403
        assert admin.press(device, "rotate").status_code == 403
        assert admin.press(device, "revoke").status_code == 403
        for action in ("disable", "rotate_many", "revoke_many", "delete_selected"):
            admin.act(Device, action, device)
        device.refresh_from_db()
        assert (device.name, device.enabled) == ("Before", True)
        assert verify_secret(device.key, secret) == device

    def test_a_role_counts_in_its_tenant_only(self, tenant: Tenant, other_tenant: Tenant, stranger: User) -> None:
        """Owner elsewhere and viewer here: bulk actions that mix both change what is theirs."""
        Membership.objects.create(user=stranger, tenant=tenant, role=Role.VIEWER)
        here, there = make_device(tenant), make_device(other_tenant)
        admin = Admin(stranger)
        admin.act(Device, "disable", here, there)
        here.refresh_from_db()
        there.refresh_from_db()
        assert (here.enabled, there.enabled) == (True, False)
        assert admin.change(here, **values(tenant, name="x")).status_code == 403
        admin.act(Device, "delete_selected", here, there, post="yes")
        assert list(Device.objects.all()) == [here]

    def test_without_a_tenant_there_is_no_admin(self, stranger: User) -> None:
        stranger.memberships.all().delete()
        admin = Admin(stranger)
        assert admin.client.get("/admin/", follow=True).status_code == 403

    def test_nobody_is_sent_to_sign_in(self, client: Any) -> None:
        response = client.get(Admin.address(Device), follow=True)
        assert response.redirect_chain[-1][0].startswith("/accounts/login/")


class TestTheForm:
    def test_a_new_device_shows_its_secret_once(self, tenant: Tenant, owner: User) -> None:
        product = make_product(tenant)
        response = Admin(owner).add(Device, **values(tenant, product=product.pk))
        assert "no-store" in response["Cache-Control"]
        assert verify_secret("pump-1", secret_in(response)) == Device.objects.get(key="pump-1")
        again = Admin(owner).open(Device.objects.get(key="pump-1")).content.decode()
        assert secret_in(response) not in again

    def test_the_first_message_to_try_is_one_that_the_product_accepts(self, tenant: Tenant, owner: User) -> None:
        """The same line as on the Connect page, for the shell and for HTML; after a rotation too."""
        hostile = "a'b<script>"
        words = {"properties": [{"key": "mode", "name": "Mode", "type": "text", "enum": [hostile]}]}
        device = make_device(tenant, key="pump-2", product=make_product(tenant, thing_model=words))
        added = Admin(owner).add(Device, **values(tenant, product=device.product.pk))
        for key, response in (("pump-1", added), ("pump-2", Admin(owner).press(device, "rotate", post="yes"))):
            page = response.content.decode()
            assert hostile not in page
            found = re.search(r'<pre class="snippet-block">(.*?)</pre>', page, re.DOTALL)
            assert found
            line = shlex.split(html.unescape(found[1]).replace("\\\n", ""))
            assert line[line.index("-t") + 1] == f"devices/{key}/up/telemetry"
            assert json.loads(line[line.index("-m") + 1]) == {"mode": hostile}
            assert verify_secret(key, line[line.index("-P") + 1]) is not None

    def test_everything_at_once(self, tenant: Tenant, owner: User) -> None:
        gateway, group = make_device(tenant), make_group(tenant)
        sent = values(tenant, product=gateway.product.pk, parent=gateway.pk, groups=[group.pk], latitude="52.5", longitude="13.4")
        Admin(owner).add(Device, **(sent | {"labels": '[{"key": "line", "value": "4"}]'}))
        device = Device.objects.get(key="pump-1")
        assert (device.parent, list(device.groups.all()), device.labels) == (gateway, [group], {"line": "4"})
        assert (device.latitude, device.longitude) == (52.5, 13.4)

    def test_a_taken_key_is_said_at_the_key(self, tenant: Tenant, owner: User, other_tenant: Tenant) -> None:
        make_device(other_tenant, key="pump-1")
        assert "key" in errors_of(Admin(owner).add(Device, **values(tenant, product=make_product(tenant).pk)))

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("key", "设备"),
            ("key", "iotpanel-x"),
            ("labels", '[{"key": "a", "value": "b"}, {"key": "a", "value": "c"}]'),
            ("labels", '[{"key": "", "value": "b"}]'),
            ("labels", "{"),
            ("labels", '{"a": "b"}'),
            ("labels", "[1]"),
            ("labels", '[{"key": "a", "value": 5}]'),
            ("labels", '[{"key": "a", "value": "' + "x" * 1_000_000 + '"}]'),
            ("labels", "[" * 100_000),
            ("labels", '[{"key": "a", "value": "\\u0000"}]'),
            ("latitude", "91"),
        ],
    )
    def test_what_is_wrong_is_said_at_its_field(self, tenant: Tenant, owner: User, field: str, value: str) -> None:
        sent = values(tenant, product=make_product(tenant).pk, longitude="1", latitude="1") | {field: value}
        assert list(errors_of(Admin(owner).add(Device, **sent))) == [field]
        assert not Device.objects.exists()

    def test_a_foreign_product_cannot_be_chosen(self, tenant: Tenant, owner: User, other_tenant: Tenant) -> None:
        sent = values(tenant, product=make_product(other_tenant).pk)
        assert list(errors_of(Admin(owner).add(Device, **sent))) == ["product"]

    def test_a_foreign_tenant_cannot_be_chosen(self, tenant: Tenant, owner: User, other_tenant: Tenant) -> None:
        sent = values(other_tenant, product=make_product(tenant).pk)
        assert list(errors_of(Admin(owner).add(Device, **sent))) == ["tenant"]

    def test_foreign_gateways_and_groups_cannot_be_chosen(self, tenant: Tenant, owner: User, other_tenant: Tenant) -> None:
        device = make_device(tenant)
        foreign = {"parent": make_device(other_tenant).pk, "groups": [make_group(other_tenant).pk]}
        sent = values(tenant, product=device.product.pk) | foreign
        assert set(errors_of(Admin(owner).change(device, **sent))) == {"parent", "groups"}

    def test_even_a_superuser_cannot_mix_tenants(self, tenant: Tenant, superuser: User, other_tenant: Tenant) -> None:
        sent = values(tenant, product=make_product(other_tenant).pk)
        assert list(errors_of(Admin(superuser).add(Device, **sent))) == ["product"]

    def test_circles_are_said_at_the_gateway(self, tenant: Tenant, owner: User) -> None:
        top = make_device(tenant)
        bottom = make_device(tenant, parent=top)
        assert list(errors_of(Admin(owner).change(top, **values(tenant, product=top.product.pk, parent=bottom.pk)))) == ["parent"]

    def test_key_and_tenant_are_for_good(self, tenant: Tenant, owner: User, other_tenant: Tenant) -> None:
        device = make_device(tenant, key="before")
        assert Admin(owner).change(device, **values(other_tenant, key="after", product=device.product.pk)).status_code == 302
        device.refresh_from_db()
        assert (device.key, device.tenant, device.name) == ("before", tenant, "Pump")

    def test_autocomplete_offers_the_tenants_own(self, tenant: Tenant, owner: User, other_tenant: Tenant) -> None:
        mine, _theirs = make_product(tenant), make_product(other_tenant)
        query = {"app_label": "devices", "model_name": "device", "field_name": "product"}
        found = Admin(owner).client.get("/admin/autocomplete/", query).json()["results"]
        assert [item["id"] for item in found] == [str(mine.pk)]

    def test_autocomplete_offers_products_by_name(self, tenant: Tenant, owner: User) -> None:
        for name in ("Valve", "Pump", "Tank"):
            make_product(tenant, name=name)
        query = {"app_label": "devices", "model_name": "device", "field_name": "product"}
        found = Admin(owner).client.get("/admin/autocomplete/", query).json()["results"]
        assert [item["text"] for item in found] == ["Pump", "Tank", "Valve"]


class TestCredentials:
    def test_rotation_asks_first(self, tenant: Tenant, owner: User) -> None:
        device, secret = make_device_with_secret(tenant)
        admin = Admin(owner)
        address = admin.address(device, "change", device.pk).removesuffix("change/") + "rotate/"
        for asked in (admin.client.get(address), admin.client.post(address)):
            assert "confirmed" in asked.content.decode()
        assert verify_secret(device.key, secret) == device

    def test_rotation_shows_the_new_one_once(self, tenant: Tenant, owner: User) -> None:
        device, old = make_device_with_secret(tenant)
        response = Admin(owner).press(device, "rotate")
        assert "no-store" in response["Cache-Control"]
        assert not list(get_messages(response.wsgi_request))  # type: ignore[attr-defined]
        assert verify_secret(device.key, old) is None
        assert verify_secret(device.key, secret_in(response)) == device

    def test_revocation(self, tenant: Tenant, owner: User) -> None:
        device, secret = make_device_with_secret(tenant)
        assert Admin(owner).press(device, "revoke").status_code == 302
        assert verify_secret(device.key, secret) is None

    def test_many_new_ones_as_csv(self, tenant: Tenant, owner: User) -> None:
        devices = [make_device(tenant, key=key) for key in ("b", "a")]
        response = Admin(owner).act(Device, "rotate_many", *devices)
        head, *lines = response.content.decode().splitlines()
        assert head == "username,secret"
        assert "no-store" in response["Cache-Control"]
        for line, key in zip(lines, ("a", "b"), strict=True):
            name, secret = line.split(",")
            assert verify_secret(name, secret) == Device.objects.get(key=key)

    def test_many_are_asked_before(self, tenant: Tenant, owner: User) -> None:
        device, secret = make_device_with_secret(tenant)
        for action in ("rotate_many", "revoke_many", "disable"):
            assert "confirmed" in Admin(owner).act(Device, action, device, confirmed="").content.decode()
        device.refresh_from_db()
        assert device.enabled
        assert verify_secret(device.key, secret) == device


class TestManyAtOnce:
    def test_enable_and_disable(self, tenant: Tenant, owner: User) -> None:
        devices = [make_device(tenant) for _ in range(3)]
        Admin(owner).act(Device, "disable", *devices)
        assert not Device.objects.filter(enabled=True).exists()
        Admin(owner).act(Device, "enable", *devices[:2])
        assert Device.objects.filter(enabled=True).count() == 2

    def test_move_to_group(self, tenant: Tenant, owner: User, other_tenant: Tenant) -> None:
        old, new, device = make_group(tenant), make_group(tenant), make_device(tenant)
        device.groups.set([old])
        Admin(owner).act(Device, "move_to_group", device, choice=new.pk)
        assert list(device.groups.all()) == [new]
        Admin(owner).act(Device, "move_to_group", device, choice=make_group(other_tenant).pk)
        assert list(device.groups.all()) == [new]
        Admin(owner).act(Device, "move_to_group", device)
        assert list(device.groups.all()) == []

    def test_set_product(self, tenant: Tenant, owner: User, other_tenant: Tenant) -> None:
        device, product = make_device(tenant), make_product(tenant)
        Admin(owner).act(Device, "set_product", device, choice=make_product(other_tenant).pk)
        Admin(owner).act(Device, "set_product", device)
        device.refresh_from_db()
        assert device.product != product
        Admin(owner).act(Device, "set_product", device, choice=product.pk)
        device.refresh_from_db()
        assert device.product == product

    def test_delete(self, tenant: Tenant, owner: User) -> None:
        devices = [make_device(tenant) for _ in range(3)]
        Admin(owner).act(Device, "delete_selected", *devices[:2], post="yes")
        assert list(Device.objects.all()) == devices[2:]
