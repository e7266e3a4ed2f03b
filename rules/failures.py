"""Rules that throw: counted, and switched off when they do it too often, with the reason. All others go on."""

from datetime import timedelta

import structlog
from django.db.models import QuerySet
from django.utils import timezone

from iotpanel import metrics

from . import closing, stops
from .compiled import Compiled
from .models import Rule

MOST_FAILURES = 10
FORGOTTEN_AFTER = timedelta(hours=1)
log = structlog.get_logger(__name__)


def note(rule: Compiled, error: Exception) -> bool:
    """Count one failure, in the caller's transaction; the tenth within an hour switches the rule off, and clears its alarms.

    Whether it is off now.
    """
    log.warning("rule_failed", rule=rule.id, name=rule.name, error=repr(error)[:300], exc_info=error)
    return _count(Rule.objects.filter(pk=rule.id, version=rule.version), error)


def note_later(rule_id: int, error: Exception) -> None:
    """The same for what a rule does after it fired: a step of a scene, an escalation. The rule may be gone already."""
    log.warning("rule_failed", rule=rule_id, error=repr(error)[:300], exc_info=error)
    _count(Rule.objects.filter(pk=rule_id), error)


def _count(rules: QuerySet[Rule], error: Exception) -> bool:
    metrics.RULE_FAILURES.inc()
    row = rules.select_for_update(no_key=True).first()
    if row is None or not row.enabled:
        return True
    now = timezone.now()
    again = row.failed_at is not None and now - row.failed_at < FORGOTTEN_AFTER
    row.failures = row.failures + 1 if again else 1
    row.failed_at, row.last_error = now, f"{type(error).__name__}: {error}"[:1000]
    if row.failures >= MOST_FAILURES:
        row.enabled, row.disabled_reason = False, stops.FAILED_OFTEN
        row.disabled_about = {"times": row.failures, "error": row.last_error}
        metrics.RULES_DISABLED.inc()
        closing.close(row.pk, row.stopped_because)
    changed = ("failures", "failed_at", "last_error", "enabled", "disabled_reason", "disabled_about")
    Rule.objects.filter(pk=row.pk).update(**{name: getattr(row, name) for name in changed})
    return not row.enabled
