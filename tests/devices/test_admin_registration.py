"""The admin's registration policies: seen by role, written by the same verb as pages and API."""

from typing import Any

import pytest

from devices.certificates.verbs import our_authority_text
from devices.enrolment import policies, serials
from devices.models import Product, RegistrationPolicy, Serial
from iotpanel.tenants.models import Role, Tenant, User
from tests.admin_client import Admin, errors_of, queries_of
from tests.make import make_member, make_product, make_tenant
from tests.pages.people import words

HOSTILE = "<b>Pump</b>"


@pytest.fixture
def product(tenant: Tenant) -> Product:
    return make_product(tenant, key="pump", name=HOSTILE)


@pytest.fixture
def policy(product: Product) -> RegistrationPolicy:
    policies.new_product_secret(product)
    return policies.set_policy(product, mode="listed", approval=True, max_devices=7)


def values(**overrides: Any) -> dict[str, Any]:
    given = {"mode": "open", "key_template": "acme-{serial}", "max_devices": "9", "common_name": "{serial}", "authority": ""}
    return given | overrides


def test_people_see_their_own_and_never_the_secret(policy: RegistrationPolicy, product: Product, viewer: User, stranger: User) -> None:
    serials.list_serials(product, ["A-1", "A-2", "A-3"])
    Serial.objects.exclude(serial="A-1").update(state="registered")
    for page in (Admin(viewer).list(RegistrationPolicy), Admin(viewer).open(policy)):
        text = page.content.decode()
        assert HOSTILE not in text and "&lt;b&gt;Pump" in text
        assert policy.secret_hash and policy.secret_hash not in text
        assert "2 of at most 7" in words(page.content)
    assert "Pump" not in words(Admin(stranger).list(RegistrationPolicy).content)
    assert Admin(stranger).open(policy).status_code == 404


def test_an_administrator_changes_it(policy: RegistrationPolicy, tenant: Tenant, tmp_path: Any, settings: Any) -> None:
    settings.DEVICE_CA_DIR = tmp_path
    text = our_authority_text()
    administrator = Admin(make_member(tenant, Role.ADMIN))
    sent = values(authority=text.replace("\n", "\r\n"), common_name="pump-{serial}")
    assert administrator.change(policy, **sent).status_code == 302

    policy.refresh_from_db()
    assert (policy.mode, policy.approval, policy.key_template, policy.max_devices) == ("open", False, "acme-{serial}", 9)
    assert (policy.authority, policy.common_name) == (text, "pump-{serial}")
    assert policy.secret_hash  # stays


def test_a_product_without_one_gets_one_and_never_a_second(product: Product, owner: User) -> None:
    admin = Admin(owner)
    assert admin.add(RegistrationPolicy, product=product.pk, **values()).status_code == 302
    assert policies.policy_of(product).mode == "open"
    assert "already" in errors_of(admin.add(RegistrationPolicy, product=product.pk, **values(mode="closed")))["product"][0]
    assert policies.policy_of(product).mode == "open"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("mode", "any"),
        ("mode", ""),
        ("key_template", "acme"),
        ("key_template", "<b>{serial}"),
        ("key_template", "x" * 60 + "{serial}"),
        ("max_devices", "0"),
        ("max_devices", "many"),
        ("max_devices", "9999999999999"),
        ("common_name", "pump"),
        ("common_name", "x" * 200 + "{serial}"),
        ("authority", "<b>nonsense"),
    ],
)
def test_what_is_wrong_is_said_at_its_field(policy: RegistrationPolicy, owner: User, field: str, value: str) -> None:
    answer = Admin(owner).change(policy, **values(**{field: value}))
    assert set(errors_of(answer)) == {field}
    assert b"<b>nonsense" not in answer.content and b"<b>{serial}" not in answer.content
    assert RegistrationPolicy.objects.get().mode == "listed"


def test_nobody_else_writes_it_and_nobody_deletes_it(
    policy: RegistrationPolicy, tenant: Tenant, viewer: User, stranger: User, owner: User, superuser: User
) -> None:
    other = make_product(tenant, key="other")
    for user, status in ((viewer, 403), (make_member(tenant, Role.OPERATOR), 403), (stranger, 404)):
        assert Admin(user).change(policy, **values()).status_code == status
    for user in (viewer, make_member(tenant, Role.OPERATOR)):
        assert Admin(user).add(RegistrationPolicy, product=other.pk, **values()).status_code == 403
    assert "product" in errors_of(Admin(stranger).add(RegistrationPolicy, product=other.pk, **values()))
    for user in (owner, superuser):
        assert Admin(user).delete(policy).status_code == 403
    assert RegistrationPolicy.objects.get().mode == "listed"


def test_a_product_of_a_tenant_where_one_only_looks_is_no_choice(product: Product, viewer: User) -> None:
    """An administrator of one tenant who is a viewer of another."""
    make_tenant().memberships.create(user=viewer, role=Role.ADMIN)
    assert "product" in errors_of(Admin(viewer).add(RegistrationPolicy, product=product.pk, **values()))
    assert not RegistrationPolicy.objects.exists()


def test_more_rows_are_no_more_queries(policy: RegistrationPolicy, tenant: Tenant, viewer: User) -> None:
    few = queries_of(viewer, RegistrationPolicy)
    for number in range(5):
        other = make_product(tenant)
        policies.set_policy(other, mode="open")
        serials.list_serials(other, [f"B-{number}"])
    assert queries_of(viewer, RegistrationPolicy) == few
