"""The pages of provisioning: a product's tab, many devices at once, certificates and claim codes of a device."""

import csv
import io
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone
from pytest_django import Settings

from devices.certificates.verbs import our_authority_text
from devices.credentials import verify_secret
from devices.enrolment import claims, policies, serials
from devices.enrolment.registration import register
from devices.models import Claim, Device, DeviceCertificate, DevicePresence, Product, Serial
from iotpanel.pages.overview import attention
from iotpanel.tenants.models import Role, Tenant, User
from tests.make import make_certificate, make_device, make_member, make_product
from tests.pages.people import browser, words

pytestmark = pytest.mark.django_db
PAGE, BULK, ACCESS = "/products/pump/provisioning/", "/devices/-/bulk/", "/devices/pump-1/connect/"


@pytest.fixture
def pump(tenant: Tenant, settings: Settings, tmp_path: Path) -> Product:
    settings.DEVICE_CA_DIR = tmp_path / "secrets"
    return make_product(tenant, key="pump")


@pytest.fixture
def device(pump: Product) -> Device:
    return make_device(product=pump, key="pump-1")


def send(user: User, path: str, **given: Any) -> Any:
    return browser(user).post(path, given)


POLICY = {"mode": "listed", "approval": "on", "key_template": "acme-{serial}", "max_devices": "5"}


def test_a_product_is_opened(pump: Product, owner: User) -> None:
    assert send(owner, f"{PAGE}policy/", **POLICY).status_code == 302
    policy = policies.policy_of(pump)
    assert (policy.mode, policy.approval, policy.key_template, policy.max_devices) == ("listed", True, "acme-{serial}", 5)


def test_the_authorities_of_a_factory_are_taken_as_a_browser_sends_them(pump: Product, owner: User) -> None:
    text = our_authority_text()
    factory = {"authority": text.replace("\n", "\r\n"), "common_name": "pump-{serial}"}
    assert send(owner, f"{PAGE}policy/", **POLICY, **factory).status_code == 302
    policy = policies.policy_of(pump)
    assert (policy.authority, policy.common_name) == (text, "pump-{serial}")
    assert text.strip() in browser(owner).get(PAGE).content.decode()


BAD: list[dict[str, str]] = [
    {"mode": "any"},
    {"key_template": "<b>"},
    {"authority": "<b>nonsense"},
    {"common_name": "pump"},
    *[{"max_devices": text} for text in ("many", "²", "")],
]


@pytest.mark.parametrize("change", BAD)
def test_a_bad_policy_is_said_and_changes_nothing(pump: Product, owner: User, change: dict[str, str]) -> None:
    answer = send(owner, f"{PAGE}policy/", **POLICY | change)
    assert answer.status_code == 400
    assert b'role="alert"' in answer.content
    assert policies.policy_of(pump).mode == "closed"


def test_the_secret_is_shown_once_with_a_snippet(pump: Product, owner: User) -> None:
    answer = send(owner, f"{PAGE}secret/")
    shown = answer.context["secret"]

    assert "no-store" in answer["Cache-Control"]
    assert answer.content.decode().count(shown) == 2
    policies.set_policy(pump, mode="open")
    assert register("home/pump", shown, "SN-1") is not None
    assert shown not in browser(owner).get(PAGE).content.decode()


def test_who_waits_is_approved_or_denied_by_an_operator(pump: Product, tenant: Tenant) -> None:
    policies.set_policy(pump, mode="open", approval=True)
    secret = policies.new_product_secret(pump)
    for serial in ("SN-1", "SN-2"):
        register("home/pump", secret, serial, address="192.0.2.9")
    operator = make_member(tenant, Role.OPERATOR)
    assert "Waiting for approval 2" in words(browser(operator).get(PAGE).content)
    rows = dict(Serial.objects.values_list("serial", "pk"))

    send(operator, f"{PAGE}serials/{rows['SN-1']}/approve/")
    send(operator, f"{PAGE}serials/{rows['SN-2']}/deny/")
    assert dict(Serial.objects.values_list("serial", "state")) == {"SN-1": "approved", "SN-2": "denied"}
    assert send(operator, f"{PAGE}serials/{rows['SN-1']}/remove/").status_code == 403
    assert send(operator, f"{PAGE}serials/{rows['SN-1']}/explode/").status_code == 404
    assert Serial.objects.count() == 2


