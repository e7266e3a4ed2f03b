"""What a rule sends outside by itself, without a channel or a forwarder: calls of webhooks, messages to devices. How that does."""

from collections.abc import Collection
from typing import Any, Final

from django.db.models import QuerySet

from iotpanel.tenants.models import Tenant

from .delivery import queue
from .models import Delivery, OutboxItem, Rule, Target

KINDS: Final = ("webhook", "mqtt")


def targets_of(rule: Rule) -> QuerySet[Any]:
    """How each kind of them does; only kinds that something was promised of."""
    return Target.objects.for_tenant(rule.tenant).filter(kind__in=KINDS, target=rule.pk).order_by("-kind")


def deliveries_of(target: Target) -> QuerySet[Any]:
    """What was sent and answered, the newest first."""
    return Delivery.objects.filter(tenant_id=target.tenant_id, kind=target.kind, target=target.target)


def put_back(rule: Rule) -> int:
    """Let what was given up be tried again; how many that were."""
    return sum(queue.put_back(queue.of(target)) for target in targets_of(rule))


def down_of(tenant: Tenant, ids: Collection[int]) -> set[int]:
    """Those of the rules with these ids whose calls or messages do not arrive just now, or were given up."""
    mine = Target.objects.for_tenant(tenant).filter(kind__in=KINDS, target__in=ids)
    found = set(mine.filter(failures__gt=0).values_list("target", flat=True))
    dead = OutboxItem.objects.for_tenant(tenant).filter(kind__in=KINDS, target__in=ids, state=OutboxItem.State.DEAD)
    return found | set(dead.order_by().values_list("target", flat=True).distinct())
