"""Which devices something is about, as a part of a form: a product, a group, single devices, labels."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from django.utils.translation import gettext as _

from devices.models import Group, Product
from iotpanel.tenants.models import Tenant

MOST = 500
PARTS = ("product", "group", "devices", "labels")


class ScopeForm(NamedTuple):
    """What the fields hold, and what they can be chosen from."""

    product: str
    group: str
    devices: str
    labels: str
    products: list[tuple[str, str]]
    groups: list[tuple[str, str]]


def scope_form(tenant: Tenant, scope: Mapping[str, Any], sent: Mapping[str, str] | None = None) -> ScopeForm:
    """The fields for a scope; `sent` is what a person typed, which stands again where it was refused."""
    texts = {name: sent.get(f"scope.{name}", "") for name in PARTS} if sent is not None else _texts(scope)
    products = list(Product.objects.for_tenant(tenant).order_by("name", "pk").values_list("key", "name")[:MOST])
    groups = list(Group.objects.for_tenant(tenant).order_by("name", "pk").values_list("key", "name")[:MOST])
    return ScopeForm(**texts, products=products, groups=groups)


def _texts(scope: Mapping[str, Any]) -> dict[str, str]:
    labels = scope.get("labels") or {}
    return {
        "product": str(scope.get("product", "")),
        "group": str(scope.get("group", "")),
        "devices": ", ".join(scope.get("devices") or []),
        "labels": "\n".join(f"{name}: {value}" for name, value in labels.items()),
    }


def read_scope(sent: Mapping[str, str]) -> dict[str, Any]:
    """The scope that a form sent: parts that are empty are left out."""
    scope: dict[str, Any] = {name: sent[f"scope.{name}"] for name in ("product", "group") if sent.get(f"scope.{name}")}
    if keys := sent.get("scope.devices", "").replace(",", " ").replace(";", " ").split():
        scope["devices"] = list(dict.fromkeys(keys))
    if lines := [line.partition(":") for line in sent.get("scope.labels", "").splitlines() if line.strip()]:
        scope["labels"] = {name.strip(): value.strip() for name, _colon, value in lines}
    return scope


def scope_words(tenant: Tenant, scope: Mapping[str, Any]) -> str:
    """Which devices, in words."""
    if not scope:
        return _("all devices")
    names = {("product", key): name for key, name in Product.objects.for_tenant(tenant).values_list("key", "name")[:MOST]}
    names |= {("group", key): name for key, name in Group.objects.for_tenant(tenant).values_list("key", "name")[:MOST]}
    parts = [names.get((part, scope[part]), scope[part]) for part in ("product", "group") if scope.get(part)]
    parts += [", ".join(scope["devices"][:5]) + (" …" if len(scope["devices"]) > 5 else "")] if scope.get("devices") else []
    return " · ".join([*parts, *(f"{name}: {value}" for name, value in (scope.get("labels") or {}).items())])