def test_a_list_comes_from_a_file_or_from_the_box(pump: Product, owner: User) -> None:
    send(owner, f"{PAGE}serials/", file=SimpleUploadedFile("x.csv", b"\xef\xbb\xbfserial,note\nA-1,x\nA-2,y\n"))
    send(owner, f"{PAGE}serials/", serials="A-2\r\nA-3\r\n")
    assert set(Serial.objects.values_list("serial", flat=True)) == {"A-1", "A-2", "A-3"}
    assert "A-3" in words(browser(owner).get(PAGE, {"search": "-3"}).content)
    assert "A-1" not in words(browser(owner).get(PAGE, {"search": "-3\x00"}).content)


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", b"a b\n", b"<script>\n", b"A-1\n=cmd()\n"])
def test_a_bad_list_is_refused_whole(pump: Product, owner: User, content: bytes) -> None:
    answer = send(owner, f"{PAGE}serials/", file=SimpleUploadedFile("x.csv", content))
    assert answer.status_code == 400
    assert b"<script>\n" not in answer.content
    assert not Serial.objects.exists()


def test_a_viewer_only_looks_and_a_stranger_finds_nothing(pump: Product, device: Device, viewer: User, stranger: User) -> None:
    serials.list_serials(pump, ["SN-1"])
    row, made = Serial.objects.get(), make_certificate(device)
    looked = words(browser(viewer).get(PAGE).content)
    assert "SN-1" in looked
    assert "Add serial numbers" not in looked
    paths = [f"{PAGE}{part}" for part in ("policy/", "secret/", "serials/", f"serials/{row.pk}/deny/")]
    paths += [f"{ACCESS}{part}" for part in ("certificates/", f"certificates/{made.serial}/revoke/", "claim-code/", "claim-code/revoke/")]
    for path in paths:
        assert send(viewer, path).status_code == 403, path
        assert send(stranger, path).status_code == 404, path
    assert browser(viewer).get(BULK).status_code == 403
    assert browser(stranger).get(PAGE).status_code == 404
    assert (Serial.objects.get().state, DeviceCertificate.objects.get().revoked_at) == ("listed", None)


def test_many_devices_are_one_file(pump: Product, owner: User) -> None:
    answer = send(owner, BULK, product="pump", pattern="p-##", count="3", first="8", claim="on", claim_days="30")
    text = b"".join(answer.streaming_content).decode()
    rows = list(csv.DictReader(io.StringIO(text)))

    assert [row["key"] for row in rows] == ["p-08", "p-09", "p-10"]
    assert "no-store" in answer["Cache-Control"]
    assert all(row["claim_code"] for row in rows)
    assert not Device.objects.filter(enabled=True).exists()


def test_keys_are_taken_as_they_are(pump: Product, owner: User) -> None:
    rows = list(csv.DictReader(io.StringIO(b"".join(send(owner, BULK, product="pump", keys="a-1\r\nb-2").streaming_content).decode())))
    assert [verify_secret(row["username"], row["secret"]) for row in rows] == list(Device.objects.order_by("key"))


@pytest.mark.parametrize(
    ("given", "status"),
    [
        ({"product": "nope", "keys": "a"}, 400),
        ({"product": "theirs", "keys": "a"}, 400),
        ({"product": "pump"}, 400),
        ({"product": "pump", "keys": "a", "pattern": "b-#", "count": "1", "first": "1"}, 400),
        ({"product": "pump", "pattern": "b-#", "count": "x", "first": "1"}, 400),
        ({"product": "pump", "pattern": "b-#", "count": "99", "first": "1"}, 400),
        ({"product": "pump", "keys": "<b>"}, 400),
        ({"product": "pump", "keys": "a", "claim": "on", "claim_days": "0"}, 400),
        ({"product": "pump", "keys": "taken fresh"}, 409),
    ],
)
def test_what_is_wrong_makes_no_device(pump: Product, other_tenant: Tenant, owner: User, given: dict[str, str], status: int) -> None:
    make_device(product=make_product(other_tenant, key="theirs"), key="taken")
    answer = send(owner, BULK, **given)
    assert answer.status_code == status
    assert b'role="alert"' in answer.content
    assert Device.objects.count() == 1


