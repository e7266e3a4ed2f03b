"""A rule as a sentence that anybody can read, in the reader's language."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.translation import gettext as _

from rules.triggers import UNDONE

from .clauses import condition
from .parts import Names, Part, Parts, joined, listed, say
from .phrases import SEVERITIES, alarm_changes, command_states
from .values import hours
from .values import span as span_of

LASTING = ("readings", "attributes", "presence")


def sentence(body: Mapping[str, Any], names: Names) -> Parts:
    """The rule in words. It takes any body, also one that is not finished: what is missing reads “…”."""
    parts = _main(body, names)
    if isinstance(body.get("clear"), Mapping):
        clear = _lasting(condition(body["clear"], "clear", names), body.get("clear_for"), "clear_for")
        parts += [Part(" "), *say(_("It clears when %(condition)s."), condition=clear)]
    elif body.get("clear_for"):
        parts += [Part(" "), *say(_("It clears after %(span)s."), span=span_of(body["clear_for"], "clear_for"))]
    if body.get("active"):
        parts += [Part(" "), *say(_("It works only %(hours)s."), hours=hours(body["active"], "active"))]
    if body.get("cooldown"):
        parts += [Part(" "), *say(_("At most once in %(span)s for each device."), span=span_of(body["cooldown"], "cooldown"))]
    return parts


def _main(body: Mapping[str, Any], names: Names) -> Parts:
    trigger = body.get("trigger") or "readings"
    kind = trigger.get("kind") if isinstance(trigger, Mapping) else trigger
    more = trigger if isinstance(trigger, Mapping) else {}
    devices, actions = scope(body.get("scope"), names), _actions(body.get("actions"), names)
    test = condition(body["when"], "when", names) if isinstance(body.get("when"), Mapping) else None
    if kind in LASTING and (test or body.get("for") or "actions" not in body):
        lasting = _lasting(test or [Part("…", "when")], body.get("for"), "for")
        return say(_("On %(devices)s, when %(condition)s, %(actions)s."), devices=devices, condition=lasting, actions=actions)
    what = _each(str(kind)) if kind in LASTING else _moment(str(kind), more)
    if test:
        template = _("On %(devices)s, %(moment)s, if %(condition)s, %(actions)s.")
        return say(template, devices=devices, moment=what, condition=test, actions=actions)
    return say(_("On %(devices)s, %(moment)s, %(actions)s."), devices=devices, moment=what, actions=actions)


def _each(kind: str) -> Parts:
    """What a rule without a condition looks at."""
    if kind == "attributes":
        return say(_("with each report of attributes"))
    return say(_("when it comes or goes")) if kind == "presence" else say(_("with each report"))


def _moment(kind: str, spec: Mapping[str, Any]) -> Parts:
    if kind == "event":
        name = Part(str(spec.get("name") or "…"), "trigger.name")
        return say(_("when the event %(name)s comes"), name=name) if spec.get("name") else say(_("when any event comes"))
    if kind == "alarm":
        changes = _some(spec, "changes", ["raised"], alarm_changes())
        return say(_("when another rule's alarm is %(changes)s"), changes=changes)
    if kind == "command":
        return _command(spec)
    if kind == "schedule":
        when = Part(f"{spec.get('cron') or '…'} ({spec.get('tz') or 'UTC'})", "trigger.cron")
        return say(_("at the times %(cron)s"), cron=when)
    return say(_("when a person starts it"))


def _command(spec: Mapping[str, Any]) -> Parts:
    states = _some(spec, "states", UNDONE, command_states())
    if spec.get("name"):
        return say(_("when the command %(name)s is %(states)s"), name=Part(str(spec["name"]), "trigger.name"), states=states)
    return say(_("when any command is %(states)s"), states=states)


def _some(spec: Mapping[str, Any], word: str, default: Sequence[str], known: Mapping[str, str]) -> Parts:
    given = spec.get(word)
    chosen = given if isinstance(given, list) and given else default
    return listed([known.get(str(each), str(each)) for each in chosen], f"trigger.{word}")


def _lasting(test: Parts, given: Any, field: str) -> Parts:
    return say(_("%(condition)s for %(span)s"), condition=test, span=span_of(given, field)) if given else test


def scope(spec: Any, names: Names) -> Parts:
    """Which devices."""
    spec = spec if isinstance(spec, Mapping) else {}
    if spec.get("devices"):
        found = listed([names.other("device", key) for key in spec["devices"]], "scope.devices")
    elif spec.get("product"):
        found = say(_("any %(product)s"), product=Part(names.other("product", spec["product"]), "scope.product"))
    else:
        found = say(_("any device"))
    if spec.get("group"):
        group = Part(names.other("group", spec["group"]), "scope.group")
        found = say(_("%(devices)s in %(group)s"), devices=found, group=group)
    if isinstance(spec.get("labels"), Mapping) and spec["labels"]:
        labels = listed([f"{key}: {value}" for key, value in spec["labels"].items()], "scope.labels")
        found = say(_("%(devices)s labelled %(labels)s"), devices=found, labels=labels)
    return found


def _actions(actions: Any, names: Names) -> Parts:
    found = [_action(action, f"actions.{index}", names) for index, action in enumerate(actions if isinstance(actions, list) else [])]
    return joined(found, _("%(one)s and %(other)s")) if found else [Part("…", "actions")]


def _action(action: Any, path: str, names: Names) -> Parts:
    action = action if isinstance(action, Mapping) else {}
    kind = str(action.get("kind"))
    if kind == "alarm":
        severity = str(action.get("severity") or "warning")
        word = str(SEVERITIES.get(severity, severity))
        text = f"{word}: {action['message']}" if action.get("message") else word
        return say(_("raise the alarm %(alarm)s"), alarm=Part(text, path, severity))
    templates = {
        "command": (_("send the command %(name)s"), names.other("command", action.get("name"))),
        "notify": (_("notify %(name)s"), names.other("channel", action.get("channel"))),
        "webhook": (_("call %(name)s"), action.get("url")),
        "forward": (_("forward it by %(name)s"), names.other("forwarder", action.get("forwarder"))),
        "mqtt": (_("publish to %(name)s"), action.get("topic")),
        "shadow": (_("change the shadow: %(name)s"), ", ".join(action["desired"]) if isinstance(action.get("desired"), Mapping) else "…"),
        "reading": (_("calculate %(name)s"), action.get("property")),
        "scene": (_("run the scene of %(name)s steps"), len(action["steps"]) if isinstance(action.get("steps"), list) else "…"),
    }
    template, name = templates.get(kind, ("%(name)s", kind))
    return say(template, name=Part(str(name or "…"), path))
