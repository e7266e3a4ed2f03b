"""Scopes: which of a tenant's devices something is about. An empty scope is about all of them."""

from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from devices.models import Device, Group, Product
from iotpanel.tenants.models import Tenant
from iotpanel.tenants.validation import clean_json

PARTS = ("product", "group", "devices", "labels")
MAX_DEVICES = 1_000


def clean_scope(tenant: Tenant, given: Any) -> dict[str, Any]:
    """A scope whose keys exist in the tenant. Raises ValidationError."""
    if not isinstance(given, dict) or set(given) - set(PARTS):
        raise ValidationError(_("A scope is an object with “product”, “group”, “devices” or “labels”."), code="bad_scope")
    clean_json(given)
    for name, model in (("product", Product), ("group", Group)):
        if name in given and not _exists(model, tenant, [given[name]]):
            raise ValidationError(_("There is no “%(key)s”.") % {"key": str(given[name])[:64]}, code="unknown")
    devices = given.get("devices", [])
    if not isinstance(devices, list) or len(devices) > MAX_DEVICES or not _exists(Device, tenant, devices):
        raise ValidationError(_("“devices” is a list of keys of devices that exist."), code="unknown")
    labels = given.get("labels", {})
    if not isinstance(labels, dict) or not all(isinstance(value, str) for value in labels.values()):
        raise ValidationError(_("“labels” is an object of texts."), code="bad_scope")
    return dict(given)


def _exists(model: Any, tenant: Tenant, keys: list[Any]) -> bool:
    if not all(isinstance(key, str) and "\0" not in key for key in keys):
        return False
    return bool(model.objects.for_tenant(tenant).filter(key__in=keys).count() == len(set(keys)))
