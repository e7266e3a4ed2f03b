"""How devices and their parts look in lists: by the marks of the pages, every name escaped."""

import json
from datetime import datetime
from typing import Any

from django.template.defaultfilters import date
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.timesince import timesince
from django.utils.translation import gettext as _

from devices.models import Device, Product

DAY = 86_400


def status(device: Device) -> SafeString:
    """Presence as mark and word; offline says since when."""
    state, words = _state(device)
    return format_html('<span class="status" data-state="{}">{}</span>', state, words)


def _state(device: Device) -> tuple[str, str]:
    presence = getattr(device, "presence", None)
    if not device.enabled:
        return "disabled", _("Disabled")
    if presence is None or presence.last_seen is None:
        return "never", _("Never seen")
    return ("online", _("Online")) if presence.online else ("offline", _("Offline"))


def badge(words: Any, tone: str = "") -> SafeString:
    return format_html('<span class="badge" data-tone="{}">{}</span>', tone, words)


def sheet(value: Any) -> SafeString:
    """JSON to be read, as a block."""
    return format_html('<pre class="snippet-block is-sheet" tabindex="0">{}</pre>', json.dumps(value, indent=2, ensure_ascii=False))


def flag(value: bool) -> str:
    """What is so; what is not so is no alarm."""
    return _("yes") if value else "–"


def moment(at: datetime | None) -> SafeString | str:
    """Ages under a day are relative, older ones and what is to come absolute; the exact time is the tooltip."""
    if at is None:
        return "–"
    age = (timezone.now() - at).total_seconds()
    if not -60 < age < DAY:
        words = date(timezone.localtime(at), "j M Y H:i")
    elif age < 60:
        words = _("%(count)d s ago") % {"count": max(0, int(age))}
    else:
        words = _("%(age)s ago") % {"age": timesince(at, depth=1)}
    exact = timezone.localtime(at).isoformat(timespec="seconds")
    return format_html('<time datetime="{}" title="{}" class="whitespace-nowrap">{}</time>', exact, exact, words)


def labels(device: Device) -> SafeString:
    return format_html_join("", '<span class="label-pair"><b>{}</b>{}</span>', sorted(device.labels.items()))


def to_product(product: Product) -> SafeString:
    return format_html('<a href="{}">{}</a>', reverse("admin:devices_product_change", args=[product.pk]), product.name)


def to_device(device: Device) -> SafeString:
    return format_html('<a href="{}">{}</a>', reverse("admin:devices_device_change", args=[device.pk]), device.name)


def with_age(words: str, at: datetime) -> SafeString:
    """A value beside the age that says how much it is worth."""
    return format_html('{} <span class="quiet">{}</span>', words, moment(at))
