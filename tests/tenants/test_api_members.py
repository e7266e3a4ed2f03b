"""Members and tenants by REST: who may, what is refused."""

import pytest
from auditlog.models import LogEntry

from iotpanel.tenants.models import Membership, Role, Tenant, User
from tests.make import PASSWORD, make_member, make_user
from tests.rest import Rest, refused, results


def test_an_owner_adds_changes_and_removes_members(owner: User, tenant: Tenant) -> None:
    api = Rest(owner)
    body = {"username": "nora", "role": "viewer", "email": "nora@example.org", "password": "a long enough one"}
    answer = api.post("members/", body)
    assert answer.status_code == 201, answer.content
    assert {name: answer.json()[name] for name in ("username", "role", "email")} == {
        name: body[name] for name in ("username", "role", "email")
    }
    assert b"long enough" not in answer.content
    assert Rest().post("auth/token/", {"username": "nora", "password": "a long enough one"}).status_code == 200
    assert api.patch("members/nora/", {"role": "operator"}).json()["role"] == "operator"
    assert [row["username"] for row in results(api.get("members/", order="at"))] == ["olga", "nora"]
    assert api.delete("members/nora/").status_code == 204
    refused(api.get("members/nora/"), 404, "not_found")
    assert User.objects.filter(username="nora").exists()


def test_who_has_an_account_is_added_by_name_and_keeps_their_password(owner: User, tenant: Tenant) -> None:
    make_user(username="nora")
    api = Rest(owner)
    assert set(refused(api.post("members/", {"username": "nora", "role": "viewer", "password": "a new one of mine"}), 400, "invalid"))
    assert api.post("members/", {"username": "nora", "role": "viewer"}).status_code == 201
    refused(api.post("members/", {"username": "nora", "role": "admin"}), 409, "already_member")
    assert Rest().post("auth/token/", {"username": "nora", "password": PASSWORD}).status_code == 200


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"role": "king"}, "role"),
        ({"username": ""}, "username"),
        ({"username": "a b"}, "username"),
        ({"email": "nonsense"}, "email"),
        ({"password": "short"}, "password"),
        ({"password": "password123"}, "password"),
    ],
)
def test_what_is_wrong_is_named(owner: User, change: dict[str, str], field: str) -> None:
    body = {"username": "nora", "role": "viewer", "password": "a long enough one"} | change
    assert set(refused(Rest(owner).post("members/", body), 400, "invalid")) == {field}
    assert not User.objects.filter(username="nora").exists()


@pytest.mark.parametrize("change", [{"username": "other"}, {"email": "mine@example.org"}, {"password": "a new one of mine"}])
def test_what_belongs_to_the_person_is_theirs(owner: User, viewer: User, change: dict[str, str]) -> None:
    assert set(refused(Rest(owner).patch("members/viktor/", change), 400, "invalid")) == set(change)
    viewer.refresh_from_db()
    assert (viewer.username, viewer.email) == ("viktor", "")
    assert viewer.check_password(PASSWORD)


def test_a_tenant_keeps_an_owner(owner: User) -> None:
    refused(Rest(owner).delete("members/olga/"), 409, "last_owner")
    refused(Rest(owner).patch("members/olga/", {"role": "admin"}), 409, "last_owner")


@pytest.mark.parametrize(
    ("role", "reads", "writes"), [("viewer", 403, 403), ("operator", 403, 403), ("admin", 200, 403), ("owner", 200, 200)]
)
def test_admins_see_members_and_owners_change_them(tenant: Tenant, owner: User, role: str, reads: int, writes: int) -> None:
    api = Rest(make_member(tenant, role))
    make_member(tenant, Role.VIEWER, username="nora")
    assert api.get("members/").status_code == reads
    assert api.patch("members/nora/", {"role": "operator"}).status_code == writes


def test_a_stranger_sees_and_changes_nobody(stranger: User, owner: User) -> None:
    assert [row["username"] for row in results(Rest(stranger).get("members/"))] == ["sam"]
    for answer in (Rest(stranger).get("members/olga/"), Rest(stranger).delete("members/olga/"), Rest(stranger).patch("members/olga/", {})):
        refused(answer, 404, "not_found")


def test_who_was_removed_is_out_at_once(owner: User, viewer: User) -> None:
    api = Rest(viewer)
    assert api.get("devices/").status_code == 200
    Rest(owner).delete("members/viktor/")
    refused(api.get("devices/"), 403, "no_tenant")


def test_superusers_make_tenants(superuser: User) -> None:
    api = Rest(superuser)
    assert api.post("tenants/", {"key": "acme", "name": "Acme"}).status_code == 201
    refused(api.post("tenants/", {"key": "acme", "name": "Again"}), 409, "key_taken")
    assert set(refused(api.post("tenants/", {"key": "a b", "name": ""}), 400, "invalid")) == {"name"}
    assert set(refused(api.post("tenants/", {"key": "a b", "name": "x"}), 400, "invalid")) == {"key"}
    assert api.patch("tenants/acme/", {"name": "Acme Ltd"}).json()["name"] == "Acme Ltd"
    assert set(refused(api.patch("tenants/acme/", {"key": "other"}), 400, "invalid")) == {"key"}
    assert [row["key"] for row in results(api.get("tenants/"))] == ["acme"]
    assert Rest(superuser, tenant="acme").get("devices/").status_code == 200
    assert api.delete("tenants/acme/").status_code == 204


def test_others_do_not_and_an_owner_may_end_their_own(owner: User, viewer: User, stranger: User, tenant: Tenant) -> None:
    for person in (owner, viewer, stranger):
        refused(Rest(person).post("tenants/", {"key": "acme", "name": "Acme"}), 403, "permission_denied")
        refused(Rest(person).get("tenants/"), 403, "permission_denied")
    for answer in (Rest(stranger).get("tenants/home/"), Rest(stranger).delete("tenants/home/"), Rest(stranger).patch("tenants/home/", {})):
        refused(answer, 404, "not_found")
    refused(Rest(viewer).delete("tenants/home/"), 403, "permission_denied")
    refused(Rest(owner).patch("tenants/home/", {"name": "x"}), 403, "permission_denied")
    assert Rest(viewer).get("tenants/home/").json()["name"] == "Home"
    assert Rest(owner).delete("tenants/home/").status_code == 204
    assert not Membership.objects.filter(tenant_id=tenant.pk).exists()


@pytest.mark.usefixtures("audited")
def test_the_history_names_who_changed_it(owner: User, tenant: Tenant) -> None:
    Rest(owner).post("groups/", {"key": "hall", "name": "Hall"})
    entry = LogEntry.objects.filter(object_repr="Hall").first()
    assert entry is not None
    assert entry.actor == owner
