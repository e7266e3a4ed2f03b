"""Tenants, members, keys and people in the admin."""

import re
from typing import Any

import pytest
from django.contrib import admin as django_admin
from django.urls import reverse

from devices.models import Device
from iotpanel.tenants import api_keys
from iotpanel.tenants.models import ApiKey, Membership, Role, Tenant, User
from iotpanel.tenants.permissions import role_of
from tests.admin_client import Admin, errors_of
from tests.make import PASSWORD, make_api_key, make_device, make_member

pytestmark = pytest.mark.django_db


class TestTenants:
    def test_only_superusers_make_them(self, owner: User, superuser: User) -> None:
        assert Admin(owner).add(Tenant, key="new", name="New").status_code == 403
        assert Admin(superuser).add(Tenant, key="new", name="New").status_code == 302
        assert list(errors_of(Admin(superuser).add(Tenant, key="new", name="New"))) == ["key"]

    def test_an_owner_sees_and_names_their_own(self, tenant: Tenant, owner: User, other_tenant: Tenant) -> None:
        response: Any = Admin(owner).list(Tenant)
        assert list(response.context["cl"].result_list) == [tenant]
        assert Admin(owner).open(other_tenant).status_code == 404
        assert Admin(owner).change(tenant, name="Renamed").status_code == 302
        assert Tenant.objects.get(pk=tenant.pk).name == "Renamed"

    def test_an_admin_does_not(self, tenant: Tenant) -> None:
        assert Admin(make_member(tenant, Role.ADMIN)).change(tenant, name="Renamed").status_code == 403

    def test_deletion_takes_everything(self, tenant: Tenant, owner: User) -> None:
        make_device(tenant)
        Admin(owner).delete(tenant)
        assert not Device.objects.exists()


class TestMembers:
    def values(self, tenant: Tenant, **overrides: Any) -> dict[str, Any]:
        return {"tenant": tenant.pk, "username": "nina", "email": "", "password": PASSWORD, "role": "viewer"} | overrides

    def test_an_owner_adds_people(self, tenant: Tenant, owner: User) -> None:
        assert Admin(owner).add(Membership, **self.values(tenant)).status_code == 302
        nina = User.objects.get(username="nina")
        assert role_of(nina, tenant) == Role.VIEWER
        assert nina.check_password(PASSWORD)

    def test_not_into_other_tenants(self, tenant: Tenant, owner: User, other_tenant: Tenant) -> None:
        assert list(errors_of(Admin(owner).add(Membership, **self.values(other_tenant)))) == ["tenant"]

    def test_an_admin_only_looks(self, tenant: Tenant) -> None:
        admin = Admin(make_member(tenant, Role.ADMIN))
        assert admin.list(Membership).status_code == 200
        assert admin.add(Membership, **self.values(tenant)).status_code == 403

    def test_a_viewer_does_not_even(self, viewer: User) -> None:
        assert Admin(viewer).list(Membership).status_code == 403

    def test_nobody_makes_themselves_owner(self, tenant: Tenant, viewer: User) -> None:
        mine = Membership.objects.get(user=viewer)
        for role in Role:
            Membership.objects.filter(pk=mine.pk).update(role=role)
            if role != Role.OWNER:
                assert Admin(viewer).change(mine, role="owner").status_code == 403

    def test_weak_passwords_are_said_at_the_password(self, tenant: Tenant, owner: User) -> None:
        assert list(errors_of(Admin(owner).add(Membership, **self.values(tenant, password="short")))) == ["password"]

    def test_the_last_owner_stays(self, tenant: Tenant, owner: User) -> None:
        mine = Membership.objects.get(user=owner)
        assert Admin(owner).change(mine, role="viewer").status_code == 200
        Admin(owner).delete(mine)
        Admin(owner).act(Membership, "delete_selected", mine, post="yes")
        assert role_of(owner, tenant) == Role.OWNER

    def test_others_can_be_removed(self, tenant: Tenant, owner: User, viewer: User) -> None:
        Admin(owner).delete(Membership.objects.get(user=viewer))
        assert role_of(viewer, tenant) is None