def test_a_certificate_is_issued_shown_once_and_revoked(device: Device, owner: User) -> None:
    answer = send(owner, f"{ACCESS}certificates/", csr="", days="30")
    made = DeviceCertificate.objects.get()
    assert b" PRIVATE KEY" in answer.content
    assert "no-store" in answer["Cache-Control"]
    page = browser(owner).get(ACCESS).content
    assert b"PRIVATE KEY" not in page
    assert made.serial[:16] in words(page)

    assert "session ends within 10 s" in words(send(owner, f"{ACCESS}certificates/{made.serial}/revoke/").content)
    made.refresh_from_db()
    assert made.revoked_at is not None


@pytest.mark.parametrize("given", [{"csr": "<b>x</b>", "days": "30"}, {"csr": "", "days": "x"}, {"csr": "", "days": "99999"}])
def test_a_bad_request_is_said(device: Device, owner: User, given: dict[str, str]) -> None:
    answer = send(owner, f"{ACCESS}certificates/", **given)
    assert (answer.status_code, DeviceCertificate.objects.count()) == (422, 0)
    assert b"<b>x" not in answer.content
    assert b'role="alert"' in answer.content


def test_a_claim_code_comes_with_its_picture_once(device: Device, owner: User) -> None:
    answer = send(owner, f"{ACCESS}claim-code/")
    assert b'<svg class="qr"' in answer.content
    code = answer.context["code"]
    assert f"?code={code}" in answer.context["address"]
    device.refresh_from_db()
    assert (device.enabled, Claim.objects.get().transferable) == (False, False)
    assert code not in browser(owner).get(ACCESS).content.decode()


def test_a_claim_code_is_revoked_until_somebody_uses_it(tenant: Tenant, device: Device, owner: User) -> None:
    assert send(owner, f"{ACCESS}claim-code/revoke/").status_code == 404
    send(owner, f"{ACCESS}claim-code/")
    assert b"claim-code/revoke/" in browser(owner).get(ACCESS).content

    assert "The code is revoked" in words(send(owner, f"{ACCESS}claim-code/revoke/").content)
    device.refresh_from_db()
    assert (device.enabled, Claim.objects.exists()) == (False, False)

    claims.claim(tenant, send(owner, f"{ACCESS}claim-code/").context["code"])
    answer = send(owner, f"{ACCESS}claim-code/revoke/")
    assert (answer.status_code, Claim.objects.count()) == (422, 1)
    assert "has been claimed already" in words(answer.content)


def test_a_device_that_talks_gets_no_claim_code(device: Device, owner: User) -> None:
    DevicePresence.objects.filter(device=device).update(last_seen=device.created_at)
    assert send(owner, f"{ACCESS}claim-code/").status_code == 422
    assert not Claim.objects.exists()


@pytest.mark.parametrize("embedded", [True, False])
def test_the_old_secret_goes_on_where_the_broker_asks_us(device: Device, owner: User, settings: Settings, embedded: bool) -> None:
    settings.BROKER_DIR = "somewhere" if embedded else ""
    answer = send(owner, f"{ACCESS}rotate/", grace="24")
    assert answer.status_code == 200
    old = device.credentials.exclude(revoked_at=None).get()
    assert (old.valid_until is None) is embedded


def test_what_ends_soon_needs_attention_until_a_later_one_is_there(device: Device, tenant: Tenant, other_tenant: Tenant) -> None:
    make_certificate(device, not_after=timezone.now() + timedelta(days=10))
    make_certificate(device, not_after=timezone.now() + timedelta(days=5), revoked_at=timezone.now())
    assert [item.url for item in attention.certificates(tenant)] == ["/devices/pump-1/connect/"]
    assert attention.certificates(other_tenant) == []
    make_certificate(device)
    assert attention.certificates(tenant) == []
