"""The admin's lists of serial numbers and certificates: by tenant, and for those who may decide."""

from typing import Any

import pytest
from django.utils import timezone

from devices.enrolment import policies, serials
from devices.models import DeviceCertificate, Serial
from iotpanel.tenants.models import Role, Tenant, User
from tests.admin_client import Admin
from tests.make import make_certificate, make_device, make_member, make_product


@pytest.fixture
def waiting(tenant: Tenant) -> Serial:
    product = make_product(tenant, key="pump")
    policies.set_policy(product, mode="listed", approval=True)
    serials.list_serials(product, ["SN-1"])
    Serial.objects.update(state="pending")
    return Serial.objects.get()


@pytest.fixture
def certificate(tenant: Tenant) -> DeviceCertificate:
    return make_certificate(make_device(product=make_product(tenant), key="valve-1", name="<b>Valve</b>"))


def test_what_is_to_come_is_a_date(certificate: DeviceCertificate, viewer: User) -> None:
    page = Admin(viewer).list(DeviceCertificate).content.decode()
    assert f"{timezone.localtime(certificate.not_after):%Y %H:%M}</time>" in page


@pytest.mark.parametrize("model", [Serial, DeviceCertificate])
def test_a_superuser_looks_and_types_nothing_in(waiting: Serial, certificate: DeviceCertificate, superuser: User, model: Any) -> None:
    admin, row = Admin(superuser), model.objects.get()
    assert (admin.open(row).status_code, admin.open(row, "history").status_code) == (200, 200)
    assert [admin.add(model).status_code, admin.change(row).status_code, admin.delete(row).status_code] == [403, 403, 403]


@pytest.mark.parametrize(("model", "words"), [(Serial, "SN-1"), (DeviceCertificate, "valve-1")])
def test_people_see_their_own_and_nothing_is_html(
    waiting: Serial, certificate: DeviceCertificate, viewer: User, stranger: User, model: Any, words: str
) -> None:
    page, row = Admin(viewer).list(model).content.decode(), model.objects.get()
    assert words in page and "<b>Valve" not in page
    assert Admin(viewer).open(row).status_code == 200
    assert words not in Admin(stranger).list(model).content.decode()
    assert Admin(stranger).open(row).status_code in (302, 404)


def test_an_operator_decides_who_comes_in(waiting: Serial, tenant: Tenant, viewer: User, stranger: User) -> None:
    for user in (viewer, stranger):
        Admin(user).act(Serial, "approve_many", waiting)
        assert Serial.objects.get().state == "pending"
    operator = Admin(make_member(tenant, Role.OPERATOR))
    operator.act(Serial, "approve_many", waiting)
    assert Serial.objects.get().state == "approved"
    operator.act(Serial, "deny_many", waiting)
    assert Serial.objects.get().state == "denied"


def test_an_administrator_revokes_certificates(certificate: DeviceCertificate, tenant: Tenant, owner: User, stranger: User) -> None:
    for user in (make_member(tenant, Role.OPERATOR), stranger):
        Admin(user).act(DeviceCertificate, "revoke_many", certificate)
        assert DeviceCertificate.objects.get().state == "active"
    Admin(owner).act(DeviceCertificate, "revoke_many", certificate)
    assert DeviceCertificate.objects.get().state == "revoked"
