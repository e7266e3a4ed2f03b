"""Credentials of devices: issued, rotated, revoked, verified."""

from datetime import timedelta

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from iotpanel.api.errors import ApiError

from .certificates import revoke_all
from .models import Credential, Device
from .secrets import DUMMY, broker_hash, make_secret, matches
from .topics import is_device_key

MAX_GRACE = timedelta(days=7)


def issue(device: Device) -> str:
    """The secret of a new credential. The device must have none in force: the database sees to it."""
    secret = make_secret()
    Credential.objects.create(device=device, broker_hash=broker_hash(secret))
    return secret


@transaction.atomic
def rotate_secret(device: Device, *, grace: timedelta = timedelta()) -> str:
    """A new secret; the old one stops working at once, or after `grace` where we check secrets ourselves.

    Raises ApiError `grace_unsupported` where the broker reads its accounts from a file: it holds one secret each.
    """
    if grace and settings.BROKER_DIR:
        text = _("This broker knows one secret at a time.")
        raise ApiError("grace_unsupported", text, {"grace": [text]})
    if not timedelta() <= grace <= MAX_GRACE:
        raise ValidationError({"grace": _("At most seven days.")})
    Device.objects.select_for_update(no_key=True).get(pk=device.pk)  # two rotations at once: one after the other
    _end(device, valid_until=timezone.now() + grace if grace else None)
    return issue(device)


@transaction.atomic
def install_secret(device: Device, secret: str) -> None:
    """Puts a secret that `make_secret` made, and that the device has by now, in the place of the one in force."""
    Device.objects.select_for_update(no_key=True).get(pk=device.pk)
    _end(device, valid_until=None)
    Credential.objects.create(device=device, broker_hash=broker_hash(secret))


@transaction.atomic
def revoke_credentials(device: Device) -> None:
    """No secret and no certificate of this device works from now on; open sessions end within seconds."""
    Device.objects.select_for_update(no_key=True).get(pk=device.pk)
    _end(device, valid_until=None)
    revoke_all(device)


def _end(device: Device, *, valid_until: object) -> None:
    """One by one rather than with update(), so that the history of changes sees it."""
    now = timezone.now()
    for credential in Credential.objects.filter(Q(revoked_at=None) | Q(valid_until__gt=now), device=device):
        credential.revoked_at = credential.revoked_at or now
        credential.valid_until = valid_until if credential.valid_until is None else None
        credential.save(update_fields=["revoked_at", "valid_until"])


def verify_secret(key: str, secret: str) -> Device | None:
    """The enabled device whose secret this is, with its product and tenant; takes as long for keys that nobody has."""
    accepted = Q(revoked_at=None) | Q(valid_until__gt=timezone.now())
    known = Credential.objects.filter(accepted, device__key=key if is_device_key(key) else "", device__enabled=True)
    found = list(known.select_related("device__product", "device__tenant").order_by("-created_at")[:2])
    right = [matches(secret, credential.broker_hash) for credential in found] or [matches(secret, DUMMY)]
    return next((credential.device for credential, ok in zip(found, right, strict=False) if ok), None)
