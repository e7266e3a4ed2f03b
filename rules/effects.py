"""What a rule sends outside by itself, without a channel or a forwarder: calls of webhooks, messages to devices. How that does."""

from collections.abc import Collection, Iterator
from typing import Any, Final

from django.db.models import QuerySet

from iotpanel.tenants.models import Tenant

from .delivery import queue
from .models import Delivery, OutboxItem, Rule, Target
from .outside.lanes import lane_of

KINDS: Final = ("webhook", "mqtt")


def targets_of(rule: Rule) -> list[Target]:
    """How each of them does; only those that something was promised of, and that the rule still has or something is kept of."""
    mine = Target.objects.for_tenant(rule.tenant).filter(kind__in=KINDS, target=rule.pk).annotate(kept=queue.KEPT)
    addresses = addresses_of(rule)
    return [each for each in mine.order_by("-kind", "pk") if each.kind != "webhook" or each.kept or each.lane in addresses]


def addresses_of(rule: Rule) -> dict[str, str]:
    """The addresses of a rule's webhooks, also in scenes and escalations, by the lane that each has."""
    return {lane_of(url): url for url in _urls(rule.body.get("actions"))}


def _urls(part: Any) -> Iterator[str]:
    if isinstance(part, dict):
        if part.get("kind") == "webhook" and isinstance(part.get("url"), str):
            yield part["url"]
        part = list(part.values())
    if isinstance(part, list):
        for each in part:
            yield from _urls(each)


def deliveries_of(target: Target) -> QuerySet[Any]:
    """What was sent and answered, the newest first."""
    return Delivery.objects.filter(tenant_id=target.tenant_id, kind=target.kind, target=target.target, lane=target.lane)


def put_back(rule: Rule) -> int:
    """Let what was given up be tried again; how many that were."""
    return sum(queue.put_back(queue.of(target)) for target in targets_of(rule))


def down_of(tenant: Tenant, ids: Collection[int]) -> set[int]:
    """Those of the rules with these ids whose calls or messages do not arrive just now, or were given up."""
    mine = Target.objects.for_tenant(tenant).filter(kind__in=KINDS, target__in=ids)
    found = set(mine.filter(queue.WAITS, failures__gt=0).values_list("target", flat=True))
    dead = OutboxItem.objects.for_tenant(tenant).filter(kind__in=KINDS, target__in=ids, state=OutboxItem.State.DEAD)
    return found | set(dead.order_by().values_list("target", flat=True).distinct())
