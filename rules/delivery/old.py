"""What is kept no longer: delivered rows, dead ones, records of deliveries; and promises that waited too long."""

from datetime import timedelta

from django.conf import settings
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from rules.models import Browser, Delivery, OutboxItem, Target

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
    )


def _drop(rows: "QuerySet[OutboxItem] | QuerySet[Delivery]") -> int:
    total = 0
    while pks := list(rows.values_list("pk", flat=True)[:AT_A_TIME]):
        total += rows.model._default_manager.filter(pk__in=pks).delete()[0]
    return total
