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
    "shadow": (gettext_lazy("change the shadow"), "edit"),
    "reading": (gettext_lazy("calculate a reading"), "code"),
    "scene": (gettext_lazy("run a scene"), "play"),
    "forward": (gettext_lazy("forward"), "forward"),
    "webhook": (gettext_lazy("call a webhook"), "out"),
    "mqtt": (gettext_lazy("publish to MQTT"), "up"),
}
FIELDS: dict[str, Promise] = {
    "severity": gettext_lazy("severity"),
    "message": gettext_lazy("message"),
    "assign": gettext_lazy("give it to who is on call in"),
    "escalate": gettext_lazy("while nobody acknowledges it"),
    "channel": gettext_lazy("channel"),
    "forwarder": gettext_lazy("forwarder"),
    "name": gettext_lazy("command"),
    "params": gettext_lazy("parameters"),
    "expires_in": gettext_lazy("worthless after"),
    "desired": gettext_lazy("desired"),
    "steps": gettext_lazy("steps"),
    "url": gettext_lazy("address"),
    "method": gettext_lazy("method"),
    "content_type": gettext_lazy("content type"),
    "topic": gettext_lazy("topic"),
    "qos": gettext_lazy("QoS"),
    "retain": gettext_lazy("retained"),
    "property": gettext_lazy("property"),
    "formula": gettext_lazy("formula"),
    "template": gettext_lazy("template"),
    "title": gettext_lazy("title"),
    "text": gettext_lazy("text"),
    "device": gettext_lazy("another device"),
}
# How a field is edited, where its type alone does not say it: by kind and field.
WIDGETS = {
    ("alarm", "message"): "words",
    ("alarm", "escalate"): "levels",
    ("command", "name"): "command",
    ("command", "params"): "params",
    ("command", "device"): "device",
    ("shadow", "device"): "device",
    ("shadow", "desired"): "pairs",
    ("reading", "property"): "property",
    ("reading", "formula"): "formula",
    ("scene", "steps"): "steps",
    ("notify", "title"): "template",
    ("notify", "text"): "lines",
    ("webhook", "template"): "lines",
    ("mqtt", "topic"): "template",
    ("mqtt", "template"): "lines",
}
ALWAYS = {"severity", "message", "params"}
BARE = {"severity", "message", "channel", "forwarder", "name", "url"}
# Where what a field asks for is made, should there be none of it yet.
PLACES: dict[str, tuple[str, Promise]] = {
    "channel": ("/channels/-/new/", gettext_lazy("There is no channel yet: make one")),
    "forwarder": ("/forwarders/-/new/", gettext_lazy("There is no forwarder yet: make one")),
    "assign": ("/rotations/", gettext_lazy("There is no rotation yet: make one")),
}
Options = Mapping[str, list[tuple[Any, str]]]


def action_kinds(options: Options) -> list[dict[str, Any]]:
    """Every kind with its fields, the usual ones first; `options` are what fields of a name can be chosen from."""
    order = [*LABELS, *ACTIONS]
    return [_kind(kind, options) for kind in sorted(ACTIONS, key=order.index)]


def _kind(kind: str, options: Options) -> dict[str, Any]:
    label, icon = LABELS.get(kind, (kind, "bolt"))
    schema = ACTIONS[kind].SETTINGS
    required = set(schema.get("required", ()))
    fields = [_field(kind, name, spec, name in required, options) for name, spec in schema.get("properties", {}).items()]
    return {"kind": kind, "label": str(label), "icon": icon, "fields": [*fields, *([_on()] if kind != "alarm" else [])]}


def _field(kind: str, name: str, spec: Mapping[str, Any], required: bool, options: Options) -> dict[str, Any]:
    field = {"name": name, "label": str(FIELDS.get(name, name.replace("_", " "))), "required": required, "type": _type(kind, name, spec)}
    field |= {"shown": name in ALWAYS, "bare": name in BARE}
    if name in options:
        field["options"] = options[name]
        if not options[name]:
            address, words = PLACES[name]
            field["place"] = [address, str(words)]
    elif "enum" in spec:
        field["options"] = [(value, str(SEVERITIES.get(value, value))) for value in spec["enum"]]
    return field


def _on() -> dict[str, Any]:
    """When it runs: an action that says nothing of it runs when the rule begins to hold."""
    begins, ends = _("when it begins"), _("when it ends")
    options = [("raised", begins), ("cleared", ends), ("raised,cleared", _("both times"))]
    return {"name": "on", "label": _("runs"), "required": False, "type": "changes", "shown": False, "bare": True, "options": options}


def _type(kind: str, name: str, spec: Mapping[str, Any]) -> str:
    if (kind, name) in WIDGETS:
        return WIDGETS[kind, name]
    if "enum" in spec:
        return "text"
    if spec.get("format") == "span" or "(s|m|h|d" in str(spec.get("pattern", "")):
        return "span"
    known = {"string": "text", "number": "number", "integer": "number", "boolean": "boolean"}
    return known.get(str(spec.get("type")), "json")


def inserts() -> dict[str, list[tuple[str, str]]]:
    """What can be put into a text by clicking, beside properties: names in braces for alarms, paths for templates."""
    device, rule, at = _("device’s name"), _("rule’s name"), _("time")
    return {
        "words": [("{device}", device), ("{rule}", rule), ("{value}", _("value that raised it")), ("{time}", at)],
        "template": [
            ("{{ device.name }}", device),
            ("{{ device.key }}", _("device’s key")),
            ("{{ rule.name }}", rule),
            ("{{ change }}", _("what happened")),
            ("{{ at }}", at),
            ("{{ values | json }}", _("all values")),
        ],
    }
