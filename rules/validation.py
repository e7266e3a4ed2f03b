"""A rule's body against the world: does what it names exist, and is it of the type that is compared."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from django.utils.translation import gettext as _

from devices.models import Device, DiscoveredProperty, Product
from devices.thing_model import ThingModel
from devices.thing_model_parser import ThingModelError, parse
from iotpanel.registry import UnknownKind
from iotpanel.tenants.models import Tenant

from .actions import ACTIONS
from .compiled import Compiled, compile_rule
from .conditions import Use
from .problem_words import first_wrong, said
from .problems import BadRule
from .scopes import products_of
from .scripts import check_scripts
from .texts import ABOUT, Text


class Known(NamedTuple):
    """What one product knows: its thing model, and names that its devices said although it lacks them."""

    key: str
    model: ThingModel
    discovered: frozenset[tuple[str, str]]


class World(NamedTuple):
    """What a rule may name."""

    tenant: Tenant
    products: Sequence[Known]

    def type_of(self, source: str, key: str) -> str | None:
        """The type of a property or attribute in the first product that has it, "" where only devices say it; None: nowhere."""
        part = "attributes" if source == "attribute" else "properties"
        for product in self.products:
            if key in getattr(product.model, part):
                return str(getattr(product.model, part)[key].type)
        said = ("attribute" if source == "attribute" else "property", key)
        return "" if any(said in product.discovered for product in self.products) else None


def check_rule(tenant: Tenant, body: Mapping[str, Any], **about: Any) -> Compiled:
    """Compile a body and look up all that it names. Raises BadRule."""
    rule = compile_rule(body, tenant_id=tenant.pk, **about)
    world = World(tenant, [known_of(product) for product in products_of(tenant, rule.scope)])
    for use in rule.needs.uses:
        check_use(world, use)
    _check_event(world, rule)
    _check_command(world, rule)
    check_scripts(rule)
    for index, settings in enumerate(rule.actions):
        check_action(world, rule, settings, f"actions.{index}")
    return rule


def known_of(product: Product) -> Known:
    try:
        model = parse(product.thing_model)
    except ThingModelError:
        model = ThingModel({}, {}, {}, {})
    return Known(product.key, model, frozenset(DiscoveredProperty.objects.filter(product=product).values_list("kind", "key")))


def check_use(world: World, use: Use) -> None:
    """Raises BadRule for a name that nobody has, or one of the wrong type."""
    if use.source == "other":
        world = _world_of(world, use)
    if use.source not in ("property", "attribute", "other"):
        return
    found = world.type_of("attribute" if use.source == "attribute" else "property", use.key)
    if found is None and use.source == "attribute":
        return  # people set attributes that no thing model knows
    if found is None:
        known = sorted({key for product in world.products for key in product.model.properties})[:12]
        text = _("There is no property “%(key)s”; there are: %(known)s.") % {"key": use.key[:64], "known": ", ".join(known) or "–"}
        raise BadRule(use.path, text)
    if found and use.type and found not in use.type.split(" or "):
        raise BadRule(
            use.path, _("“%(key)s” is a %(found)s, and is compared as a %(wanted)s.") % {"key": use.key, "found": found, "wanted": use.type}
        )


def _world_of(world: World, use: Use) -> World:
    other = Device.objects.for_tenant(world.tenant).filter(key=use.device).select_related("product").first()
    if other is None:
        path = use.path.removesuffix(".property") + ".device"
        raise BadRule(path, _("There is no device “%(key)s”.") % {"key": use.device[:64]})
    return World(world.tenant, [known_of(other.product)])


def _check_event(world: World, rule: Compiled) -> None:
    name = rule.trigger.name
    if rule.trigger.kind != "event" or not name or not world.products:
        return
    if not any(name in product.model.events for product in world.products) and any(product.model.events for product in world.products):
        raise BadRule("trigger.name", _("There is no event “%(key)s”.") % {"key": name[:64]})


def _check_command(world: World, rule: Compiled) -> None:
    name = rule.trigger.name
    if rule.trigger.kind == "command" and name and not any(name in product.model.commands for product in world.products):
        raise BadRule("trigger.name", _("There is no command “%(key)s”.") % {"key": name[:64]})


def check_action(world: World, rule: Compiled, settings: Mapping[str, Any], path: str) -> None:
    """Raises BadRule for an unknown kind, settings that its schema refuses, or what the kind itself refuses."""
    try:
        of_kind = ACTIONS[settings["kind"]]
    except UnknownKind as error:
        known = ", ".join(sorted(ACTIONS))
        raise BadRule(f"{path}.kind", _("There is no action of this kind; there are: %(known)s.") % {"known": known}) from error
    changes = settings.get("on")
    if changes is not None and (not isinstance(changes, list) or set(changes) - {"raised", "cleared", "repeated", "escalated"}):
        raise BadRule(f"{path}.on", _("A list out of raised, cleared, repeated, escalated."))
    own = {name: value for name, value in settings.items() if name not in ("kind", "on")}
    wrong = first_wrong(of_kind.SETTINGS, own)
    if wrong is not None:
        raise BadRule(".".join([path, *map(str, wrong.path)]), wrong.words)
    check = getattr(of_kind, "check", None)
    if check is not None:
        check(of_kind(own), world, rule, path)


def check_text(world: World, rule: Compiled, text: str, path: str) -> None:
    """Raises BadRule for a template with a name that nobody will know."""
    names = Text(text).names - set(ABOUT)
    if rule.momentary:
        return  # an event's parameters are its own
    for name in sorted(names):
        if world.type_of("property", name) is None:
            raise BadRule(path, _("“{%(name)s}” is no property, and none of: %(known)s.") % {"name": name[:64], "known": ", ".join(ABOUT)})


def problems_of(error: BadRule) -> dict[str, Iterable[str]]:
    """As a ValidationError wants it: messages by field."""
    return {error.path or "body": [said(error)]}
