"""Channels: made, changed, deleted and tried, with everything about them checked."""

from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from iotpanel.tenants.models import Tenant
from iotpanel.tenants.validation import Problems, clean_integer, clean_text, refuse_unknown
from rules import adapter_records
from rules.models import Channel, Target
from rules.names import save_named
from rules.template_filters import TemplateError
from rules.uses import refuse_used

from . import CHANNELS
from .wording import NAMES, check_template

KIND = "channel"
MAX_SECONDS = 86_400
_FIELDS = ("name", "enabled", "settings", "title", "text", "group_wait", "group_interval")


@transaction.atomic
def create_channel(
    tenant: Tenant,
    *,
    name: str,
    kind: str,
    settings: dict[str, Any] | None = None,
    enabled: bool = True,
    title: str = "",
    text: str = "",
    group_wait: int = 2,
    group_interval: int = 60,
) -> Channel:
    """A new channel. `settings` hold the secrets too; seconds. Raises ValidationError by field, Conflict where the name is taken."""
    if kind not in CHANNELS:
        raise ValidationError({"kind": _("Choose one of: %(choices)s.") % {"choices": ", ".join(CHANNELS)}}, code="bad_choice")
    channel = Channel(tenant=tenant, kind=kind)
    values: dict[str, Any] = {"name": name, "enabled": enabled, "settings": settings or {}, "title": title, "text": text}
    _apply(channel, values | {"group_wait": group_wait, "group_interval": group_interval})
    save_named(channel)
    target_of(channel)
    return channel


@transaction.atomic
def update_channel(channel: Channel, **changes: Any) -> Channel:
    """Changes any field but the kind; secrets that `settings` do not hold stay. What waits is tried at once."""
    if changes.pop("kind", channel.kind) != channel.kind:
        raise ValidationError({"kind": _("The kind is for good: make a new one.")}, code="fixed")
    refuse_unknown(changes, dict.fromkeys(_FIELDS))
    _apply(channel, changes)
    save_named(channel)
    adapter_records.try_at_once(channel, KIND)
    return channel


@transaction.atomic
def delete_channel(channel: Channel) -> None:
    """With what waits for it. Raises Conflict `in_use` while rules notify by it."""
    refuse_used(channel.tenant, kind="notify", channel=channel.pk)
    adapter_records.delete(channel, KIND)


def target_of(channel: Channel) -> Target:
    """How it does."""
    return adapter_records.target_of(channel, KIND)


def secrets_of(channel: Channel) -> list[str]:
    return adapter_records.secrets_of(channel, KIND)


def _apply(channel: Channel, changes: dict[str, Any]) -> None:
    problems = Problems()
    with problems.of("name"):
        channel.name = clean_text(changes.get("name", channel.name))
    with problems.of("enabled"):
        channel.enabled = bool(changes.get("enabled", channel.enabled))
    for field in ("group_wait", "group_interval"):
        with problems.of(field):
            setattr(channel, field, clean_integer(changes.get(field, getattr(channel, field)), low=0, high=MAX_SECONDS))
    for field in ("title", "text"):
        with problems.of(field):
            setattr(channel, field, clean_template(changes.get(field, getattr(channel, field))))
    with problems.of("settings"):
        if "settings" in changes:
            adapter_records.apply_settings(channel, KIND, CHANNELS[channel.kind].SETTINGS, changes["settings"], NAMES)
            check = getattr(CHANNELS[channel.kind], "check", None)  # for settings that name what the tenant has
            if check is not None:
                check(channel.tenant, channel.settings)
    problems.raise_any()


def clean_template(value: Any) -> str:
    """Raises ValidationError where it does not render."""
    text = clean_text(value, limit=4_000, blank=True, lines=True)
    try:
        check_template(text)
    except TemplateError as error:
        raise ValidationError(str(error), code="bad_template") from error
    return text
