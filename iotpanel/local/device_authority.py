"""The authority of the devices: a root of its own, so that no other certificate opens their door, and its list of revoked ones.

It stands in ``$IOTPANEL_HOME/secrets``; the list is a file of the broker's. Nothing here knows of databases.
"""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from iotpanel.local import authority
from iotpanel.local.home import write_private

NAME, COMMON_NAME = "device-ca", "iotpanel devices"
REVOKED = "device-crl.pem"
BACK = timedelta(minutes=5)
"""The list is dated back by so much: each one must be later than the one before, and none may lie in the future."""
PublicKey = ec.EllipticCurvePublicKey | rsa.RSAPublicKey | ed25519.Ed25519PublicKey
Authority = tuple[x509.Certificate, authority.Key]


def ensure(secrets: Path) -> Authority:
    """The authority, made where there is none yet."""
    return authority.root(secrets, NAME, COMMON_NAME)


def issue(ours: Authority, key: str, public_key: PublicKey, days: int) -> x509.Certificate:
    """A certificate whose common name is the device's key, which the broker takes for the user name."""
    issuer, issuer_key = ours
    now = datetime.now(UTC)
    usage = x509.KeyUsage(True, False, False, False, False, False, False, False, False)
    builder = (
        x509.CertificateBuilder()
        .issuer_name(issuer.subject)
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, key)]))
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - authority.LEEWAY)
        .not_valid_after(min(now + timedelta(days=days), issuer.not_valid_after_utc))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False)
    )
    return builder.sign(issuer_key, hashes.SHA256())


def revoked_in(file: Path, ours: Authority) -> set[int] | None:
    """The serial numbers on the list; None where there is no list, or another authority signed it."""
    found = _read(file)
    if found is None or not found.is_signature_valid(ours[1].public_key()):
        return None
    return {each.serial_number for each in found}


def write_list(file: Path, ours: Authority, serials: Iterable[int]) -> None:
    """The list, swapped in at once. Later than the one before by a second at least: of two lists the broker obeys the later."""
    before = _read(file)
    at = (datetime.now(UTC) - BACK).replace(microsecond=0)
    if before is not None and before.last_update_utc >= at:
        at = before.last_update_utc + timedelta(seconds=1)
    builder = x509.CertificateRevocationListBuilder().issuer_name(ours[0].subject)
    # For as long as the authority itself: an outdated list would lock everybody out.
    builder = builder.last_update(at).next_update(ours[0].not_valid_after_utc)
    for serial in sorted(serials):
        revoked = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(at)
        builder = builder.add_revoked_certificate(revoked.build())
    write_private(file, authority.crl_text(builder.sign(ours[1], hashes.SHA256())))


def _read(file: Path) -> x509.CertificateRevocationList | None:
    try:
        return x509.load_pem_x509_crl(file.read_bytes())
    except (OSError, ValueError):
        return None


def begin_list(file: Path, ours: Authority) -> None:
    """An empty list where there is none: without it the broker would let revoked certificates in, or not start."""
    if revoked_in(file, ours) is None:
        write_list(file, ours, ())
