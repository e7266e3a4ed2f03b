"""Rules: made, changed and deleted, with everything about them checked."""

import time
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from devices.timestamps import to_datetime, to_microseconds
from iotpanel.tenants.models import Tenant, User
from iotpanel.tenants.validation import Problems, clean_json, clean_text, refuse_unknown
from telemetry.uplink.memory import memory

from . import closing
from .compiled import Compiled
from .engine import engine, see_derived
from .models import Rule, Schedule
from .problems import BadRule
from .schema import check_schema
from .sweeps import run
from .validation import check_rule, problems_of

BODY_BYTES = 64_000


@transaction.atomic
def create_rule(tenant: Tenant, *, name: str, body: dict[str, Any], enabled: bool = True, by: User | None = None) -> Rule:
    """A new rule. Raises ValidationError that names the field by its path, such as `when.all.0.value`."""
    Tenant.objects.select_for_update(no_key=True).get(pk=tenant.pk)
    used, most = Rule.objects.for_tenant(tenant).count(), settings.RULES_PER_TENANT
    if used >= most:
        raise ValidationError({"name": [_("A tenant has at most %(most)d rules.") % {"most": most}]})
    rule = Rule(tenant=tenant, created_by=by)
    compiled = _apply(rule, {"name": name, "body": body, "enabled": enabled})
    rule.save()
    _schedule(rule, compiled)
    return rule


@transaction.atomic
def update_rule(rule: Rule, **changes: Any) -> Rule:
    """Changes `name`, `body` and `enabled`. One that is off, or gets switched off, may stay as it is whatever its products have become.

    What it remembers of its devices begins anew, and its alarms are cleared, where the body changed or it is switched off.
    """
    refuse_unknown(changes, {"name": "", "body": "", "enabled": ""})
    rule = Rule.objects.select_for_update().get(pk=rule.pk)
    before, was_on = rule.body, rule.enabled
    compiled = _apply(rule, {"name": rule.name, "body": rule.body, "enabled": rule.enabled, **changes})
    rule.version += 1
    rule.failures, rule.last_error, rule.disabled_reason, rule.disabled_about = 0, "", "", {}
    rule.save()
    if was_on and not rule.enabled:
        _close(rule, _("The rule was switched off."))
    elif rule.body != before:
        _close(rule, _("The rule was changed."))
    _schedule(rule, compiled)
    return rule


@transaction.atomic
def delete_rule(rule: Rule) -> None:
    """Its active alarms are cleared, and stay as history."""
    _close(rule, _("The rule was deleted."))
    rule.delete()


@transaction.atomic
def run_scene(rule: Rule) -> int:
    """Run a scene by hand, on all devices of its scope; how many they are."""
    mine = engine()
    memory().directory.refresh()
    mine.fresh()
    return run(rule.pk, "scene", time.time_ns() // 1_000)


def _apply(rule: Rule, changes: Mapping[str, Any]) -> Compiled | None:
    """The compiled body; None where it is as before, and does nothing."""
    problems = Problems()
    with problems.of("name"):
        rule.name = clean_text(changes["name"])
    with problems.of("enabled"):
        if not isinstance(changes["enabled"], bool):
            raise ValidationError(_("This must be true or false."), code="bad_type")
        rule.enabled = changes["enabled"]
    compiled: Compiled | None = None
    with problems.of("body"):
        before, rule.body = rule.body, clean_json(changes["body"], limit=BODY_BYTES)
        if rule.pk is None or rule.enabled or rule.body != before:
            compiled = checked(rule.tenant, rule.body, name=rule.name)
    problems.raise_any()
    if compiled is not None:
        rule.trigger = compiled.trigger.kind
    return compiled


def checked(tenant: Tenant, body: Mapping[str, Any], **about: Any) -> Compiled:
    """The compiled body. Raises ValidationError by path."""
    try:
        compiled = check_rule(tenant, body, **about)
        check_schema(dict(body))
    except BadRule as error:
        raise ValidationError({name: list(texts) for name, texts in problems_of(error).items()}) from error
    return compiled


def what_is_wrong(tenant: Tenant, body: Mapping[str, Any]) -> list[dict[str, str]]:
    """Field and message of each problem that a body has by now, such as a property that its product lost."""
    try:
        checked(tenant, body)
    except ValidationError as error:
        return [{"field": name, "message": " ".join(texts)} for name, texts in error.message_dict.items()]
    return []


def _schedule(rule: Rule, compiled: Compiled | None) -> None:
    """Note when a rule with a schedule runs next."""
    cron = compiled.trigger.cron if compiled else None
    if cron is None or not rule.enabled:
        Schedule.objects.filter(rule=rule).delete()
        return
    due = to_datetime(cron.after(to_microseconds(timezone.now())))
    Schedule.objects.update_or_create(rule=rule, defaults={"due_at": due})


def _close(rule: Rule, reason: str) -> None:
    """End what it does, and let others look at what comes of it."""
    closing.close(rule.pk, reason)
    see_derived()
