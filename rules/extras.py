"""What only some rules look at, fetched once per batch: attributes, presence, other devices' values."""

from collections.abc import Mapping, Sequence
from typing import Any

from devices.messages import AttributeReport, EventReport, Presence
from devices.models import Device, DevicePresence
from telemetry import latest
from telemetry.models import Attribute

from .compiled import Compiled
from .derived import Happening
from .plan import Plan
from .roster import Member
from .standing import merged

KINDS: dict[type, str] = {AttributeReport: "attributes", EventReport: "event", Presence: "presence"}


def kind_of(each: Any) -> str:
    """The trigger that this pulls."""
    return each.kind if isinstance(each, Happening) else KINDS[type(each)]


def concerns(rule: Compiled, each: Any) -> bool:
    """Whether a rule with the right kind of trigger is meant."""
    if isinstance(each, EventReport):
        return rule.trigger.name in ("", each.name)
    if isinstance(each, Happening):
        if each.rule_id is not None:
            return each.rule_id == rule.id
        if each.kind == "command":
            return rule.trigger.name in ("", each.params["command"]) and each.params["state"] in rule.trigger.states
        return each.params.get("change") in rule.trigger.changes and each.params.get("severity") in rule.trigger.severities
    return True


def concerns_plan(plan: Plan, each: Any) -> bool:
    """Whether any rule of a plan may look at this, which is no report."""
    if type(each) is Happening and each.kind == "other":
        return each.rule_id in plan.rules
    return bool(plan.of(kind_of(each)))


def params_of(each: Any) -> Mapping[str, Any]:
    if isinstance(each, EventReport):
        return {"event": each.name, **each.params}
    return each.params if isinstance(each, Happening) else {}


def fresh_of(each: Any) -> Mapping[str, Any]:
    return each.values if isinstance(each, AttributeReport) else {}


def fetch(members: Sequence[Member]) -> None:
    """Fill what the plans of these members ask for, one query each."""
    if asking := {member.id: member for member in members if member.plan.attributes or member.plan.all_attributes}:
        _attributes(asking)
    if any(member.plan.presence for member in members):
        _presence({member.id: member for member in members if member.plan.presence})
    if any(member.plan.others for member in members):
        _others([member for member in members if member.plan.others])


def _attributes(members: Mapping[int, Member]) -> None:
    """Where several scopes have an attribute, the server's word counts before the shared one, and that before the device's."""
    rows = Attribute.objects.filter(device_id__in=members).values_list("device_id", "scope", "key", "value")
    found: dict[int, dict[str, dict[str, Any]]] = {device_id: {} for device_id in members}
    for device_id, scope, key, value in rows:
        found[device_id].setdefault(scope, {})[key] = value
    for device_id, member in members.items():
        member.facts.attributes = merged(found[device_id])


def _presence(members: Mapping[int, Member]) -> None:
    for device_id, online in DevicePresence.objects.filter(device_id__in=members).values_list("device_id", "online"):
        members[device_id].facts.online = online


def _others(members: Sequence[Member]) -> None:
    """The newest values of other devices, of the same tenant."""
    wanted = {(member.about.tenant_id, key) for member in members for key, _ in member.plan.others}
    rows = Device.objects.filter(key__in={key for _, key in wanted}).values_list("pk", "tenant_id", "key")
    ids = {(tenant_id, key): pk for pk, tenant_id, key in rows if (tenant_id, key) in wanted}
    values = latest.read(ids.values())
    for member in members:
        tenant_id = member.about.tenant_id
        found = {}
        for key, name in member.plan.others:
            entry = values.get(ids.get((tenant_id, key), 0), {}).get(name)
            if entry is not None:
                found[key, name] = entry[0]
        member.facts.others = found
