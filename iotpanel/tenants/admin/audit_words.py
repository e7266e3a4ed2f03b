"""An entry of the audit log in words: who, and what before and after."""

from typing import Any

from auditlog.models import LogEntry
from auditlog.render import get_field_verbose_name
from django.urls import NoReverseMatch, reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

VALUE_LENGTH = 300


def actor_of(entry: LogEntry) -> str:
    """A person, a service by its key, or the platform itself (a gateway's child, a command line)."""
    return str(entry.actor.username if entry.actor else entry.actor_email or _("the platform"))


def link_of(entry: LogEntry) -> SafeString | str:
    """The thing's name, leading to its record where the admin has one and it is still there."""
    if entry.action == LogEntry.Action.DELETE:
        return str(entry.object_repr)
    try:
        url = reverse(f"admin:{entry.content_type.app_label}_{entry.content_type.model}_change", args=[entry.object_pk])
    except NoReverseMatch:
        return str(entry.object_repr)
    return format_html('<a href="{}">{}</a>', url, entry.object_repr)


def changes(entry: LogEntry) -> SafeString:
    """Field, before, after; every value escaped."""
    rows = [
        (get_field_verbose_name(entry, name), *_before_and_after(change)) for name, change in sorted((entry.changes_dict or {}).items())
    ]
    head = format_html("<tr><th>{}</th><th>{}</th><th>{}</th></tr>", _("Field"), _("Before"), _("After"))
    return format_html(
        '<table class="changes">{}{}</table>', head, format_html_join("", "<tr><th>{}</th><td>{}</td><td>{}</td></tr>", rows)
    )


def _before_and_after(change: Any) -> tuple[str, str]:
    if isinstance(change, dict):  # a many-to-many field: what was added or taken away
        names = ", ".join(map(str, change.get("objects", [])))
        return ("", names) if change.get("operation") == "add" else (names, "")
    before, after = (str(value) for value in change)
    return _short(before), _short(after)


def _short(text: str) -> str:
    if text == "None":
        return "–"
    return text if len(text) <= VALUE_LENGTH else text[:VALUE_LENGTH] + "…"
