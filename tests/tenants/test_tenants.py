"""Tenants by their verbs, and the filter that keeps them apart."""

from pathlib import Path

import pytest
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import ValidationError
from django.core.management import call_command
from pytest_django import Settings

from devices.models import Device, Group, Product
from iotpanel.api.errors import Conflict
from iotpanel.tenants.models import ApiKey, Membership, Tenant, User
from iotpanel.tenants.tenants import delete_tenant, update_tenant
from tests.make import make_api_key, make_device, make_group, make_member, make_product, make_tenant

pytestmark = pytest.mark.django_db


def test_a_key_is_taken_once() -> None:
    make_tenant(key="acme")
    with pytest.raises(Conflict) as caught:
        make_tenant(key="acme")
    assert caught.value.code == "key_taken"


def test_problems_are_named() -> None:
    with pytest.raises(ValidationError) as caught:
        make_tenant(key="a b", name="")
    assert set(caught.value.message_dict) == {"key", "name"}


def test_update(tenant: Tenant) -> None:
    update_tenant(tenant, name="New name")
    assert Tenant.objects.get(pk=tenant.pk).name == "New name"
    with pytest.raises(ValidationError):
        update_tenant(tenant, key="new")


def test_a_tenant_goes_with_everything_in_it(tenant: Tenant, other_tenant: Tenant) -> None:
    site = make_group(tenant)
    gateway = make_device(tenant, groups=[make_group(tenant, parent=site)])
    make_device(tenant, parent=gateway, product=make_product(tenant, register_children=True, child_product=make_product(tenant)))
    make_api_key(tenant)
    make_member(tenant)
    stays = make_device(other_tenant)
    delete_tenant(tenant)
    assert list(Device.objects.all()) == [stays]
    assert not Group.objects.exists()
    assert list(Product.objects.all()) == [stays.product]
    assert not ApiKey.objects.exists()
    assert not Membership.objects.exists()


class TestTheFilter:
    def test_each_sees_their_own(self, tenant: Tenant, other_tenant: Tenant, viewer: User, stranger: User) -> None:
        mine, theirs = make_device(tenant), make_device(other_tenant)
        assert list(Device.objects.for_user(viewer)) == [mine]
        assert list(Device.objects.for_user(stranger)) == [theirs]
        assert list(Tenant.objects.for_user(viewer)) == [tenant]

    def test_a_superuser_sees_all(self, tenant: Tenant, superuser: User) -> None:
        make_device(tenant)
        assert Device.objects.for_user(superuser).count() == 1

    def test_nobody_sees_nothing(self, tenant: Tenant, owner: User) -> None:
        make_device(tenant)
        owner.is_active = False
        for person in (owner, AnonymousUser()):
            assert not Device.objects.for_user(person).exists()  # type: ignore[arg-type]
            assert not Tenant.objects.for_user(person).exists()  # type: ignore[arg-type]


class TestFirstUser:
    @pytest.fixture(autouse=True)
    def home(self, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        settings.IOTPANEL_HOME = tmp_path / "home"
        monkeypatch.delenv("IOTPANEL_ADMIN_PASSWORD", raising=False)
        return tmp_path / "home"

    def test_makes_the_owner_of_the_first_tenant(self, home: Path) -> None:
        call_command("first_user")
        admin = User.objects.get(username="admin")
        assert admin.is_superuser
        assert Membership.objects.get(user=admin, tenant__key="default").role == "owner"
        assert admin.check_password((home / "admin-password").read_text().strip())

    def test_the_password_is_for_its_owner_only(self, home: Path) -> None:
        call_command("first_user")
        assert (home / "admin-password").stat().st_mode & 0o777 == 0o600

    def test_again_changes_nothing(self, home: Path) -> None:
        call_command("first_user")
        before = (home / "admin-password").read_text(), User.objects.get(username="admin").password
        call_command("first_user")
        assert ((home / "admin-password").read_text(), User.objects.get(username="admin").password) == before

    def test_a_password_that_was_changed_stays(self, home: Path) -> None:
        call_command("first_user")
        admin = User.objects.get(username="admin")
        admin.set_password("changed by a person")
        admin.save()
        call_command("first_user")
        admin.refresh_from_db()
        assert admin.check_password("changed by a person")

    def test_the_environment_sets_it(self, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        call_command("first_user")
        monkeypatch.setenv("IOTPANEL_ADMIN_PASSWORD", "from the environment")
        call_command("first_user")
        assert User.objects.get(username="admin").check_password("from the environment")
        assert (home / "admin-password").read_text().strip() == "from the environment"
