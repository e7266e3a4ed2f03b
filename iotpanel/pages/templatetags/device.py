"""Template words of the device page: values as people read them, and what its scripts say."""

from datetime import UTC, datetime
from typing import Any

import orjson
from django import template
from django.utils import timezone
from django.utils.translation import gettext as _

from devices.models import CommandState
from iotpanel.pages import wording
from iotpanel.pages.device.words import script_words

register = template.Library()
register.simple_tag(script_words, name="script_words")


@register.filter
def reading(value: Any, precision: int | None = None) -> str:
    """A reading of any type in one line."""
    return wording.value(value, precision)


@register.filter
def with_unit(text: str, unit: str) -> str:
    """A value with its unit: a space between, but none before a bare degree sign."""
    if not unit:
        return text
    return f"{text}{unit}" if unit == "°" else f"{text} {unit}"


@register.filter
def every(period: float) -> str:
    """How often something comes: “every 60 s”."""
    return _("every %(span)s") % {"span": wording.span(period) if period >= 120 else _("%(count)s s") % {"count": f"{period:g}"}}


@register.filter
def as_json(value: Any) -> str:
    """Any JSON value as text, on one line."""
    return orjson.dumps(value).decode()


@register.filter
def unlocalized_id(value: int) -> str:
    """A number that is a name: its digits, not grouped."""
    return str(value)


@register.filter
def unlocalize_value(value: Any) -> str:
    """A value of a form as it is sent: never as a locale writes it."""
    return value if isinstance(value, str) else orjson.dumps(value).decode()


@register.filter
def command_state(state: str) -> str:
    """The word for a command's state."""
    return str(CommandState(state).label) if state in CommandState else state


@register.filter
def clock_ms(ts: int) -> str:
    """The time of day of an instant in ms, to the millisecond, in the page's zone."""
    at = timezone.localtime(datetime.fromtimestamp(ts / 1000, UTC))
    return f"{at:%H:%M:%S}.{at.microsecond // 1000:03d}"


@register.filter
def epoch_ms(at: datetime) -> str:
    """An instant for scripts, in ms, ungrouped."""
    return str(round(at.timestamp() * 1000))


@register.filter
def milliseconds(seconds: float) -> str:
    return f"{seconds * 1000:.0f}"


@register.filter
def signed(seconds: float) -> str:
    """An offset with its sign: “+0.3 s”."""
    sign = "+" if seconds >= 0 else "−"
    return f"{sign}{abs(seconds):.1f} s" if abs(seconds) < 100 else f"{sign}{wording.span(abs(seconds))}"


@register.filter
def since_words(at: datetime) -> str:
    """How long ago an instant was, without the word: “47 min”."""
    return wording.span((timezone.now() - at).total_seconds())


@register.filter
def unlocalized(value: float) -> str:
    """A number for scripts: a point, no grouping, no exponent."""
    return f"{value:.3f}".rstrip("0").rstrip(".")


@register.filter
def all_hex(payload: bytes) -> str:
    """The first 4 KB as pairs of hex digits."""
    return wording.hexes(bytes(payload), 4096)
