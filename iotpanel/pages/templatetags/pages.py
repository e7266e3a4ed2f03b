"""Template words of the pages: icons, times, numbers, form controls."""

from datetime import datetime
from typing import Any

from django import template
from django.forms import BoundField, CheckboxInput, CheckboxSelectMultiple, Select, Textarea
from django.utils.html import format_html
from django.utils.safestring import SafeString

from iotpanel.pages import wording

register = template.Library()
register.filter("span", wording.span)
register.filter("size", wording.size)
register.filter("as_text", lambda payload: wording.text(bytes(payload)))
register.filter("moment", wording.moment)


@register.filter
def hexes(payload: bytes, limit: int = 64) -> str:
    """The first bytes as hex digits."""
    return wording.hexes(bytes(payload), limit)


@register.filter
def number(value: Any) -> str:
    """A number as the pages write it; nothing for None."""
    return "" if value is None else wording.number(value)


@register.filter
def rate(value: float) -> str:
    """So many per second, with as many digits as mean something: “412”, “3.4”, “0.05”."""
    return wording.number(round(value) if value >= 100 else float(f"{value:.2g}"))


@register.simple_tag
def icon(name: str, classes: str = "") -> SafeString:
    """One picture of the sprite, hidden from screen readers: words stand beside it."""
    return format_html('<svg class="icon {}" aria-hidden="true"><use href="#i-{}"/></svg>', classes, name)


@register.simple_tag
def ago(at: datetime | None) -> SafeString:
    """A time that says how long ago it is, with the exact instant as its tooltip; the page's script keeps it true."""
    if at is None:
        return SafeString("")
    return format_html('<time datetime="{}" title="{}" data-ago>{}</time>', at.isoformat(), wording.moment(at), wording.ago(at))


@register.simple_tag
def age(at: datetime | None) -> SafeString:
    """As `ago`, without the word."""
    if at is None:
        return SafeString("")
    text = wording.ago_short(at)
    return format_html('<time datetime="{}" title="{}" data-age>{}</time>', at.isoformat(), wording.moment(at), text)


def _class_of(field: BoundField) -> str:
    widget = field.field.widget
    if isinstance(widget, (CheckboxInput, CheckboxSelectMultiple)):
        return ""
    if isinstance(widget, Select):
        return "select"
    return "textarea" if isinstance(widget, Textarea) else "input"


@register.filter
def control(field: BoundField, extra: str = "") -> SafeString:
    """A form field's control with our classes; errors and help are named to screen readers."""
    described = [f"{field.id_for_label}-error"] * bool(field.errors) + [f"{field.id_for_label}-help"] * bool(field.help_text)
    attributes: dict[str, Any] = {"class": f"{_class_of(field)} {extra}".strip()}
    if field.errors:
        attributes["aria-invalid"] = "true"
    if described:
        attributes["aria-describedby"] = " ".join(described)
    return field.as_widget(attrs=attributes)


@register.filter
def is_check(field: BoundField) -> bool:
    """Whether the label stands beside the control instead of above it."""
    return isinstance(field.field.widget, CheckboxInput)
