"""What actions that reach the outside know of a firing, and the devices they are about."""

from collections.abc import Sequence
from typing import Any

from django.utils.translation import gettext as _

from devices.models import Device
from iotpanel.tenants.models import Tenant
from rules.alarms_told import newest, told
from rules.channels.wording import NAMES, try_out
from rules.firing import Firing
from rules.forwarders.contexts import Context, Facts, iso
from rules.problems import BadRule
from rules.template import Template, compile_template
from rules.template_filters import TemplateError
from rules.texts import Text

LONGEST_TEXT = 1_000


def said(firing: Firing) -> dict[str, Any]:
    """A firing as channels and forwarders are told."""
    about = {"rule": {"id": firing.rule_id, "name": firing.rule_name}, "change": firing.change, "values": firing.values}
    return about | {"device": firing.device_key, "at": firing.at}


def contexts(firings: Sequence[Firing], *, alarms: bool = False) -> list[Context]:
    """What a template of an action may look at, for each firing; a query or two for each tenant, one more for `alarms`."""
    facts: dict[int, Facts] = {}
    for tenant in Tenant.objects.filter(pk__in={firing.tenant_id for firing in firings}):
        facts[tenant.pk] = Facts(tenant)
        facts[tenant.pk].load(firing.device_key for firing in firings if firing.tenant_id == tenant.pk)
    found = [_context(firing, facts[firing.tenant_id]) for firing in firings]
    if alarms:
        known = {tenant_id: newest(tenant_id, [said(each) for each in firings if each.tenant_id == tenant_id]) for tenant_id in facts}
        for firing, context in zip(firings, found, strict=True):
            alarm = known[firing.tenant_id].get((firing.rule_id, firing.device_key))
            context["alarm"] = told(alarm) if alarm else None
    return found


def _context(firing: Firing, facts: Facts) -> Context:
    known = {"device": facts.device(firing.device_key), "tenant": facts.tenant, "ts": firing.at // 1000, "at": iso(firing.at)}
    return known | {name: value for name, value in said(firing).items() if name not in ("device", "at")}


class Templates:
    """The templates among an action's settings. What does not compile, or render, is said when the rule is checked."""

    def __init__(self, settings: dict[str, Any], *fields: str) -> None:
        self.compiled: dict[str, Template] = {}
        self.wrong: dict[str, str] = {}
        for field in fields:
            try:
                self.compiled[field] = compile_template(settings.get(field, ""), NAMES)
                try_out(self.compiled[field])
            except TemplateError as error:
                self.wrong[field] = str(error)

    def check(self, path: str) -> None:
        """Raises BadRule with the field's path."""
        for field, words in self.wrong.items():
            raise BadRule(f"{path}.{field}", words)

    def render(self, field: str, context: Context) -> str:
        """Raises TemplateError."""
        if field not in self.compiled:
            raise TemplateError(self.wrong[field])
        return self.compiled[field].render(context)

    @property
    def names(self) -> set[str]:
        return {name for template in self.compiled.values() for name in template.names}


def other_device(tenant: Tenant, key: str, path: str) -> Device:
    """The device that an action names. Raises BadRule where the tenant has none of this key."""
    found: Device | None = Device.objects.for_tenant(tenant).filter(key=key).select_related("product").first()
    if found is None:
        raise BadRule(f"{path}.device", _("There is no device “%(key)s”.") % {"key": key[:64]})
    return found


def device_of(firing: Firing, other: str) -> Device | None:
    """The device that a firing is about, or the other one that the action names; None where it is gone."""
    mine = Device.objects.filter(tenant_id=firing.tenant_id).select_related("product")
    found: Device | None = mine.filter(key=other).first() if other else mine.filter(pk=firing.device_id).first()
    return found


def filled(value: Any, firing: Firing) -> Any:
    """Texts with names in braces are filled, however deep; one that is nothing but a name becomes the value itself."""
    if isinstance(value, dict):
        return {name: filled(each, firing) for name, each in value.items()}
    if isinstance(value, list):
        return [filled(each, firing) for each in value]
    if not isinstance(value, str) or len(value) > LONGEST_TEXT:
        return value
    if value.startswith("{") and value.endswith("}") and value[1:-1] in firing.values:
        return firing.values[value[1:-1]]
    return Text(value).of(firing)
