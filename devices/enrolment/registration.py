"""Self-registration: a device that knows its product's secret gets credentials of its own.

Who holds the product's secret can ask for any serial number that has not been used yet: that is what one secret for
many devices means. The list, the approval queue, and that credentials are given out only until they are first used
keep it within bounds.
"""

from typing import NamedTuple

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from devices.credentials import issue, rotate_secret
from devices.models import Device, DevicePresence, RegistrationMode, RegistrationPolicy, Serial, SerialState
from devices.provisioning import insert_device
from devices.secrets import DUMMY, matches
from iotpanel.api.errors import Conflict, Forbidden, Unauthorized

from .policies import clean_serial, key_for


class Registered(NamedTuple):
    """The device and its secret; None while somebody has to approve it."""

    device: Device
    secret: str


@transaction.atomic
def register(product: str, secret: str, serial: str, *, address: str | None = None) -> Registered | None:
    """Credentials for the device of this serial number. `product` is `<tenant's key>/<product's key>`.

    The same device until it has used its credentials: each time with a new secret, as we keep none in readable form.
    Raises Unauthorized `wrong_secret`, Forbidden `registration_closed`, `serial_unknown`, `serial_denied`,
    `too_many_devices`, Conflict `already_registered`, `key_taken`, ValidationError by field.
    """
    policy = _policy(product, secret)
    found = ask(policy, serial, address)
    return _let_in(*found) if found else None


def ask(policy: RegistrationPolicy, serial: str, address: str | None) -> tuple[Serial, RegistrationPolicy, str] | None:
    """The serial number's row, locked, and the key of its device; None while somebody has to approve it. Needs a transaction."""
    try:
        key = key_for(policy, clean_serial(serial))
    except ValidationError as error:
        raise ValidationError({"serial": error.error_list}) from error
    row = _row(policy, serial)
    row.asked_at, row.address = timezone.now(), address or None
    if policy.approval and row.state == SerialState.LISTED:
        row.state = SerialState.PENDING
    if row.state == SerialState.PENDING and policy.approval:
        row.save(update_fields=["asked_at", "address", "state"])
        return None
    return row, policy, key


def known(product: str) -> RegistrationPolicy | None:
    """The policy of a product, `<tenant's key>/<product's key>`."""
    tenant_key, _slash, key = product.partition("/")
    found: RegistrationPolicy | None = (
        RegistrationPolicy.objects.select_related("product__tenant").filter(product__key=key, product__tenant__key=tenant_key).first()
    )
    return found


def _policy(product: str, secret: str) -> RegistrationPolicy:
    """The policy whose secret this is; takes as long for products that nobody has."""
    found = known(product)
    if not matches(secret, (found and found.secret_hash) or DUMMY) or found is None:
        raise Unauthorized("wrong_secret", _("There is no such product, or its secret is another."))
    return opened(found)


def opened(policy: RegistrationPolicy) -> RegistrationPolicy:
    """Raises Forbidden `registration_closed`."""
    if policy.mode == RegistrationMode.CLOSED:
        raise Forbidden("registration_closed", _("Devices of this product do not register themselves."))
    return policy


def _row(policy: RegistrationPolicy, serial: str) -> Serial:
    """The serial number's row, locked, so that two that ask at once are one after the other."""
    RegistrationPolicy.objects.select_for_update(no_key=True).get(pk=policy.pk)
    row: Serial | None = Serial.objects.select_for_update(no_key=True).filter(product=policy.product, serial=serial).first()
    if row is not None and row.state == SerialState.DENIED:
        raise Forbidden("serial_denied", _("This serial number was denied."))
    if row is not None:
        row.product = policy.product
        return row
    if policy.mode == RegistrationMode.LISTED:
        raise Forbidden("serial_unknown", _("This serial number is not on the product's list."))
    if Serial.objects.filter(product=policy.product).count() >= policy.max_devices:
        raise Forbidden("too_many_devices", _("The product takes no more devices."))
    made: Serial = Serial.objects.create(product=policy.product, serial=serial)
    return made


def _let_in(row: Serial, policy: RegistrationPolicy, key: str) -> Registered:
    device = row.device
    if row.state == SerialState.REGISTERED and (device is None or _was_used(device)):
        raise Conflict("already_registered", _("This device is registered and has used its credentials."))
    if device is None:
        device = insert_device(policy.product.tenant, key, {"name": row.serial, "product": policy.product})
        secret = issue(device)
    else:
        secret = rotate_secret(device)
    note(row, device)
    return Registered(device, secret)


def note(row: Serial, device: Device) -> None:
    """The device of this serial number has its credentials."""
    row.device, row.state, row.registered_at = device, SerialState.REGISTERED, timezone.now()
    row.save(update_fields=["device", "state", "registered_at", "asked_at", "address"])


def _was_used(device: Device) -> bool:
    """Whether it has been heard, by whatever way."""
    return DevicePresence.objects.filter(device=device, last_seen__isnull=False).exists()
