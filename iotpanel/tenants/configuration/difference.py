"""What differs between two specs, field by field, as data and as lines that people read."""

import difflib
import json
from collections.abc import Iterator
from typing import Any, NamedTuple

LONGEST = 160
CONTEXT = 2


class FieldChange(NamedTuple):
    """One place of a spec: `thing_model.properties.temperature.unit`. None stands for what is not there."""

    path: str
    before: Any
    after: Any

    def lines(self) -> list[str]:
        if isinstance(self.before, str) and isinstance(self.after, str) and "\n" in self.before + self.after:
            changed = difflib.unified_diff(self.before.splitlines(), self.after.splitlines(), lineterm="", n=CONTEXT)
            return [f"{self.path}:", *(f"  {line}" for line in list(changed)[2:])]
        if self.before is None:
            return [f"{self.path}: {_shown(self.after)}"]
        return [f"{self.path}: {_shown(self.before)} -> {_shown(self.after)}"]


def differences(before: Any, after: Any, path: str = "") -> Iterator[FieldChange]:
    """Every place where they differ. Lists of objects with a `key` are compared by it, so that an insertion is one change."""
    before, after = _by_key(before), _by_key(after)
    if isinstance(before, dict) and isinstance(after, dict):
        for name in [*after, *(name for name in before if name not in after)]:
            yield from differences(before.get(name), after.get(name), f"{path}.{name}" if path else str(name))
    elif before != after or type(before) is not type(after):
        yield FieldChange(path, before, after)


def _by_key(value: Any) -> Any:
    if not isinstance(value, list) or not value:
        return value
    keys = [item.get("key") if isinstance(item, dict) else None for item in value]
    if not all(isinstance(key, str) for key in keys) or len(set(keys)) < len(keys):
        return value
    order = {"(order)": list(keys)} if len(keys) > 1 else {}
    return {**dict(zip(keys, value, strict=True)), **order}


def _shown(value: Any) -> str:
    if value is None:
        return "-"
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, default=str)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"
