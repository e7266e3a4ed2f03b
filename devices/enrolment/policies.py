"""A product's registration policy: who may register, what the devices are called, and the secret that they share."""

import re
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from devices.certificates.chain import is_authority, read_certificates
from devices.models import Product, RegistrationMode, RegistrationPolicy
from devices.provisioning import check_device_key
from devices.secrets import broker_hash, make_secret
from iotpanel.local.authority import text_of
from iotpanel.tenants.validation import Problems, clean_choice, clean_integer, refuse_unknown

PLACEHOLDER = "{serial}"
SERIAL = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:-]{0,63}")
MAX_DEVICES = 1_000_000
MAX_COMMON_NAME = 128


def policy_of(product: Product) -> RegistrationPolicy:
    """The product's policy; a closed one that is not saved where nobody has made one."""
    return RegistrationPolicy.objects.filter(product=product).first() or RegistrationPolicy(product=product)


@transaction.atomic
def set_policy(product: Product, **changes: Any) -> RegistrationPolicy:
    """Changes `mode`, `approval`, `key_template`, `max_devices`, `authority`, `common_name`. Raises ValidationError by field."""
    refuse_unknown(changes, _CLEAN)
    policy, _made = RegistrationPolicy.objects.get_or_create(product=product)
    problems = Problems()
    for field, value in changes.items():
        with problems.of(field):
            setattr(policy, field, _CLEAN[field](value))
    problems.raise_any()
    policy.save()
    return policy


@transaction.atomic
def new_product_secret(product: Product) -> str:
    """The secret that the product's devices share, shown once; the one before ends at once. Registered devices keep theirs."""
    policy, _made = RegistrationPolicy.objects.get_or_create(product=product)
    secret = make_secret()
    policy.secret_hash, policy.secret_made_at = broker_hash(secret), timezone.now()
    policy.save()
    return secret


def clean_serial(value: Any) -> str:
    """A serial number: a key that may hold colons, as MAC addresses do. Raises ValidationError."""
    if not isinstance(value, str) or SERIAL.fullmatch(value) is None:
        raise ValidationError(_("Letters, digits, “_”, “.”, “:”, “-”; at most 64."), code="bad_serial")
    return value


def key_for(policy: RegistrationPolicy, serial: str) -> str:
    """What the device of this serial number is called. Raises ValidationError where that is no key."""
    key = policy.key_template.replace(PLACEHOLDER, serial.replace(":", "-"))
    check_device_key(key)
    return key


def _clean_template(value: Any) -> str:
    if not isinstance(value, str) or value.count(PLACEHOLDER) != 1:
        raise ValidationError(_("A key with {serial} in it, such as acme-{serial}."), code="bad_template")
    check_device_key(value.replace(PLACEHOLDER, "0"))
    return value


def serial_of(policy: RegistrationPolicy, name: str) -> str:
    """The serial number in a certificate's common name; empty where it is none of the product's names."""
    before, _placeholder, after = policy.common_name.partition(PLACEHOLDER)
    if not (name.startswith(before) and name.endswith(after) and len(name) > len(before) + len(after)):
        return ""
    return name[len(before) : len(name) - len(after)]


def _clean_authority(value: Any) -> str:
    """Certificates in PEM, in one form, so that the same ones are the same text."""
    if value == "":
        return ""
    found = read_certificates(value)
    if not all(map(is_authority, found)):
        raise ValidationError(_("One of these certificates may not sign others."), code="bad_certificate")
    return "".join(map(text_of, found))


def _clean_common_name(value: Any) -> str:
    if not isinstance(value, str) or value.count(PLACEHOLDER) != 1 or len(value) > MAX_COMMON_NAME or not value.isprintable():
        raise ValidationError(_("A name with {serial} in it, such as pump-{serial}.example.org."), code="bad_template")
    return value


def _clean_flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValidationError(_("This must be true or false."), code="bad_type")
    return value


_CLEAN: dict[str, Any] = {
    "mode": lambda value: clean_choice(value, RegistrationMode),
    "approval": _clean_flag,
    "key_template": _clean_template,
    "authority": _clean_authority,
    "common_name": _clean_common_name,
    "max_devices": lambda value: clean_integer(value, low=1, high=MAX_DEVICES),
}
