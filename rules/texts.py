"""Texts with `{names}` in them. A name is looked up and nothing else: no expressions, no attributes, no way to Python."""

import re
from typing import Any

from .durations import SECOND
from .firing import Firing
from .moments import parse_zone, to_local

_NAME = re.compile(r"\{([^{}]{1,256})\}")
ABOUT = ("device", "device_key", "rule", "value", "time", "severity")


class Text:
    """A template. Names that a firing does not know stay as they were written."""

    def __init__(self, template: str) -> None:
        self.template = template
        self.names = frozenset(_NAME.findall(template))

    def of(self, firing: Firing, **more: Any) -> str:
        """The text about a firing."""
        known = {
            "device": firing.device_name or firing.device_key,
            "device_key": firing.device_key,
            "rule": firing.rule_name,
            "value": firing.value,
            "time": to_local(firing.at // SECOND * SECOND, parse_zone("UTC", "")).isoformat(),
            **more,
        }
        return _NAME.sub(lambda found: shown(known.get(found[1], firing.values.get(found[1], found[0]))), self.template)


def shown(value: Any) -> str:
    """A value as people read it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return f"{value:.6g}"
    return "–" if value is None else str(value)
