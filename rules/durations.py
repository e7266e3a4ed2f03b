"""Spans of time as people write them: `90s`, `5m`, `1.5h`, `1d`, `2w`, or a number of seconds. Pure Python."""

import re
from typing import Any, Final

SECOND: Final = 1_000_000  # µs, which all of the rules count in
UNITS: Final = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800}
PATTERN: Final = r"^(\d+(?:\.\d+)?)(s|m|h|d|w)$"
_SPAN = re.compile(PATTERN)
DAY: Final = 86_400 * SECOND
LONGEST: Final = 31 * DAY


class BadSpan(ValueError):
    """The text says why; `places` fill it, as a BadRule's."""

    def __init__(self, text: str, /, **places: Any) -> None:
        super().__init__(text % places if places else text)
        self.text = text
        self.places = places


def parse_span(value: Any, *, longest: int = LONGEST) -> int:
    """µs of a span, more than zero and at most `longest`. Raises BadSpan."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise BadSpan("write a time such as “5m”")
    seconds: float
    if isinstance(value, str):
        found = _SPAN.match(value.strip())
        if not found:
            raise BadSpan("write a time such as “30s”, “5m”, “1h” or “1d”")
        seconds = float(found[1]) * UNITS[found[2]]
    else:
        seconds = value
    if not 0 < seconds * SECOND <= longest:
        raise BadSpan("more than zero and at most %(most)s", most=show_span(longest))
    return max(1, round(seconds * SECOND))


def show_span(span: int) -> str:
    """The shortest way to write it."""
    for unit, size in reversed(UNITS.items()):
        if span % (size * SECOND) == 0:
            return f"{span // (size * SECOND)}{unit}"
    return f"{span / SECOND:g}s"
