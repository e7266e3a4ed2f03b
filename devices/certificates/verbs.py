"""Certificates of devices: issued, revoked."""

from datetime import UTC, datetime
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from devices.models import Device, DeviceCertificate
from iotpanel.api.errors import Conflict
from iotpanel.local import authority, device_authority

from .requests import kind_of, read_request

DAYS, MAX_DAYS = 365, 3650
MAX_IN_FORCE = 5  # of one device: two while one takes over from the other, and some to spare
AUTHORITY_LOCK = 0x10F_CA  # of PostgreSQL: of two processes that begin at once, one makes the authority


class Issued(NamedTuple):
    """The row, the certificate in PEM, and the private key where we made it: shown once, kept nowhere."""

    row: DeviceCertificate
    certificate: str
    private_key: str


def our_authority() -> device_authority.Authority:
    """The authority of this platform, made at its first use. Needs a transaction."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [AUTHORITY_LOCK])
    return device_authority.ensure(settings.DEVICE_CA_DIR)


@transaction.atomic
def our_authority_text() -> str:
    """The authority's certificate in PEM, which brokers of others need."""
    return authority.text_of(our_authority()[0])


@transaction.atomic
def issue(device: Device, *, csr: str = "", days: int = DAYS) -> Issued:
    """A certificate for the key of a request, or for a key pair that is made here where there is none.

    The older ones stay in force, so that a device changes over without a gap. Raises ValidationError by field,
    Conflict `too_many_certificates`.
    """
    if not isinstance(days, int) or isinstance(days, bool) or not 1 <= days <= MAX_DAYS:
        raise ValidationError({"days": _("Between %(low)d and %(high)d.") % {"low": 1, "high": MAX_DAYS}})
    made = None if csr else ec.generate_private_key(ec.SECP256R1())
    public_key = made.public_key() if made is not None else read_request(csr)
    Device.objects.select_for_update(no_key=True).get(pk=device.pk)
    if DeviceCertificate.objects.filter(device=device, revoked_at=None, not_after__gt=timezone.now()).count() >= MAX_IN_FORCE:
        raise Conflict("too_many_certificates", _("This device has %(limit)d certificates: revoke one first.") % {"limit": MAX_IN_FORCE})
    signed = device_authority.issue(our_authority(), device.key, public_key, days)
    row = _row(device, signed, kind_of(public_key))
    return Issued(row, authority.text_of(signed), authority.private_text(made) if made is not None else "")


def _row(device: Device, signed: x509.Certificate, kind: str) -> DeviceCertificate:
    row: DeviceCertificate = DeviceCertificate.objects.create(
        device=device,
        key=device.key,
        serial=f"{signed.serial_number:x}",
        fingerprint=signed.fingerprint(hashes.SHA256()).hex(),
        key_kind=kind,
        not_before=signed.not_valid_before_utc,
        not_after=signed.not_valid_after_utc,
    )
    return row


@transaction.atomic
def revoke(certificate: DeviceCertificate) -> DeviceCertificate:
    """It opens no door from now on; its session ends within seconds. Twice is as good as once."""
    locked: DeviceCertificate = DeviceCertificate.objects.select_for_update(of=("self",), no_key=True).get(pk=certificate.pk)
    if locked.revoked_at is None:
        locked.revoked_at = datetime.now(UTC)
        locked.save(update_fields=["revoked_at"])
    return locked


@transaction.atomic
def revoke_all(device: Device) -> None:
    """One by one rather than with update(), so that the history of changes sees it."""
    for certificate in DeviceCertificate.objects.filter(device=device, revoked_at=None):
        revoke(certificate)
