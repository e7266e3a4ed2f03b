"""The audit log: who changed what, from where; seen by the tenant's admins and by nobody else."""

from typing import Any

import pytest
from auditlog.models import LogEntry
from django.test import Client

from devices import provisioning
from devices.credentials import rotate_secret
from devices.models import Credential, Device
from iotpanel.tenants.models import ApiKey, Role, Tenant, User
from tests.admin_client import Admin
from tests.make import make_api_key, make_device, make_group, make_member, make_product

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("audited")]


def entries(obj: Any) -> Any:
    return LogEntry.objects.get_for_object(obj).order_by("pk")


class TestWhatIsNoted:
    def test_changes_with_before_and_after(self, tenant: Tenant) -> None:
        device = make_device(tenant, name="Before")
        provisioning.update_device(device, name="After")
        created, changed = entries(device)
        assert created.action == LogEntry.Action.CREATE
        assert changed.changes == {"name": ["Before", "After"]}
        assert changed.additional_data == {"tenant": tenant.pk}

    def test_groups(self, tenant: Tenant) -> None:
        device, group = make_device(tenant), make_group(tenant, name="Hall")
        provisioning.update_device(device, groups=[group])
        assert entries(device).last().changes["groups"]["objects"] == ["Hall"]

    def test_deletion_keeps_the_tenant(self, tenant: Tenant) -> None:
        device = make_device(tenant, name="Gone")
        provisioning.delete_device(device)
        entry = LogEntry.objects.get(action=LogEntry.Action.DELETE, object_repr="Gone")
        assert entry.additional_data == {"tenant": tenant.pk}

    def test_no_secret_is_ever_in_it(self, tenant: Tenant, owner: User) -> None:
        device = make_device(tenant)
        secret = rotate_secret(device)
        api_key, key, signing_secret = make_api_key(tenant)
        owner.set_password("a new long password")
        owner.save()
        kept = " ".join(str(entry.changes) + str(entry.serialized_data) for entry in LogEntry.objects.all())
        hidden = [secret, key, signing_secret, owner.password, ApiKey.objects.get(pk=api_key.pk).digest]
        hidden += list(Credential.objects.values_list("broker_hash", flat=True))
        assert [text for text in hidden if text in kept] == []

    def test_what_changes_by_itself_is_no_history(self, tenant: Tenant, owner: User) -> None:
        api_key, _key, _secret = make_api_key(tenant)
        before = LogEntry.objects.count()
        api_key.last_used_at = "2026-01-01T00:00Z"
        api_key.save()
        owner.last_login = "2026-01-01T00:00Z"
        owner.save()
        assert LogEntry.objects.count() == before


class TestWhoDidIt:
    def test_in_the_admin(self, tenant: Tenant, owner: User) -> None:
        device = make_device(tenant)
        Admin(owner).act(Device, "disable", device)
        entry = entries(device).last()
        assert (entry.actor, entry.remote_addr) == (owner, "127.0.0.1")

    def test_by_the_api_with_a_users_token(self, tenant: Tenant, owner: User, client: Client) -> None:
        sent = {"username": "olga", "password": "correct horse battery"}
        token = client.post("/api/v1/auth/token/", sent, content_type="application/json").json()["token"]
        make_product(tenant, key="room")
        body = {"key": "pump-1", "name": "Pump", "product": "room"}
        headers = {"authorization": f"Bearer {token}"}
        assert client.post("/api/v1/devices/", body, content_type="application/json", headers=headers).status_code == 201
        assert entries(Device.objects.get(key="pump-1")).first().actor == owner

    def test_by_the_api_with_a_key(self, tenant: Tenant, client: Client) -> None:
        api_key, key, _secret = make_api_key(tenant, role="admin")
        make_product(tenant, key="room")
        body = {"key": "pump-1", "name": "Pump", "product": "room"}
        headers = {"authorization": f"Bearer {key}"}
        assert client.post("/api/v1/devices/", body, content_type="application/json", headers=headers).status_code == 201
        entry = entries(Device.objects.get(key="pump-1")).first()
        assert (entry.actor, entry.actor_email) == (None, f"API key {api_key.prefix}")

    def test_the_address_is_not_the_clients_word(self, tenant: Tenant, owner: User) -> None:
        device, admin = make_device(tenant), Admin(owner)
        admin.client.post(
            admin.address(Device),
            {"action": "disable", "_selected_action": [device.pk], "confirmed": "yes"},
            headers={"x-forwarded-for": "6.6.6.6"},
        )
        assert entries(device).last().remote_addr == "127.0.0.1"

    def test_nothing_sticks_to_the_next_one(self, tenant: Tenant, owner: User) -> None:
        Admin(owner).act(Device, "disable", make_device(tenant))
        assert entries(make_device(tenant)).first().actor is None


class TestWhoSeesIt:
    def test_admins_of_the_tenant(self, tenant: Tenant, other_tenant: Tenant) -> None:
        make_device(tenant, name="Mine")
        make_device(other_tenant, name="Theirs")
        page = Admin(make_member(tenant, Role.ADMIN)).list(LogEntry).content.decode()
        assert "Mine" in page
        assert "Theirs" not in page

    def test_no_one_below(self, tenant: Tenant, viewer: User) -> None:
        assert Admin(viewer).list(LogEntry).status_code == 403
        assert Admin(make_member(tenant, Role.OPERATOR)).list(LogEntry).status_code == 403

    def test_a_strangers_entry_is_not_there(self, tenant: Tenant, stranger: User) -> None:
        assert Admin(stranger).open(entries(make_device(tenant)).first()).status_code == 404

    def test_nobody_writes_it(self, tenant: Tenant, owner: User, superuser: User) -> None:
        entry = entries(make_device(tenant)).first()
        for person in (owner, superuser):
            assert Admin(person).change(entry, object_repr="x").status_code == 403
            assert Admin(person).delete(entry).status_code == 403

    def test_each_record_has_its_history(self, tenant: Tenant, viewer: User) -> None:
        device = make_device(tenant, name="Before")
        provisioning.update_device(device, name="<b>After</b>")
        page = Admin(viewer).open(device, "history").content.decode()
        assert "Before" in page
        assert "&lt;b&gt;After" in page

    def test_the_first_page_shows_what_was_changed_last(self, tenant: Tenant, owner: User, viewer: User) -> None:
        make_device(tenant, name="Newest")
        assert "Newest" in Admin(owner).client.get("/admin/").content.decode()
        assert "Newest" not in Admin(viewer).client.get("/admin/").content.decode()
