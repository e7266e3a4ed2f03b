"""Test data: plain functions that make one thing by its verb; whatever is not said gets a sensible value."""

import time
from collections.abc import Sequence
from datetime import timedelta
from importlib import import_module
from itertools import count
from typing import Any

from allauth.mfa.totp.internal import auth as totp
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.test import Client
from django.utils import timezone

from devices import groups, products, provisioning
from devices.downlink import commands
from devices.enrolment.many import create_many
from devices.firmware import packages
from devices.models import Command, Device, DeviceCertificate, Firmware, Group, Product
from iotpanel.tenants import api_keys, members, tenants
from iotpanel.tenants.models import ApiKey, Membership, Role, Tenant, User

PASSWORD = "correct horse battery"
_numbers = count(1)
WITH_COMMANDS: dict[str, Any] = {
    "properties": [{"key": "n", "type": "number"}],
    "commands": [
        {
            "key": "set-level",
            "name": "Set level",
            "params": [
                {"key": "level", "type": "number", "min": 0, "max": 100, "required": True},
                {"key": "mode", "type": "text", "enum": ["soft", "hard"]},
            ],
        },
        {"key": "reboot", "name": "Reboot", "timeout": 5},
        {"key": "read-level", "name": "Read level", "idempotent": True},
        {"key": "beep", "name": "Beep", "reply": False},
    ],
}


def make_tenant(**overrides: Any) -> Tenant:
    number = next(_numbers)
    return tenants.create_tenant(**{"key": f"tenant-{number}", "name": f"Tenant {number}"} | overrides)


def make_user(**overrides: Any) -> User:
    """A person without a place in any tenant, with the password PASSWORD."""
    return members.create_person(**{"username": f"person-{next(_numbers)}", "password": PASSWORD} | overrides)


def make_superuser(**overrides: Any) -> User:
    return make_user(is_superuser=True, **overrides)


def make_member(tenant: Tenant, role: str = Role.VIEWER, **overrides: Any) -> User:
    """A person with this role in the tenant."""
    user = make_user(**overrides)
    Membership.objects.create(user=user, tenant=tenant, role=role)
    return user


def make_owner(tenant: Tenant, **overrides: Any) -> User:
    return make_member(tenant, Role.OWNER, **overrides)


def make_viewer(tenant: Tenant, **overrides: Any) -> User:
    return make_member(tenant, Role.VIEWER, **overrides)


def make_stranger(**overrides: Any) -> User:
    """The owner of a tenant of their own."""
    return make_owner(make_tenant(), **overrides)


def make_product(tenant: Tenant | None = None, **overrides: Any) -> Product:
    number = next(_numbers)
    return products.create_product(tenant or make_tenant(), **{"key": f"product-{number}", "name": f"Product {number}"} | overrides)


def make_group(tenant: Tenant | None = None, **overrides: Any) -> Group:
    number = next(_numbers)
    return groups.create_group(tenant or make_tenant(), **{"key": f"group-{number}", "name": f"Group {number}"} | overrides)


def make_device(tenant: Tenant | None = None, **overrides: Any) -> Device:
    """A device; its tenant is the product's where only that is given."""
    return make_device_with_secret(tenant, **overrides)[0]


def make_devices(tenant: Tenant, product: Product, keys: Sequence[str]) -> list[Device]:
    """Devices of one product by as few statements as it takes, in the keys' order."""
    if keys:
        create_many(tenant, product, keys)
    return sorted(Device.objects.filter(tenant=tenant, key__in=keys), key=lambda device: keys.index(device.key))


def make_device_with_secret(tenant: Tenant | None = None, **overrides: Any) -> tuple[Device, str]:
    product = overrides.pop("product", None)
    tenant = tenant or (product.tenant if product else make_tenant())
    values: dict[str, Any] = {"key": f"device-{next(_numbers)}", "product": product or make_product(tenant)} | overrides
    return provisioning.create_device(tenant, **values)


def make_api_key(tenant: Tenant | None = None, **overrides: Any) -> tuple[ApiKey, str, str]:
    """An API key, the key's text and its signing secret."""
    return api_keys.issue(tenant or make_tenant(), **{"name": "Service", "role": Role.ADMIN} | overrides)


def make_command(device: Device | None = None, **overrides: Any) -> Command:
    """A queued command; its device is of a product with WITH_COMMANDS where none is given."""
    device = device or make_device(product=make_product(thing_model=WITH_COMMANDS))
    return commands.send(device, **{"name": "reboot"} | overrides)


def make_firmware(product: Product | None = None, image: bytes = b"image" * 1_000, **overrides: Any) -> Firmware:
    """A package whose image is `image`, in pieces of 1,000 bytes."""
    pieces = (image[begin : begin + 1_000] for begin in range(0, len(image), 1_000))
    return packages.add_package(product or make_product(), pieces=pieces, **{"version": f"1.{next(_numbers)}.0"} | overrides)


def make_certificate(device: Device, **overrides: Any) -> DeviceCertificate:
    """The row of a certificate, without the certificate: in force for a year."""
    number, now = next(_numbers), timezone.now()
    values: dict[str, Any] = {"key": device.key, "serial": f"{number:x}", "fingerprint": f"{number:064x}", "key_kind": "EC P-256"}
    values |= {"device": device, "not_before": now, "not_after": now + timedelta(days=365)}
    made: DeviceCertificate = DeviceCertificate.objects.create(**values | overrides)
    return made


def make_code(secret: str, steps: int = 0) -> str:
    """What an authenticator shows, so many steps of 30 s from now: negative is before."""
    return totp.format_hotp_value(totp.hotp_value(secret, int(time.time()) // 30 + steps))


def sign_in(client: Client, user: User, backend: str | None = None) -> None:
    """Have a client be this person's browser from now on, as `Client.force_login` does: the session alone, without signals."""
    session = import_module(settings.SESSION_ENGINE).SessionStore()
    session[SESSION_KEY], session[HASH_SESSION_KEY] = str(user.pk), user.get_session_auth_hash()
    session[BACKEND_SESSION_KEY] = backend or "django.contrib.auth.backends.ModelBackend"
    session.create()
    client.cookies[settings.SESSION_COOKIE_NAME] = session.session_key
