"""The devices' own authority: what it signs, and its list of the revoked, each later than the one before."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from iotpanel.local import authority, device_authority
from iotpanel.local.home import Home
from iotpanel.local.listeners import Listeners


@pytest.fixture
def ours(tmp_path: Path) -> device_authority.Authority:
    return device_authority.ensure(tmp_path)


def listed(file: Path) -> x509.CertificateRevocationList:
    return x509.load_pem_x509_crl(file.read_bytes())


def test_a_certificate_names_the_device_and_is_for_clients_only(ours: device_authority.Authority) -> None:
    made = device_authority.issue(ours, "pump-1", ec.generate_private_key(ec.SECP256R1()).public_key(), 30)

    assert [each.value for each in made.subject] == ["pump-1"]
    assert made.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    assert authority.is_signed_by(made, ours[0])
    usage = made.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(usage) == [ExtendedKeyUsageOID.CLIENT_AUTH]
    assert made.extensions.get_extension_for_class(x509.BasicConstraints).value.ca is False
    assert timedelta(days=29) < made.not_valid_after_utc - datetime.now(UTC) < timedelta(days=31)


def test_none_outlives_its_authority(ours: device_authority.Authority) -> None:
    made = device_authority.issue(ours, "a", ec.generate_private_key(ec.SECP256R1()).public_key(), 36_500)
    assert made.not_valid_after_utc == ours[0].not_valid_after_utc


def test_the_authority_is_made_once_and_for_its_owner_s_eyes(tmp_path: Path, ours: device_authority.Authority) -> None:
    assert device_authority.ensure(tmp_path)[0] == ours[0]
    assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {0o600}


def test_each_list_is_later_than_the_one_before_and_none_lies_in_the_future(tmp_path: Path, ours: device_authority.Authority) -> None:
    file, seen = tmp_path / "crl.pem", []
    for serials in ({1}, {1, 2}, set(), {3}):
        device_authority.write_list(file, ours, serials)
        assert device_authority.revoked_in(file, ours) == serials
        seen.append(listed(file).last_update_utc)

    assert seen == sorted(set(seen))
    assert seen[-1] < datetime.now(UTC)
    assert listed(file).next_update_utc == ours[0].not_valid_after_utc  # an outdated list would lock everybody out


@pytest.mark.parametrize("content", [None, b"", b"no list", b"-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n"])
def test_a_list_that_is_none_is_begun_anew(tmp_path: Path, ours: device_authority.Authority, content: bytes | None) -> None:
    file = tmp_path / "crl.pem"
    if content is not None:
        file.write_bytes(content)
    assert device_authority.revoked_in(file, ours) is None
    device_authority.begin_list(file, ours)
    assert device_authority.revoked_in(file, ours) == set()


def test_another_authority_s_list_is_none_of_ours(tmp_path: Path, ours: device_authority.Authority) -> None:
    file = tmp_path / "crl.pem"
    device_authority.write_list(file, device_authority.ensure(tmp_path / "other"), {7})
    assert device_authority.revoked_in(file, ours) is None
    device_authority.write_list(file, ours, {8})
    device_authority.begin_list(file, ours)
    assert device_authority.revoked_in(file, ours) == {8}, "a list that holds is left alone"


def test_the_door_asks_for_a_certificate_of_ours_and_resumes_no_session(home: Home) -> None:
    doors: Any = Listeners(home.tls, mqtts=1, cert=2)
    doors.prepare()
    text = doors.settings("127.0.0.1").split("listener 2 ")[1]

    for line in ("require_certificate true", "use_identity_as_username true", "use_username_as_clientid true", "tls_version tlsv1.3"):
        assert f"\n{line}\n" in text
    assert f"cafile {home.root}/secrets/device-ca.pem" in text
    assert f"crlfile {home.broker}/device-crl.pem" in text
    assert (home.broker / "device-crl.pem").exists()
    assert "cafile" not in doors.settings("127.0.0.1").split("listener 2 ")[0]
