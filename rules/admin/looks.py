"""How rules, alarms and what they send by look in lists: badges as on the pages, every name escaped."""

from typing import Any

from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from rules.models import Alarm, Rule
from rules.wording.phrases import SEVERITIES


def badge(label: Any, tone: str = "", title: str = "") -> SafeString:
    return format_html('<span class="badge" data-tone="{}" title="{}">{}</span>', tone, title, label)


def severity(alarm: Alarm) -> SafeString:
    seen = "true" if alarm.acknowledged or not alarm.active else "false"
    words = SEVERITIES[alarm.severity]
    return format_html('<span class="sev" data-severity="{}" data-seen="{}">{}</span>', alarm.severity, seen, words)


def state(alarm: Alarm) -> SafeString:
    """Active and acknowledged know nothing of each other, so both are said."""
    if alarm.active:
        first = badge(_("shelved"), "outline") if alarm.is_shelved else badge(_("active"), "critical")
    else:
        first = badge(_("cleared"))
    return format_html("{} {}", first, badge(_("acknowledged"), "outline") if alarm.acknowledged else "")


def switch(rule: Rule) -> SafeString:
    if rule.enabled:
        return badge(_("on"), "good")
    return badge(_("stopped"), "critical", rule.stopped_because) if rule.disabled_reason else badge(_("off"))


def page(address: str, label: str) -> SafeString:
    return format_html('<a href="{}">{}</a>', address, label)
