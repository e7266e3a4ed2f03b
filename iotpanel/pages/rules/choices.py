"""What the rule page lets people choose from: products with their thing models, groups, actions with their fields."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.db.models import QuerySet

from devices.models import Device, DiscoveredProperty, Group, Product
from devices.thing_model import Property
from iotpanel.tenants.models import Tenant
from rules.wording import Known, Names
from telemetry.tiles import model_of

MOST = 500
FIELDS = ("key", "name", "type", "unit", "enum")
Choice = dict[str, Any]


def products(tenant: Tenant) -> list[Choice]:
    """Every product of the tenant with what a rule can look at; what only devices say has no unit."""
    found: QuerySet[Product] = Product.objects.for_tenant(tenant).order_by("name", "pk")[:MOST]
    said: dict[int, list[tuple[str, str]]] = {}
    for product_id, kind, key in DiscoveredProperty.objects.filter(product__in=list(found)).values_list("product_id", "kind", "key"):
        said.setdefault(product_id, []).append((kind, key))
    return [_product(product, said.get(product.pk, [])) for product in found]


def _product(product: Product, said: Sequence[tuple[str, str]]) -> Choice:
    model = model_of(product)
    more = {kind: [{"key": key, "name": key, "type": "number"} for each, key in said if each == kind] for kind in ("property", "attribute")}
    return {
        "key": product.key,
        "name": product.name,
        "properties": [*_properties(model.properties.values()), *more["property"]],
        "attributes": [*_properties(model.attributes.values()), *more["attribute"]],
        "events": [{"key": event.key, "name": event.name, "params": _properties(event.params.values())} for event in model.events.values()],
        "commands": [[command.key, command.name or command.key] for command in model.commands.values()],
    }


def _properties(some: Iterable[Property]) -> list[Choice]:
    return [{name: getattr(each, name) for name in FIELDS if getattr(each, name) not in (None, "", ())} for each in some]


def any_product(found: Sequence[Choice]) -> dict[str, list[Choice]]:
    """The properties and attributes of all products, each once."""
    return {
        part: list({each["key"]: each for product in found for each in product[part]}.values())[:MOST]
        for part in ("properties", "attributes")
    }


def groups(tenant: Tenant) -> list[tuple[str, str]]:
    rows = Group.objects.for_tenant(tenant).order_by("name", "pk").values_list("key", "name")[:MOST]
    return [(key, name) for key, name in rows]


def names(tenant: Tenant, body: Mapping[str, Any]) -> Names:
    """What the keys of a body are called, for its sentence."""
    scope = body.get("scope")
    scope = scope if isinstance(scope, Mapping) else {}
    found: QuerySet[Product] = Product.objects.for_tenant(tenant)
    if isinstance(scope.get("product"), str):
        found = found.filter(key=scope["product"].replace("\0", ""))
    properties: dict[str, Known] = {}
    for product in found[:MOST]:
        model = model_of(product)
        for each in [*model.properties.values(), *model.attributes.values()]:
            properties.setdefault(each.key, Known(each.name or each.key, each.unit or ""))
    others = {("product", product.key): product.name for product in found[:MOST]}
    others |= {("group", key): name for key, name in groups(tenant)}
    keys = scope.get("devices")
    if isinstance(keys, list):
        wanted = [key.replace("\0", "") for key in keys[:10] if isinstance(key, str)]
        rows = Device.objects.for_tenant(tenant).filter(key__in=wanted).values_list("key", "name")
        others |= {("device", key): name for key, name in rows}
    return Names(properties, others)


def options(tenant: Tenant, found: Sequence[Choice]) -> dict[str, list[tuple[Any, str]]]:
    """What the fields of actions can be chosen from, by the field's name."""
    return {}
