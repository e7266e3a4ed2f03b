"""The fields of actions on the rule page, out of the JSON Schema that each action owns."""

from collections.abc import Mapping
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from rules.actions import ACTIONS
from rules.wording.phrases import SEVERITIES

LABELS: dict[str, tuple[Promise, str]] = {
    "alarm": (gettext_lazy("raise an alarm"), "alarm"),
    "notify": (gettext_lazy("notify"), "send"),
    "command": (gettext_lazy("send a command"), "downlink"),
    "webhook": (gettext_lazy("call a webhook"), "out"),
    "forward": (gettext_lazy("forward"), "forward"),
    "mqtt": (gettext_lazy("publish to MQTT"), "up"),
    "shadow": (gettext_lazy("change the shadow"), "edit"),
    "calculate": (gettext_lazy("calculate a reading"), "code"),
    "scene": (gettext_lazy("run a scene"), "play"),
}
FIELDS: dict[str, Promise] = {
    "severity": gettext_lazy("severity"),
    "message": gettext_lazy("message"),
    "channel": gettext_lazy("channel"),
    "forwarder": gettext_lazy("forwarder"),
    "name": gettext_lazy("name"),
    "params": gettext_lazy("parameters"),
    "url": gettext_lazy("address"),
    "topic": gettext_lazy("topic"),
    "property": gettext_lazy("property"),
    "formula": gettext_lazy("formula"),
    "template": gettext_lazy("template"),
    "subject": gettext_lazy("subject"),
    "device": gettext_lazy("device"),
    "escalate_after": gettext_lazy("escalate after"),
}
ALWAYS = {"severity", "message", "channel", "forwarder", "name", "formula", "property"}
BARE = {"severity", "message", "channel", "forwarder", "name"}
Options = Mapping[str, list[tuple[Any, str]]]


def action_kinds(options: Options) -> list[dict[str, Any]]:
    """Every kind with its fields; `options` are what fields of a name can be chosen from."""
    return [_kind(kind, options) for kind in ACTIONS]


def _kind(kind: str, options: Options) -> dict[str, Any]:
    label, icon = LABELS.get(kind, (kind, "bolt"))
    schema = ACTIONS[kind].SETTINGS
    required = set(schema.get("required", ()))
    fields = [_field(name, spec, name in required, options) for name, spec in schema.get("properties", {}).items()]
    return {"kind": kind, "label": str(label), "icon": icon, "fields": fields}


def _field(name: str, spec: Mapping[str, Any], required: bool, options: Options) -> dict[str, Any]:
    field = {"name": name, "label": str(FIELDS.get(name, name.replace("_", " "))), "required": required, "type": _type(spec)}
    field |= {"shown": name in ALWAYS, "bare": name in BARE}
    if name in options:
        field["options"] = options[name]
    elif "enum" in spec:
        field["options"] = [(value, str(SEVERITIES.get(value, value))) for value in spec["enum"]]
    return field


def _type(spec: Mapping[str, Any]) -> str:
    if spec.get("format") == "span" or "(s|m|h|d" in str(spec.get("pattern", "")):
        return "span"
    known = {"string": "text", "number": "number", "integer": "number", "boolean": "boolean"}
    return known.get(str(spec.get("type")), "json")


def on_words() -> dict[str, str]:
    """When an action runs."""
    return {"raised": _("when it begins"), "cleared": _("when it ends")}
