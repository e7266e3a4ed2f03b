"""The shape of a message: by the forwarder's template, or the default one of its stream, which is JSON."""

from typing import Any

import orjson

from rules.template import Context, compile_template

from .contexts import ALWAYS, NAMES

DEFAULT = {
    "readings": ("ts", "values"),
    "events": ("ts", "event", "params"),
    "presence": ("ts", "online", "cause"),
    "alarms": ("ts", "alarm"),
    "rule": ("ts", "rule", "change", "values"),
}


class Shape:
    """Compiled once. Raises TemplateError."""

    def __init__(self, template: str, stream: str) -> None:
        self.template = compile_template(template, ALWAYS | NAMES[stream] | NAMES[""]) if template.strip() else None

    def render(self, context: Context) -> str:
        return self.template.render(context) if self.template else plain(context)


def plain(context: Context) -> str:
    """`{"stream", "tenant", "device", "product", "ts", ...}` with what the stream says."""
    device, stream = context["device"], context["stream"]
    head: dict[str, Any] = {"stream": stream, "tenant": context["tenant"]["key"], "device": device["key"], "product": device["product"]}
    return orjson.dumps(head | {name: context[name] for name in DEFAULT[stream] if name in context}).decode()
