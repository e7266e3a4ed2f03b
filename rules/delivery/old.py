"""What is kept no longer: delivered rows, dead ones, records of deliveries, addresses that rules left; promises that waited too long."""

from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from rules import effects
from rules.models import Browser, Delivery, OutboxItem, Rule, Target

from . import queue

AT_A_TIME = 5_000
State = OutboxItem.State


def drop() -> int:
    """Returns the rows dropped. Promises that waited longer than `OUTBOX_DAYS` are given up first."""
    now = timezone.now()
    words = str(_("It waited for %(days)d days.") % {"days": settings.OUTBOX_DAYS})
    late = OutboxItem.objects.filter(state=State.WAITING, created_at__lt=now - timedelta(days=settings.OUTBOX_DAYS))
    late.update(state=State.DEAD, last_error=words)
    # Rules leave addresses behind, which would count as down for good.
    Target.objects.filter(~queue.WAITS, kind="webhook", failures__gt=0).update(failures=0, paused_until=None)
    Target.objects.filter(kind="push").exclude(target__in=Browser.objects.values("pk")).delete()  # they went with their person
    day, dead = now - timedelta(days=1), now - timedelta(days=settings.DEAD_LETTER_DAYS or 36_500)
    return (
        _drop(OutboxItem.objects.filter(state=State.DELIVERED, created_at__lt=day))
        + _drop(OutboxItem.objects.filter(state=State.DEAD, created_at__lt=dead))
        + _drop(Delivery.objects.filter(at__lt=now - timedelta(days=settings.DELIVERY_DAYS)))
        + _drop_left()
    )


def _drop_left() -> int:
    """Targets of addresses that no rule calls any more, once nothing is kept of what was promised and nothing of what was answered.

    Who promises something to one at this moment holds its row, and it is passed over; whoever comes while it goes makes it anew.
    """
    total, after = 0, 0
    idle = Target.objects.filter(~queue.KEPT, ~queue.RECORDED, kind="webhook").order_by("pk")
    while rows := list(idle.filter(pk__gt=after).values_list("pk", "target", "lane")[:AT_A_TIME]):
        after = rows[-1][0]
        rules = Rule.objects.filter(pk__in={rule_id for _, rule_id, _ in rows})
        used = {(rule.pk, lane) for rule in rules.iterator() for lane in effects.addresses_of(rule)}
        left = [pk for pk, rule_id, lane in rows if (rule_id, lane) not in used]
        with transaction.atomic():
            held = list(Target.objects.select_for_update(skip_locked=True).filter(pk__in=left).values_list("pk", flat=True))
            total += Target.objects.filter(~queue.KEPT, pk__in=held).delete()[0]
    return total


def _drop(rows: "QuerySet[OutboxItem] | QuerySet[Delivery]") -> int:
    total = 0
    while pks := list(rows.values_list("pk", flat=True)[:AT_A_TIME]):
        total += rows.model._default_manager.filter(pk__in=pks).delete()[0]
    return total
