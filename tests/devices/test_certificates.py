"""Certificates of devices: what is signed, for whom, and how one ends."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from auditlog.models import LogEntry
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import NameOID
from django.core.exceptions import ValidationError
from django.utils import timezone
from pytest_django import Settings

from devices import broker_auth, broker_rules, certificates, provisioning
from devices.api.broker_formats import Question
from devices.api.brokers import judge
from devices.certificates import revoked
from devices.certificates.requests import read_request
from devices.certificates.verify import fingerprint_of
from devices.models import Device, DeviceCertificate
from iotpanel.api.errors import Conflict
from iotpanel.local import device_authority
from iotpanel.tenants.models import Tenant, User
from tests.make import make_certificate, make_device, make_product
from tests.rest import Rest, refused, results

PEM = "-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----"
EC: Any = ec.generate_private_key(ec.SECP256R1())


def request_of(key: Any = EC, name: str = "anything", hash: Any = None) -> str:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    hashed = None if isinstance(key, ed25519.Ed25519PrivateKey) else hash or hashes.SHA256()
    made = x509.CertificateSigningRequestBuilder().subject_name(subject).sign(key, hashed)
    return made.public_bytes(serialization.Encoding.PEM).decode()


@pytest.fixture
def secrets(settings: Settings, tmp_path: Path) -> Path:
    settings.DEVICE_CA_DIR = tmp_path / "secrets"
    return tmp_path / "secrets"


@pytest.fixture
def device(tenant: Tenant, secrets: Path) -> Device:
    return make_device(product=make_product(tenant), key="pump-1")


@pytest.fixture
def ended(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Whose sessions the broker was made to end."""
    keys: list[str] = []
    monkeypatch.setattr(revoked, "_take_over", keys.append)
    return keys


@pytest.mark.parametrize("key", [EC, ec.generate_private_key(ec.SECP384R1()), ed25519.Ed25519PrivateKey.generate()])
def test_requests_of_these_keys_are_read(key: Any) -> None:
    assert read_request(request_of(key)) == key.public_key()


@pytest.mark.parametrize(
    "key",
    [
        rsa.generate_private_key(65537, 1024),
        ec.generate_private_key(ec.SECP192R1()),
        ec.generate_private_key(ec.SECP256K1()),
        ec.generate_private_key(ec.SECP521R1()),
    ],
)
def test_weak_and_strange_keys_are_refused(key: Any) -> None:
    with pytest.raises(ValidationError) as caught:
        read_request(request_of(key))
    assert caught.value.error_dict["csr"][0].code in ("weak_key", "bad_csr")


def forged() -> str:
    """A request whose key was changed after it was signed."""
    other = ec.generate_private_key(ec.SECP256R1()).public_key()
    form = (serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)
    der = x509.load_pem_x509_csr(request_of().encode()).public_bytes(serialization.Encoding.DER)
    der = der.replace(EC.public_key().public_bytes(*form), other.public_bytes(*form))
    return x509.load_der_x509_csr(der).public_bytes(serialization.Encoding.PEM).decode()


@pytest.mark.parametrize(
    "text",
    [
        None,
        7,
        "x",
        "\x00",
        "设备",
        PEM,
        PEM.replace("CERTIFICATE REQUEST", "PRIVATE KEY"),
        "x" * 20_000,
        forged(),
    ],
)
def test_what_is_no_request_is_refused(text: Any) -> None:
    with pytest.raises(ValidationError) as caught:
        read_request(text)
    assert caught.value.error_dict["csr"][0].code == "bad_csr"


@pytest.mark.django_db
def test_the_subject_is_ours_whatever_was_asked_for(device: Device) -> None:
    made = certificates.issue(device, csr=request_of(name="another-device"), days=7)

    signed = x509.load_pem_x509_certificate(made.certificate.encode())
    assert [each.value for each in signed.subject] == ["pump-1"]
    assert signed.public_key() == EC.public_key()
    assert made.private_key == ""
    assert (made.row.serial, made.row.key_kind) == (f"{signed.serial_number:x}", "EC P-256")
    assert made.row.fingerprint == signed.fingerprint(hashes.SHA256()).hex()


@pytest.mark.django_db
def test_without_a_request_a_key_pair_is_made_and_kept_nowhere(device: Device, secrets: Path) -> None:
    made = certificates.issue(device)

    key = serialization.load_pem_private_key(made.private_key.encode(), None)
    assert key.public_key() == x509.load_pem_x509_certificate(made.certificate.encode()).public_key()
    assert sorted(path.name for path in secrets.iterdir()) == ["device-ca.key", "device-ca.pem"]
    assert made.private_key not in str(LogEntry.objects.values_list("changes", flat=True))


@pytest.mark.django_db
@pytest.mark.parametrize("days", [0, -1, 3651, True, "7", 1.5])
def test_bad_days_are_refused(device: Device, days: Any) -> None:
    with pytest.raises(ValidationError) as caught:
        certificates.issue(device, days=days)
    assert "days" in caught.value.message_dict


@pytest.mark.django_db
def test_a_device_has_five_at_most(device: Device) -> None:
    kept = [make_certificate(device) for _ in range(5)]
    with pytest.raises(Conflict) as caught:
        certificates.issue(device)
    assert caught.value.code == "too_many_certificates"
    certificates.revoke(kept[0])
    certificates.issue(device)


@pytest.mark.usefixtures("audited")
@pytest.mark.django_db
def test_revoking_twice_is_once_and_stands_in_the_history(device: Device, tenant: Tenant) -> None:
    row = make_certificate(device)
    first = certificates.revoke(row).revoked_at
    assert first is not None
    assert certificates.revoke(row).revoked_at == first
    entries = LogEntry.objects.get_for_object(row)
    assert entries.filter(action=LogEntry.Action.UPDATE).count() == 1
    assert entries.first().additional_data == {"tenant": tenant.pk}


