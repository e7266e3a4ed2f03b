"""What the rule page lets people choose from: products with their thing models, groups, actions with their fields."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.db.models import Q, QuerySet

from devices.models import Device, DiscoveredProperty, Group, Product
from devices.thing_model import CommandType, Property
from iotpanel.tenants.models import Tenant
from rules.models import Channel, Forwarder, Rotation, Rule
from rules.wording import Known, Names
from telemetry.tiles import model_of

MOST = 500
SUGGESTED = 12
SCENES = 50
SCENE_BYTES = 8_000  # of a scene whose steps another rule can take over
FIELDS = ("key", "name", "type", "unit", "enum")
PARAMS = (*FIELDS, "min", "max", "required")
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
        "commands": [_command(command) for command in model.commands.values()],
    }


def _properties(some: Iterable[Property], fields: Sequence[str] = FIELDS) -> list[Choice]:
    return [{name: getattr(each, name) for name in fields if _says(getattr(each, name))} for each in some]


def _says(value: Any) -> bool:
    """Whether a field is worth sending: zero is, what was left out is not."""
    return value is not None and value is not False and value not in ("", ())


def _command(command: CommandType) -> Choice:
    return {"key": command.key, "name": command.name or command.key, "params": _properties(command.params.values(), PARAMS)}


def any_product(found: Sequence[Choice]) -> dict[str, list[Choice]]:
    """The properties, attributes and commands of all products, each once."""
    return {
        part: list({each["key"]: each for product in found for each in product[part]}.values())[:MOST]
        for part in ("properties", "attributes", "commands")
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
    others: dict[tuple[str, str], str] = {}
    for product in found[:MOST]:
        model = model_of(product)
        others["product", product.key] = product.name
        for each in [*model.properties.values(), *model.attributes.values()]:
            properties.setdefault(each.key, Known(each.name or each.key, each.unit or ""))
        for command in model.commands.values():
            others.setdefault(("command", command.key), command.name or command.key)
    others |= {("group", key): name for key, name in groups(tenant)}
    others |= {
        (kind, str(pk)): name for kind, rows in (("channel", channels(tenant)), ("forwarder", forwarders(tenant))) for pk, name in rows
    }
    keys = scope.get("devices")
    if isinstance(keys, list):
        wanted = [key.replace("\0", "") for key in keys[:10] if isinstance(key, str)]
        rows = Device.objects.for_tenant(tenant).filter(key__in=wanted).values_list("key", "name")
        others |= {("device", key): name for key, name in rows}
    return Names(properties, others)


def channels(tenant: Tenant) -> list[tuple[Any, str]]:
    return list(Channel.objects.for_tenant(tenant).order_by("name", "pk").values_list("pk", "name")[:MOST])


def forwarders(tenant: Tenant) -> list[tuple[Any, str]]:
    return list(Forwarder.objects.for_tenant(tenant).order_by("name", "pk").values_list("pk", "name")[:MOST])


def options(tenant: Tenant) -> dict[str, list[tuple[Any, str]]]:
    """What the fields of actions can be chosen from, by the field's name."""
    rotations = Rotation.objects.for_tenant(tenant).order_by("name", "pk").values_list("key", "name")[:MOST]
    return {"channel": channels(tenant), "forwarder": forwarders(tenant), "assign": list(rotations)}


def scenes(tenant: Tenant) -> list[Choice]:
    """The rules that a person starts, with what they do: another rule can take their steps over."""
    kinds = Q(body__trigger="scene") | Q(body__trigger__kind="scene")
    rows = Rule.objects.for_tenant(tenant).filter(kinds).order_by("name", "pk").values_list("pk", "name", "body")[:SCENES]
    found = [{"id": pk, "name": name, "steps": steps_of(body.get("actions"))} for pk, name, body in rows]
    return [each for each in found if each["steps"] and len(str(each["steps"])) < SCENE_BYTES]


def steps_of(actions: Any) -> list[Any]:
    """What a scene does as steps of one: those of its own scenes among them."""
    steps: list[Any] = []
    for action in actions if isinstance(actions, list) else []:
        inner = action.get("steps") if isinstance(action, Mapping) and action.get("kind") == "scene" else None
        steps += inner if isinstance(inner, list) else [action]
    return steps


def devices(tenant: Tenant, q: str) -> list[Choice]:
    found = Device.objects.for_tenant(tenant).filter(Q(key__icontains=q) | Q(name__icontains=q)).select_related("product")
    return [{"key": each.key, "name": each.name, "product": each.product.key} for each in found.order_by("key")[:SUGGESTED]]