class TestKeys:
    def values(self, tenant: Tenant, **overrides: Any) -> dict[str, Any]:
        return {"tenant": tenant.pk, "name": "Service", "role": "operator", "scopes": "readings:read, devices:read"} | overrides

    def test_shown_once(self, tenant: Tenant) -> None:
        admin = Admin(make_member(tenant, Role.ADMIN))
        response = admin.add(ApiKey, **self.values(tenant))
        assert "no-store" in response["Cache-Control"]
        key, signing_secret = re.findall(r"data-secret>([^<]+)<", response.content.decode())
        api_key = ApiKey.objects.get()
        assert api_keys.find(key) == api_key
        assert api_key.scopes == ["devices:read", "readings:read"]
        for page in (admin.open(api_key), admin.list(ApiKey), admin.open(api_key, "history")):
            assert key not in page.content.decode()
            assert signing_secret not in page.content.decode()

    def test_none_above_ones_own_role(self, tenant: Tenant) -> None:
        admin = Admin(make_member(tenant, Role.ADMIN))
        assert list(errors_of(admin.add(ApiKey, **self.values(tenant, role="owner")))) == ["role"]
        api_key, _key, _secret = make_api_key(tenant, role="admin")
        assert list(errors_of(admin.change(api_key, **self.values(tenant, role="owner")))) == ["role"]

    def test_wrong_scopes_are_said(self, tenant: Tenant, owner: User) -> None:
        assert list(errors_of(Admin(owner).add(ApiKey, **self.values(tenant, scopes="everything")))) == ["scopes"]

    def test_the_wall(self, tenant: Tenant, stranger: User, viewer: User) -> None:
        api_key, key, _secret = make_api_key(tenant)
        assert Admin(stranger).open(api_key).status_code == 404
        assert Admin(stranger).delete(api_key).status_code == 404
        assert list(errors_of(Admin(stranger).add(ApiKey, **self.values(tenant)))) == ["tenant"]
        assert Admin(viewer).list(ApiKey).status_code == 403
        assert api_keys.find(key)

    def test_deletion_revokes(self, tenant: Tenant, owner: User) -> None:
        api_key, key, _secret = make_api_key(tenant)
        Admin(owner).delete(api_key)
        assert api_keys.find(key) is None


class TestTheSite:
    def test_people_are_the_superusers(self, owner: User, superuser: User) -> None:
        assert Admin(owner).list(User).status_code == 403
        assert Admin(superuser).list(User).status_code == 200

    def test_every_page_opens_for_a_superuser_and_so_does_all_of_the_sidebar(self, superuser: User) -> None:
        admin, opened = Admin(superuser), set()
        for model, each in django_admin.site._registry.items():
            meta = model._meta
            address = reverse(f"admin:{meta.app_label}_{meta.model_name}_changelist")
            assert admin.client.get(address).status_code == 200, address
            opened.add(address)
            if not hasattr(each, "add_role") or each.add_role is not None:
                expected = 403 if meta.app_label == "axes" else 200
                assert admin.client.get(f"{address}add/").status_code == expected, address
        self.sidebar_leads_where_one_may_go(admin, opened, links=31)

    def test_no_page_but_ones_own_opens_for_a_viewer_and_the_sidebar_has_no_other(self, viewer: User) -> None:
        admin, opened = Admin(viewer), {}
        for model in django_admin.site._registry:
            response = admin.list(model)
            assert response.status_code in (200, 403)
            if response.status_code == 200:
                opened[admin.address(model)] = model._meta.model_name
        fleet = {"device", "product", "group", "command", "job", "firmware", "serial", "devicecertificate"}
        fleet |= {"claim", "registrationpolicy", "shadow"}
        outside = {"forwarder", "channel", "outboxitem", "delivery"}
        logic = {"rule", "alarm", "maintenance", "rotation", "notice"}
        assert set(opened.values()) == fleet | outside | logic | {"deadletterrecord", "replayrun", "reprocessrun", "tenant"}
        self.sidebar_leads_where_one_may_go(admin, set(opened), links=23)

    def sidebar_leads_where_one_may_go(self, admin: Admin, opened: set[str], links: int) -> None:
        """Each of its links is a list that has opened before, or opens now."""
        response: Any = admin.client.get("/admin/")
        addresses = [item["link"] for group in response.context["sidebar_navigation"] for item in group["items"]]
        assert len(addresses) == links
        assert all(admin.client.get(address).status_code == 200 for address in set(addresses[1:]) - opened)

    def test_search_finds_ones_own(self, tenant: Tenant, owner: User, other_tenant: Tenant) -> None:
        make_device(tenant, name="Pump of mine")
        make_device(other_tenant, name="Pump of theirs")
        page = Admin(owner).client.get("/admin/search/", {"s": "pump", "extended": "1"}).content.decode()
        assert "Pump of mine" in page
        assert "Pump of theirs" not in page

    def test_signing_out(self, owner: User) -> None:
        admin = Admin(owner)
        assert admin.client.get("/admin/logout/").status_code == 405
        admin.client.post("/admin/logout/")
        assert admin.client.get("/admin/").status_code == 302
