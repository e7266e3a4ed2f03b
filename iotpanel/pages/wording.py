"""Numbers, values, times and bytes in words, as all pages write them."""

from datetime import datetime
from typing import Any

import orjson
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

MINUS = "−"
DAY = 86_400


def span_words(unit: str, count: object) -> str:
    """So many of a unit (s, min, h, d)."""
    words = {"s": _("%(count)s s"), "min": _("%(count)s min"), "h": _("%(count)s h"), "d": _("%(count)s d")}
    return words[unit] % {"count": count}


def span(seconds: float) -> str:
    """A length of time in its largest unit: “4 s”, “47 min”, “5 h”, “3 d”."""
    seconds = max(0, int(seconds))
    for unit, length, below in (("s", 1, 60), ("min", 60, 3_600), ("h", 3_600, 2 * DAY)):
        if seconds < below:
            return span_words(unit, seconds // length)
    return span_words("d", seconds // DAY)


def span_samples() -> dict[str, str]:
    """How scripts write lengths of time: each unit with N for the number, and “ago” around SPAN."""
    return {unit: span_words(unit, "N") for unit in ("s", "min", "h", "d")} | {"ago": _("%(span)s ago") % {"span": "SPAN"}}


def moment(at: datetime) -> str:
    """The exact instant in the person's zone, for tooltips."""
    return timezone.localtime(at).strftime("%Y-%m-%d %H:%M:%S %Z")


def day(at: datetime) -> str:
    """The day without the year where it is this one."""
    local = timezone.localtime(at)
    same_year = local.year == timezone.localtime().year
    return date_format(local, "MONTH_DAY_FORMAT" if same_year else "DATE_FORMAT")


def ago(at: datetime) -> str:
    """Relative under a day (“4 s ago”), the day beyond."""
    seconds = (timezone.now() - at).total_seconds()
    return _("%(span)s ago") % {"span": span(seconds)} if seconds < DAY else day(at)


def ago_short(at: datetime) -> str:
    """As `ago` without the word, for narrow cells."""
    seconds = (timezone.now() - at).total_seconds()
    return span(seconds) if seconds < DAY else day(at)


def number(value: float, precision: int | None = None) -> str:
    """Grouped in thousands, with a real minus; `precision` decimals, else as many as the value has (at most six)."""
    if isinstance(value, int) or (precision is None and value.is_integer() and abs(value) < 1e15):
        text = f"{int(value):,}" if not precision else f"{value:,.{precision}f}"
    elif precision is not None:
        text = f"{value:,.{precision}f}"
    else:
        text = f"{value:,.6f}".rstrip("0").rstrip(".")
    return text.replace("-", MINUS)


def value(reading: Any, precision: int | None = None) -> str:
    """A reading of any type: numbers with their precision, booleans in words, text as it is, the rest as JSON."""
    if reading is None:
        return "–"
    if isinstance(reading, bool):
        return _("on") if reading else _("off")
    if isinstance(reading, (int, float)):
        return number(reading, precision)
    return reading if isinstance(reading, str) else orjson.dumps(reading).decode()


def size(count: float) -> str:
    """Bytes in the unit that people read: “38.2 GB”."""
    for unit in ("B", "KB", "MB", "GB"):
        if abs(count) < 1000:
            return f"{count:.0f} {unit}" if unit == "B" or count >= 100 else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} TB"


def hexes(payload: bytes, limit: int = 64) -> str:
    """The first bytes as pairs of hex digits, with a sign that there is more."""
    return payload[:limit].hex(" ") + (" …" if len(payload) > limit else "")


def text(payload: bytes, limit: int = 4096) -> str:
    """The bytes as text, those that are none shown as “�”."""
    return payload[:limit].decode("utf-8", "replace")
