"""Members by their verbs: a tenant keeps an owner, people keep their accounts."""

from typing import Any

import pytest
from django.core.exceptions import ValidationError

from iotpanel.api.errors import Conflict
from iotpanel.tenants import members
from iotpanel.tenants.models import Membership, Role, Tenant, User
from iotpanel.tenants.permissions import may, role_of
from tests.make import PASSWORD, make_member, make_superuser, make_user

pytestmark = pytest.mark.django_db


def refused(call: Any, *args: Any, **kwargs: Any) -> dict[str, list[str]]:
    with pytest.raises(ValidationError) as caught:
        call(*args, **kwargs)
    return dict(caught.value.message_dict)


def test_a_new_person_gets_an_account(tenant: Tenant) -> None:
    member = members.add_member(tenant, username="nina", role="operator", email="nina@example.com", password=PASSWORD)
    assert (member.role, member.user.email) == ("operator", "nina@example.com")
    assert member.user.check_password(PASSWORD)
    assert not member.user.is_staff
    assert not member.user.is_superuser


def test_without_a_password_only_sign_on_works(tenant: Tenant) -> None:
    assert not members.add_member(tenant, username="nina", role="viewer").user.has_usable_password()


def test_somebody_elses_password_cannot_be_set_by_adding_them(tenant: Tenant, stranger: User) -> None:
    assert "username" in refused(members.add_member, tenant, username="sam", role="viewer", password="another long password")
    stranger.refresh_from_db()
    assert stranger.check_password(PASSWORD)


def test_who_has_an_account_keeps_it(tenant: Tenant, stranger: User) -> None:
    assert members.add_member(tenant, username="sam", role="viewer").user == stranger
    assert stranger.memberships.count() == 2


def test_once_only(tenant: Tenant, viewer: User) -> None:
    with pytest.raises(Conflict) as caught:
        members.add_member(tenant, username="viktor", role="admin")
    assert caught.value.code == "already_member"
    assert role_of(viewer, tenant) == Role.VIEWER


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("role", {"role": "king"}),
        ("role", {"role": None}),
        ("username", {"username": ""}),
        ("username", {"username": "<script>"}),
        ("username", {"username": "a\x00"}),
        ("username", {"username": "x" * 151}),
        ("email", {"email": "nobody"}),
        ("password", {"password": "short"}),
        ("password", {"password": "nina-nina-1"}),
    ],
)
def test_a_bad_value_is_named(tenant: Tenant, field: str, values: dict[str, Any]) -> None:
    assert list(refused(members.add_member, tenant, **{"username": "nina-nina", "role": "viewer"} | values)) == [field]


def test_the_last_owner_stays(tenant: Tenant, owner: User) -> None:
    mine = Membership.objects.get(user=owner)
    for call in (lambda: members.update_member(mine, role="admin"), lambda: members.remove_member(mine)):
        with pytest.raises(Conflict) as caught:
            call()
        assert caught.value.code == "last_owner"
    assert role_of(owner, tenant) == Role.OWNER


def test_one_of_two_owners_may_go(tenant: Tenant, owner: User) -> None:
    make_member(tenant, Role.OWNER)
    members.remove_member(Membership.objects.get(user=owner))
    assert role_of(owner, tenant) is None
    assert User.objects.filter(pk=owner.pk).exists()


def test_an_owner_elsewhere_does_not_count(tenant: Tenant, owner: User, stranger: User) -> None:
    with pytest.raises(Conflict):
        members.remove_member(Membership.objects.get(user=owner))


def test_roles_change(tenant: Tenant, viewer: User) -> None:
    members.update_member(Membership.objects.get(user=viewer), role="admin")
    assert role_of(viewer, tenant) == Role.ADMIN
    assert "role" in refused(members.update_member, Membership.objects.get(user=viewer), role="king")
    assert "user" in refused(members.update_member, Membership.objects.get(user=viewer), user=viewer)


class TestRoles:
    def test_each_may_what_the_lower_ones_may(self, tenant: Tenant) -> None:
        people = {role: make_member(tenant, role) for role in Role}
        for role, person in people.items():
            assert [may(person, tenant, needed) for needed in Role] == [needed.rank <= role.rank for needed in Role]

    def test_a_stranger_may_nothing(self, tenant: Tenant, stranger: User) -> None:
        assert role_of(stranger, tenant) is None
        assert not may(stranger, tenant, Role.VIEWER)

    def test_a_superuser_may_all(self, tenant: Tenant) -> None:
        assert may(make_superuser(), tenant, Role.OWNER)

    def test_who_left_the_company_may_nothing(self, tenant: Tenant, owner: User) -> None:
        owner.is_active = False
        owner.save()
        assert role_of(owner, tenant) is None

    def test_who_has_no_place_may_nothing(self, tenant: Tenant) -> None:
        assert role_of(make_user(), tenant) is None
