"""Many devices at once, with their credentials: all of them or none, and a file that is shown once."""

import csv
import io
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any, NamedTuple

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from devices.models import Claim, Credential, Device, DevicePresence, Product
from devices.provisioning import check_device_key
from devices.secrets import broker_hash, make_secret
from iotpanel.api.errors import Conflict
from iotpanel.tenants.audit import note_bulk
from iotpanel.tenants.models import Tenant
from iotpanel.tenants.validation import UNIQUE_VIOLATION

from .claims import MAX_DAYS, digest_of, make_code

MAX_AT_ONCE = 10_000
BATCH = 2_000
COLUMNS = ("key", "username", "secret", "claim_code")


class NewDevice(NamedTuple):
    """What is shown once; `code` is empty where nobody has to claim the device."""

    key: str
    secret: str
    code: str = ""


def numbered(pattern: str, count: int, first: int = 1) -> list[str]:
    """Keys out of a pattern with one `#` per digit: `pump-###` gives pump-001, pump-002. Raises ValidationError."""
    digits = pattern.count("#")
    if not digits or "#" * digits not in pattern:
        raise ValidationError({"pattern": _("Write “#” for each digit, such as pump-###.")})
    if not 1 <= count <= MAX_AT_ONCE:
        raise ValidationError({"count": _("Between %(low)d and %(high)d.") % {"low": 1, "high": MAX_AT_ONCE}})
    if first < 0 or len(str(first + count - 1)) > digits:
        raise ValidationError({"pattern": _("That many numbers need more digits.")})
    return [pattern.replace("#" * digits, str(number).zfill(digits)) for number in range(first, first + count)]


@transaction.atomic
def create_many(
    tenant: Tenant, product: Product, keys: Sequence[Any], *, claim_days: int = 0, transferable: bool = False
) -> list[NewDevice]:
    """Devices of one product, each with a secret; with `claim_days` disabled until they are claimed by their codes.

    Raises ValidationError naming bad keys, Conflict `key_taken`.
    """
    if product.tenant_id != tenant.pk:
        raise ValidationError({"product": _("There is no such product.")})
    if not 0 <= claim_days <= MAX_DAYS:
        raise ValidationError({"claim_days": _("Between %(low)d and %(high)d.") % {"low": 0, "high": MAX_DAYS}})
    _check(keys)
    rows = [Device(tenant=tenant, product=product, key=key, name=key, enabled=not claim_days) for key in keys]
    devices = _insert(rows)
    DevicePresence.objects.bulk_create([DevicePresence(device=device) for device in devices], batch_size=BATCH)
    secrets = {device.key: make_secret() for device in devices}
    credentials = [Credential(device=device, broker_hash=broker_hash(secrets[device.key])) for device in devices]
    Credential.objects.bulk_create(credentials, batch_size=BATCH)
    note_bulk([(device, {"key": ("", device.key), "product": ("", product.name)}) for device in devices], created=True)
    codes = _codes(devices, claim_days, transferable) if claim_days else {}
    return [NewDevice(device.key, secrets[device.key], codes.get(device.key, "")) for device in devices]


def _check(keys: Sequence[Any]) -> None:
    if not 1 <= len(keys) <= MAX_AT_ONCE:
        raise ValidationError({"keys": _("Between %(low)d and %(high)d.") % {"low": 1, "high": MAX_AT_ONCE}})
    bad = []
    for key in keys:
        try:
            check_device_key(key)
        except ValidationError:
            bad.append(repr(key)[:80])
    if bad:
        raise ValidationError({"keys": _("These are no keys: %(keys)s") % {"keys": ", ".join(bad[:20])}})
    if len(set(keys)) < len(keys):
        raise ValidationError({"keys": _("A key stands there twice.")})


def _insert(rows: list[Device]) -> list[Device]:
    taken = list(Device.objects.filter(key__in=[row.key for row in rows]).values_list("key", flat=True)[:20])
    try:
        with transaction.atomic():
            return Device.objects.bulk_create(rows, batch_size=BATCH)
    except IntegrityError as error:
        if getattr(error.__cause__, "sqlstate", "") != UNIQUE_VIOLATION:
            raise
        own = Device.objects.for_tenant(rows[0].tenant).filter(key__in=taken).values_list("key", flat=True)
        raise Conflict("key_taken", _("These keys are taken."), {"keys": list(own)}) from error  # foreign ones are not named


def _codes(devices: list[Device], days: int, transferable: bool) -> dict[str, str]:
    until = timezone.now() + timedelta(days=days)
    codes = {device.key: make_code() for device in devices}
    rows = [Claim(device=each, digest=digest_of(codes[each.key]), expires_at=until, transferable=transferable) for each in devices]
    Claim.objects.bulk_create(rows, batch_size=BATCH)
    return codes


def lines(made: Sequence[NewDevice]) -> Iterator[str]:
    """The file, a few hundred rows at a time. No cell can be a formula: keys begin with a letter or digit."""
    yield ",".join(COLUMNS) + "\r\n"
    for start in range(0, len(made), 500):
        buffer = io.StringIO()
        csv.writer(buffer).writerows((each.key, each.key, each.secret, each.code) for each in made[start : start + 500])
        yield buffer.getvalue()
