"""The end of what a rule does, because it is switched off, deleted, or means something else now.

What it knew of its devices is forgotten, and what it had raised is cleared: nobody else would.
"""

from django.utils import timezone
from django.utils.translation import gettext as _

from .models import Alarm, AlarmEvent, Rule, RuleState
from .timeline import end, happened

PORTION = 500


def close(rule_id: int, reason: str) -> None:
    """Forget the rule's states and clear its active alarms, with the reason in each one's history; in the caller's transaction."""
    RuleState.objects.filter(rule_id=rule_id).delete()
    found = list(Alarm.objects.active().filter(rule_id=rule_id).select_for_update(of=("self",), no_key=True).order_by("pk"))
    for alarm in found:
        end(alarm, timezone.now())
    Alarm.objects.bulk_update(found, ["active", "cleared_at", "escalates_at"], batch_size=500)
    happened(found, AlarmEvent.Kind.CLEARED, text=reason)


def leftovers() -> int:
    """Clear alarms that a batch raised at the very moment when their rule was switched off or deleted; how many rules there were."""
    stuck = Alarm.objects.active().exclude(rule_id__in=Rule.objects.running().values("pk")).exclude(rule_id=None)
    rules = sorted(set(stuck.order_by().values_list("rule_id", flat=True)[:PORTION]))
    for rule_id in rules:
        close(rule_id, _("The rule was switched off or deleted."))
    return len(rules)
