"""Devices that come in with a certificate of their factory: which chains are trusted, and what a stranger's is worth."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from django.core.exceptions import ValidationError
from django.test import Client
from pytest_django import Settings

from devices.certificates.chain import leads_to, read_certificates
from devices.enrolment import policies, serials
from devices.models import Device, DeviceCertificate, Product, Serial
from iotpanel.local.authority import text_of
from iotpanel.tenants.models import Tenant
from tests.make import make_product

PRIVATE = "-----BEGIN " + "PRIVATE KEY-----"
NOW = datetime(2026, 6, 1, tzinfo=UTC)
YEAR = timedelta(days=365)


class Holder(NamedTuple):
    """A certificate and its key, and those that lead from it to a root."""

    certificate: x509.Certificate
    key: Any
    above: tuple[x509.Certificate, ...] = ()

    @property
    def chain(self) -> str:
        return text_of(self.certificate, *self.above)

    def request(self) -> str:
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "whatever")])
        signed = x509.CertificateSigningRequestBuilder().subject_name(name).sign(self.key, hashes.SHA256())
        return signed.public_bytes(serialization.Encoding.PEM).decode()


def signed(
    name: str, by: Holder | None = None, *, ca: bool = False, begins: datetime = NOW, lasts: timedelta = YEAR, **more: Any
) -> Holder:
    """A certificate in force from `begins`; a root where nobody signs it. `more`: `path`, `usage` and `extension`."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(by.certificate.subject if by else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins)
        .not_valid_after(begins + lasts)
        .add_extension(x509.BasicConstraints(ca=ca, path_length=more.get("path")), critical=True)
    )
    if "usage" in more:
        builder = builder.add_extension(x509.ExtendedKeyUsage([more["usage"]]), critical=False)
    if "extension" in more:
        builder = builder.add_extension(more["extension"], critical=True)
    is_root = by is None or by.certificate.issuer == by.certificate.subject
    above = () if by is None or is_root else (by.certificate, *by.above)
    return Holder(builder.sign(by.key if by else key, hashes.SHA256()), key, above)


ROOT = signed("Maker", ca=True)
LINE = signed("Line 1", ROOT, ca=True, path=0)


def trusts(device: Holder, *trusted: Holder, now: datetime = NOW + timedelta(days=1)) -> bool:
    return leads_to(read_certificates(device.chain), [each.certificate for each in trusted or (ROOT,)], now)


def test_a_certificate_leads_to_the_authority_or_to_one_below_it() -> None:
    assert trusts(signed("pump-1", ROOT))
    assert trusts(signed("pump-1", LINE, usage=ExtendedKeyUsageOID.CLIENT_AUTH))
    assert trusts(signed("pump-1", LINE), LINE)
    assert not trusts(signed("pump-1", LINE), signed("Maker", ca=True)), "the same name is not the same key"


@pytest.mark.parametrize(
    "device",
    [
        signed("pump-1"),
        signed("pump-1", signed("pump-2", ROOT)),
        signed("pump-1", signed("Line 2", LINE, ca=True)),
        signed("pump-1", LINE)._replace(above=()),
        signed("pump-1", ROOT, ca=True),
        signed("pump-1", ROOT, usage=ExtendedKeyUsageOID.SERVER_AUTH),
        signed("pump-1", ROOT, begins=NOW + YEAR),
        signed("pump-1", ROOT, lasts=timedelta(hours=1)),
        signed("pump-1", signed("Line 3", ROOT, ca=True, lasts=timedelta(hours=1))),
        signed("pump-1", ROOT, extension=x509.NameConstraints([x509.DNSName("example.org")], None)),
    ],
    ids=["itself", "a device", "too deep", "a gap", "an authority", "a server", "too early", "too late", "issuer ended", "not understood"],
)
def test_what_does_not_lead_to_the_authority(device: Holder) -> None:
    assert not trusts(device)


@pytest.mark.parametrize("text", ["", "nonsense", "x" * 40_000, PRIVATE, ROOT.chain * 6, None, ROOT.chain[:-40]])
def test_what_are_no_certificates(text: Any) -> None:
    with pytest.raises(ValidationError):
        read_certificates(text)


