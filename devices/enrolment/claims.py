"""Claiming: whoever holds the code on a prepared device takes it into use, in their own tenant.

A prepared device is disabled until it is claimed, so that a box in a warehouse cannot talk into anybody's data.
"""

import secrets
from collections.abc import Iterable
from datetime import timedelta

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _

from devices.models import Claim, Device, DevicePresence, Group, Product, Serial
from devices.products import create_product
from devices.provisioning import update_device
from iotpanel.api.errors import Conflict, Forbidden, Unprocessable
from iotpanel.tenants.models import Tenant, User

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's: no letter that looks like another one
LOOKS_LIKE = str.maketrans({"O": "0", "I": "1", "L": "1"})
LENGTH, STEP = 16, 4  # 80 bits
MAX_DAYS = 3660
_SALT = "iotpanel.devices.claims"


def make_code() -> str:
    """A new code, such as 7K2M-9QXR-04TD-WH3B."""
    text = "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))
    return "-".join(text[start : start + STEP] for start in range(0, LENGTH, STEP))


def digest_of(code: str, secret: str | None = None) -> str:
    """What is kept of a code. Keyed, so that who reads the table cannot try codes; however people type it."""
    plain = "".join(character for character in code.upper().translate(LOOKS_LIKE) if character.isalnum())
    return salted_hmac(_SALT, plain, secret=secret or str(settings.SECRET_KEY), algorithm="sha256").hexdigest()


@transaction.atomic
def prepare(device: Device, *, days: int = 365, transferable: bool = False) -> tuple[Claim, str]:
    """Disables a device that has never been heard until it is claimed; returns the code, which nobody can show again.

    A code that it had ends. Raises Conflict `in_use` for a device that talks, ValidationError.
    """
    if not isinstance(days, int) or isinstance(days, bool) or not 1 <= days <= MAX_DAYS:
        raise ValidationError({"days": _("Between %(low)d and %(high)d.") % {"low": 1, "high": MAX_DAYS}})
    if DevicePresence.objects.filter(device=device, last_seen__isnull=False).exists():
        raise Conflict("in_use", _("This device is in use already."))
    Claim.objects.filter(device=device).delete()
    code = make_code()
    until = timezone.now() + timedelta(days=days)
    made = Claim.objects.create(device=device, digest=digest_of(code), expires_at=until, transferable=transferable)
    if device.enabled:
        update_device(device, enabled=False)
    return made, code


@transaction.atomic
def claim(
    tenant: Tenant,
    code: str,
    *,
    name: str = "",
    groups: Iterable[Group] = (),
    may_transfer: bool = True,
    person: User | None = None,
) -> Device:
    """Takes the device of this code into use in the tenant, enabled and with its credentials; `person` is None for an API key.

    Raises Unprocessable `wrong_code` (also for codes of other tenants that are not transferable), `code_expired`,
    `code_used`, Forbidden `permission_denied` where the device would have to move and `may_transfer` is false.
    """
    found = _find(code, tenant)
    device: Device = Device.objects.select_related("product", "tenant").get(pk=found.device_id)
    if device.tenant_id != tenant.pk:
        if not may_transfer:
            raise Forbidden("permission_denied", _("An administrator has to claim this device."))
        _move(device, tenant)
    changes = {"name": name} if name else {}
    update_device(device, enabled=True, groups=groups, **changes)
    found.claimed_at, found.claimed_by = timezone.now(), person
    found.save(update_fields=["claimed_at", "claimed_by"])
    return device


@transaction.atomic
def revoke(row: Claim) -> None:
    """Ends a code that nobody has used; its device stays as it is. Raises Conflict `code_used`. One that is gone has ended already."""
    found = Claim.objects.select_for_update().filter(pk=row.pk).first()
    if found is None:
        return
    if found.claimed_at is not None:
        raise Conflict("code_used", _("This device has been claimed already."))
    found.delete()


def _find(code: str, tenant: Tenant) -> Claim:
    """The claim of this code, locked: of two who claim at once one is told that it is used."""
    digests = [digest_of(code, str(secret)) for secret in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)]
    found = Claim.objects.select_for_update(of=("self",)).select_related("device").filter(digest__in=digests).first()
    if found is None or (found.device.tenant_id != tenant.pk and not found.transferable):
        raise Unprocessable("wrong_code", _("No device waits for this code."))
    if found.claimed_at is not None:
        raise Unprocessable("code_used", _("This device has been claimed already."))
    if found.expires_at <= timezone.now():
        raise Unprocessable("code_expired", _("This code has expired. Ask for a new one where the device comes from."))
    return found


def _move(device: Device, tenant: Tenant) -> None:
    """Into another tenant, which it has never been heard in: nothing of the old one comes along but its credentials.

    The old tenant's registration list forgets it, so that the product's secret opens it no more.
    """
    Serial.objects.filter(device=device).update(device=None)
    device.children.update(parent=None)
    device.groups.clear()
    device.product, device.tenant, device.parent = _product_in(tenant, device.product), tenant, None
    device.save(update_fields=["product", "tenant", "parent", "updated_at"])


def _product_in(tenant: Tenant, product: Product) -> Product:
    """The tenant's product of this key, else a copy of the one that the device came with."""
    own: Product | None = Product.objects.for_tenant(tenant).filter(key=product.key).first()
    if own is not None:
        return own
    fields = ("name", "description", "thing_model", "codec_kind", "codec_script", "codec_samples", "offline_after", "unknown_properties")
    return create_product(tenant, key=product.key, **{field: getattr(product, field) for field in fields})