@pytest.mark.django_db
def test_the_list_names_what_must_not_come_in(device: Device, secrets: Path, tmp_path: Path, ended: list[str]) -> None:
    good, bad = certificates.issue(device).row, certificates.issue(device).row
    assert revoked.write_revoked(tmp_path) == frozenset(), "an empty list is begun"
    assert revoked.write_revoked(tmp_path) is None, "and left alone"

    certificates.revoke(bad)
    assert broker_auth.write_files(tmp_path) == (True, {"pump-1"})
    assert ended == ["pump-1"]
    assert on_the_list(tmp_path, secrets) == {int(bad.serial, 16)}

    provisioning.update_device(device, enabled=False)
    assert revoked.write_revoked(tmp_path) == {"pump-1"}
    assert on_the_list(tmp_path, secrets) == {int(bad.serial, 16), int(good.serial, 16)}
    provisioning.update_device(device, enabled=True)
    assert revoked.write_revoked(tmp_path) == frozenset()
    assert on_the_list(tmp_path, secrets) == {int(bad.serial, 16)}


def on_the_list(folder: Path, secrets: Path) -> set[int] | None:
    return device_authority.revoked_in(folder / "device-crl.pem", device_authority.ensure(secrets))


@pytest.mark.django_db
def test_a_deleted_device_s_certificate_does_not_open_its_successor(device: Device, secrets: Path, tmp_path: Path) -> None:
    old = certificates.issue(device).row
    provisioning.delete_device(device)
    make_device(product=make_product(), key="pump-1")

    assert revoked.write_revoked(tmp_path) == {"pump-1"}
    assert on_the_list(tmp_path, secrets) == {int(old.serial, 16)}
    assert certificates.holder(old.fingerprint) == ""


@pytest.mark.django_db
def test_what_has_ended_leaves_the_list(device: Device, tmp_path: Path) -> None:
    certificates.issue(device)
    make_certificate(device, not_after=timezone.now() - timedelta(days=1), revoked_at=timezone.now())
    assert revoked.write_revoked(tmp_path) == frozenset()


@pytest.mark.django_db
def test_a_broker_that_is_away_does_not_stop_the_files(device: Device, tmp_path: Path, settings: Settings) -> None:
    settings.MQTT_URL = "mqtt://iotpanel-worker:x@127.0.0.1:1"
    certificates.revoke(certificates.issue(device).row)
    assert broker_auth.write_files(tmp_path).changed


@pytest.mark.django_db
def test_revoking_a_device_ends_its_certificates_too(device: Device) -> None:
    row = make_certificate(device)
    provisioning.revoke_credentials(device)
    row.refresh_from_db()
    assert row.revoked_at is not None


@pytest.mark.django_db
def test_a_broker_that_passes_the_certificate_is_told_whose_it_is(device: Device) -> None:
    made = certificates.issue(device)
    colons = ":".join(made.row.fingerprint[n : n + 2] for n in range(0, 64, 2)).upper()
    for shown in (made.certificate, made.row.fingerprint, colons):
        assert judge(Question("sign_in", "pump-1", certificate=shown)) == [True]
        assert judge(Question("sign_in", "pump-2", certificate=shown)) == [False]
        assert judge(Question("sign_in", "", certificate=shown)) == [False]
        assert not broker_rules.may_sign_in("pump-1", "", "another-client", shown)
        assert not broker_rules.may_sign_in("pump-1", "wrong", "pump-1", shown), "a password that is given counts"
    certificates.revoke(made.row)
    assert judge(Question("sign_in", "pump-1", certificate=made.certificate)) == [False]


NO_CERTIFICATE = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----"


@pytest.mark.parametrize("text", ["", "x", "0" * 63, "g" * 64, NO_CERTIFICATE, "é" * 20_000])
def test_what_is_no_certificate_has_no_fingerprint(text: str) -> None:
    assert fingerprint_of(text) == ""


@pytest.mark.django_db
def test_it_is_issued_listed_and_revoked_over_rest(device: Device, owner: User, viewer: User) -> None:
    api = Rest(owner)
    answer = api.post("devices/pump-1/certificates/", {"csr": request_of(), "days": 60})
    made = answer.json()

    assert (answer.status_code, answer["Cache-Control"]) == (201, "no-store")
    assert made["certificate"].startswith("-----BEGIN CERTIFICATE-----")
    assert made["authority"] != made["certificate"]
    assert "private_key" not in made
    assert "PRIVATE KEY" in api.post("devices/pump-1/certificates/").json()["private_key"]
    assert [row["state"] for row in results(Rest(viewer).get("devices/pump-1/certificates/"))] == ["active", "active"]
    assert "PRIVATE" not in str(results(api.get("devices/pump-1/certificates/")))
    assert api.delete(f"devices/pump-1/certificates/{made['serial'].upper()}/").status_code == 204
    assert [row["state"] for row in results(api.get("devices/pump-1/certificates/"))] == ["active", "revoked"]
    assert refused(api.post("devices/pump-1/certificates/", {"csr": "x"}), 400, "invalid").keys() == {"csr"}


@pytest.mark.django_db
def test_another_device_s_certificate_is_not_revoked_by_this_address(device: Device, owner: User) -> None:
    other = make_certificate(make_device(product=device.product, key="pump-2"))
    assert Rest(owner).delete(f"devices/pump-1/certificates/{other.serial}/").status_code == 404
    assert DeviceCertificate.objects.get(pk=other.pk).revoked_at is None
