"""Devices: made, changed, deleted, and registered by their gateways."""

from collections.abc import Callable, Iterable
from math import isfinite
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from iotpanel.api.errors import Conflict
from iotpanel.tenants.limits import LIMITS
from iotpanel.tenants.models import Tenant
from iotpanel.tenants.validation import Problems, check_key, clean_text, refuse_new_key, refuse_unknown, save_new

from .credentials import issue, revoke_credentials, rotate_secret, verify_secret
from .exceptions import Invalid
from .labels import clean_labels
from .models import Device, DevicePresence, Group, Product
from .topics import RESERVED_PREFIX, is_device_key

__all__ = [
    "create_device",
    "delete_device",
    "register_child",
    "revoke_credentials",
    "rotate_secret",
    "update_device",
    "verify_secret",
]

MAX_REGISTERED_CHILDREN = 5_000  # a gateway gone mad must not fill the registry
MAX_GROUPS = 100


@transaction.atomic
def create_device(
    tenant: Tenant,
    *,
    key: str,
    name: str = "",
    product: Product,
    parent: Device | None = None,
    groups: Iterable[Group] = (),
    labels: dict[str, str] | None = None,
    latitude: float | None = None,
    longitude: float | None = None,
    enabled: bool = True,
    rate_limit: float | None = None,
    rate_burst: int | None = None,
) -> tuple[Device, str]:
    """A new device and its secret, which nobody can show again. `name` is the key where it is empty; degrees are WGS 84.

    Raises ValidationError by field, Conflict `key_taken`.
    """
    values: dict[str, Any] = {"name": name or key, "product": product, "parent": parent, "groups": groups, "labels": labels}
    values |= {"latitude": latitude, "longitude": longitude, "enabled": enabled}
    values |= {"rate_limit": rate_limit, "rate_burst": rate_burst}
    device = insert_device(tenant, key, values)
    return device, issue(device)


def insert_device(tenant: Tenant, key: str, values: dict[str, Any]) -> Device:
    """A device without credentials, with its presence. For the verbs of this package; needs a transaction."""
    device = Device(tenant=tenant, key=key)
    problems = Problems()
    with problems.of("key"):
        check_device_key(key)
    groups = apply(device, values, problems)
    save_new(device)
    device.groups.set(groups or [])
    DevicePresence.objects.create(device=device)
    return device


@transaction.atomic
def update_device(device: Device, **changes: Any) -> Device:
    """Changes any field of `create_device` but the key. Raises ValidationError by field; gateways form no circles."""
    refuse_new_key(device.key, changes)
    refuse_unknown(changes, _CLEAN | dict.fromkeys(("product", "parent", "groups")))
    if changes.get("parent") is not None:  # two moves at once could close a circle that neither sees
        Tenant.objects.select_for_update(no_key=True).get(pk=device.tenant_id)
    groups = apply(device, changes, Problems())
    device.save(update_fields=[*(field for field in changes if field != "groups"), "updated_at"])
    if groups is not None:
        device.groups.set(groups)
    return device


@transaction.atomic
def delete_device(device: Device) -> None:
    """Its account ends at once, its children stay without a gateway, its readings go in the background."""
    device.delete()


@transaction.atomic
def register_child(gateway: Device, key: str) -> Device:
    """The child that a gateway speaks for and nobody knew, with the product that the gateway's product names.

    It has no credentials: it talks through its gateway. Raises Invalid("unknown_child") where the gateway's
    product does not register children, or the key is not legal, taken, or one too many.
    """
    product = gateway.product
    if not product.register_children or product.child_product is None:
        raise Invalid("unknown_child", "the gateway's product registers no children")
    if Device.objects.filter(parent=gateway).count() >= MAX_REGISTERED_CHILDREN:
        raise Invalid("unknown_child", f"the gateway has {MAX_REGISTERED_CHILDREN} children already")
    try:
        return insert_device(gateway.tenant, key, {"name": key, "product": product.child_product, "parent": gateway})
    except (ValidationError, Conflict) as error:
        raise Invalid("unknown_child", "the key is not legal or belongs to another device") from error


@transaction.atomic
def adopt_child(gateway: Device, *, key: str, product: Product, name: str = "") -> Device:
    """A child that talks through its gateway, without credentials of its own. Raises ValidationError, Conflict `key_taken`."""
    return insert_device(gateway.tenant, key, {"name": name or key, "product": product, "parent": gateway})


def check_device_key(key: Any) -> None:
    """Raises ValidationError where no device may be called so."""
    check_key(key)
    if not is_device_key(key):
        raise ValidationError(_("Names that begin with “%(prefix)s” are reserved."), code="reserved", params={"prefix": RESERVED_PREFIX})


def apply(device: Device, changes: dict[str, Any], problems: Problems) -> list[Group] | None:
    """Checks and sets; returns the groups to be set after the save. Raises ValidationError by field."""
    groups: list[Group] | None = None
    for field in [name for name in changes if name in _CLEAN]:
        with problems.of(field):
            setattr(device, field, _CLEAN[field](changes[field]))
    with problems.of("product"):
        if "product" in changes:
            device.product = _clean_product(device, changes["product"])
    with problems.of("parent"):
        if "parent" in changes:
            device.parent = _clean_parent(device, changes["parent"])
    with problems.of("groups"):
        if "groups" in changes:
            groups = _clean_groups(device, changes["groups"])
    with problems.of("latitude"):
        if not {"latitude", "longitude"} & set(problems.by_field) and (device.latitude is None) != (device.longitude is None):
            raise ValidationError(_("A location has a latitude and a longitude."), code="incomplete")
    problems.raise_any()
    return groups


def _clean_product(device: Device, product: Product | None) -> Product:
    if product is None or product.tenant_id != device.tenant_id:
        raise ValidationError(_("There is no such product."), code="unknown")
    return product


def _clean_parent(device: Device, parent: Device | None) -> Device | None:
    """Walks up to the top: the way is as long as gateways are nested, a handful of rows."""
    if parent is None:
        return None
    if parent.tenant_id != device.tenant_id:
        raise ValidationError(_("There is no such device."), code="unknown")
    above: Device | None = parent
    while above is not None and device.pk:
        if above.pk == device.pk:
            raise ValidationError(_("A device cannot be below itself."), code="cycle")
        above = Device.objects.filter(pk=above.parent_id).first() if above.parent_id else None
    return parent


def _clean_groups(device: Device, groups: Iterable[Group] | None) -> list[Group]:
    found = list(groups or ())
    if any(group.tenant_id != device.tenant_id for group in found):
        raise ValidationError(_("There is no such group."), code="unknown")
    if len(found) > MAX_GROUPS:
        raise ValidationError(_("At most %(limit)d groups."), code="too_many", params={"limit": MAX_GROUPS})
    return found


def _degrees(limit: float) -> Callable[[Any], float | None]:
    def clean(value: Any) -> float | None:
        if value is None:
            return None
        if not isinstance(value, int | float) or isinstance(value, bool) or not isfinite(value) or abs(value) > limit:
            raise ValidationError(_("A number of degrees from −%(limit)d to %(limit)d."), code="out_of_range", params={"limit": limit})
        return float(value)

    return clean


def _clean_enabled(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValidationError(_("This must be true or false."), code="bad_type")
    return value


_CLEAN: dict[str, Callable[[Any], Any]] = {
    "name": clean_text,
    "labels": clean_labels,
    "latitude": _degrees(90),
    "longitude": _degrees(180),
    "enabled": _clean_enabled,
    **LIMITS,
}