@pytest.fixture
def product(tenant: Tenant, settings: Settings, tmp_path: Path) -> Product:
    settings.DEVICE_CA_DIR = tmp_path
    made = make_product(tenant, key="pump")
    now = signed("Maker", ca=True, begins=datetime.now(UTC) - timedelta(days=1))
    policies.set_policy(made, mode="open", authority=now.chain, common_name="pump-{serial}.example.org")
    FACTORY[:] = [now]
    return made


FACTORY: list[Holder] = []


def device_of(name: str = "pump-77.example.org", by: Holder | None = None) -> Holder:
    return signed(name, by or FACTORY[0], begins=datetime.now(UTC) - timedelta(hours=1))


def ask(client: Client, device: Holder, request: str = "", product: str = "home/pump") -> Any:
    body = {"product": product, "chain": device.chain, "csr": request or device.request()}
    return client.post("/api/v1/device/register", body, content_type="application/json")


@pytest.mark.django_db
def test_it_gets_a_certificate_of_ours_for_its_own_key_and_may_come_again(client: Client, product: Product) -> None:
    device = device_of()
    answer = ask(client, device)
    assert (answer.status_code, answer.json()["state"], answer.json()["username"]) == (201, "registered", "77"), answer.content
    ours = x509.load_pem_x509_certificate(answer.json()["certificate"].encode())
    assert ours.subject.rfc4514_string() == "CN=77"
    assert ours.public_key() == device.certificate.public_key()
    assert (Serial.objects.get().state, Device.objects.get().product) == ("registered", product)

    assert ask(client, device).status_code == 201
    assert (Device.objects.count(), DeviceCertificate.objects.count()) == (1, 2)


@pytest.mark.django_db
def test_whatever_is_wrong_with_it_a_stranger_learns_nothing(client: Client, product: Product) -> None:
    right, other = device_of(), signed("Somebody else", ca=True, begins=datetime.now(UTC) - timedelta(days=1))
    refused = [
        ask(client, device_of(by=other)),
        ask(client, device_of("boiler-77.example.org")),
        ask(client, device_of("pump-.example.org")),
        ask(client, right, device_of().request()),
        ask(client, right, product="home/none"),
        ask(client, right, product="elsewhere/pump"),
    ]
    assert {(answer.status_code, answer.json()["code"]) for answer in refused} == {(401, "wrong_certificate")}
    assert not Device.objects.exists()
    assert ask(client, device_of("pump-<b>.example.org")).status_code == 400
    assert ask(client, right._replace(above=()), "nonsense").json()["details"].keys() == {"csr"}


@pytest.mark.django_db
def test_list_and_approval_hold_for_it_too(client: Client, product: Product) -> None:
    policies.set_policy(product, mode="listed", approval=True)
    assert ask(client, device_of()).json()["code"] == "serial_unknown"
    serials.list_serials(product, ["77"])
    assert ask(client, device_of()).status_code == 202
    serials.approve(Serial.objects.get())
    assert ask(client, device_of()).status_code == 201
    policies.set_policy(product, mode="closed")
    assert ask(client, device_of()).json()["code"] == "registration_closed"


@pytest.mark.django_db
def test_a_device_that_was_deleted_or_has_another_owner_does_not_come_back(client: Client, product: Product, other_tenant: Tenant) -> None:
    ask(client, device_of())
    Device.objects.update(tenant=other_tenant, product=make_product(other_tenant))
    assert ask(client, device_of()).json()["code"] == "already_registered"
    Device.objects.all().delete()
    assert ask(client, device_of()).json()["code"] == "already_registered"
    assert not Device.objects.exists()


@pytest.mark.django_db
def test_a_policy_takes_authorities_only(product: Product) -> None:
    for value in (device_of().chain, "nonsense"):
        with pytest.raises(ValidationError) as caught:
            policies.set_policy(product, authority=value)
        assert set(caught.value.message_dict) == {"authority"}
    for name in ("pump", "{serial}{serial}", "\n{serial}", "x" * 130 + "{serial}"):
        with pytest.raises(ValidationError):
            policies.set_policy(product, common_name=name)
    assert policies.policy_of(product).authority == FACTORY[0].chain
