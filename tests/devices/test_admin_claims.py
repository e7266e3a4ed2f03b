"""The admin's list of claim codes: whose state is what, who claimed, and an end to codes that nobody used."""

from datetime import timedelta

import pytest
from django.utils import timezone

from devices.enrolment import claims
from devices.models import Claim, Product
from iotpanel.tenants.models import Role, Tenant, User
from tests.admin_client import Admin, queries_of
from tests.make import make_device, make_member, make_product
from tests.pages.people import words

HOSTILE = "<b>Box</b>"


@pytest.fixture
def product(tenant: Tenant) -> Product:
    return make_product(tenant, key="box", name=HOSTILE)


@pytest.fixture
def waiting(product: Product) -> Claim:
    return claims.prepare(make_device(product=product, key="box-1", name=HOSTILE))[0]


def claimed(product: Product, key: str, person: User | None = None) -> Claim:
    made, code = claims.prepare(make_device(product=product, key=key))
    claims.claim(product.tenant, code, person=person)
    made.refresh_from_db()
    return made


def test_people_see_their_own_and_never_the_code(waiting: Claim, viewer: User, stranger: User) -> None:
    for page in (Admin(viewer).list(Claim), Admin(viewer).open(waiting)):
        text = page.content.decode()
        assert page.status_code == 200
        assert HOSTILE not in text and "&lt;b&gt;Box" in text
        assert waiting.digest not in text
        assert "waiting" in words(page.content)
        assert f"{timezone.localtime(waiting.expires_at):%Y %H:%M}" in words(page.content)  # and not 0 s ago
    assert "box-1" in words(Admin(viewer).list(Claim).content)
    assert "box-1" not in words(Admin(stranger).list(Claim).content)
    assert Admin(stranger).open(waiting).status_code == 404


def test_the_list_is_searched_and_filtered(waiting: Claim, product: Product, viewer: User, owner: User) -> None:
    old = claims.prepare(make_device(product=product, key="old-1"), transferable=True)[0]
    Claim.objects.filter(pk=old.pk).update(expires_at=timezone.now() - timedelta(days=1))
    used = claimed(product, "used-1", owner)

    def found(**query: str) -> set[int]:
        page = Admin(viewer).list(Claim, **query)
        return set(page.context["cl"].result_list.values_list("pk", flat=True))  # type: ignore[attr-defined]

    assert [found(state=state) for state in ("waiting", "claimed", "expired")] == [{waiting.pk}, {used.pk}, {old.pk}]
    assert (found(q="used"), found(transferable__exact="1"), found(state="?")) == ({used.pk}, {old.pk}, {waiting.pk, used.pk, old.pk})
    assert "olga" in words(Admin(viewer).list(Claim, state="claimed").content)


def test_an_administrator_revokes_what_nobody_used(waiting: Claim, product: Product, tenant: Tenant, viewer: User, stranger: User) -> None:
    used = claimed(product, "used-1")
    for user in (viewer, make_member(tenant, Role.OPERATOR), stranger):
        Admin(user).act(Claim, "revoke_many", waiting)
        assert Claim.objects.count() == 2

    administrator = Admin(make_member(tenant, Role.ADMIN))
    asked = administrator.act(Claim, "revoke_many", waiting, used, confirmed="")
    assert "Revoke 1 claim code?" in words(asked.content)
    assert Claim.objects.count() == 2
    administrator.act(Claim, "revoke_many", waiting, used)
    assert Claim.objects.get() == used
    assert "1 revoked; 1 had been claimed." in words(administrator.list(Claim).content)


@pytest.mark.parametrize("name", ["owner", "superuser"])
def test_nobody_writes_codes_by_hand(waiting: Claim, request: pytest.FixtureRequest, name: str) -> None:
    admin = Admin(request.getfixturevalue(name))
    assert admin.open(waiting).status_code == 200
    assert admin.change(waiting, transferable="on").status_code == 403
    assert admin.delete(waiting).status_code == 403
    assert admin.add(Claim, device=waiting.device_id).status_code == 403
    assert not Claim.objects.get().transferable


def test_more_rows_are_no_more_queries(waiting: Claim, product: Product, viewer: User, owner: User) -> None:
    claimed(product, "used-1", owner)
    few = queries_of(viewer, Claim)
    for number in range(5):
        claimed(make_product(product.tenant), f"more-{number}", make_member(product.tenant, Role.OPERATOR))
    assert queries_of(viewer, Claim) == few
