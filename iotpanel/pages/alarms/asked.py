"""Which alarms a page was asked for, and in which order they stand."""

from typing import Any, NamedTuple
from urllib.parse import urlencode

from django.db.models import Case, Exists, F, IntegerField, OuterRef, Q, QuerySet, Value, When
from django.http import QueryDict
from django.utils import timezone

from iotpanel.tenants.models import Tenant, User
from rules.models import Alarm, AlarmEvent, Severity

VIEWS = ("active", "unseen", "mine", "shelved", "maintenance", "history")
RANK = Case(
    *(When(severity=severity, then=Value(severity.rank)) for severity in Severity),
    default=Value(len(Severity)),
    output_field=IntegerField(),
)


class Asked(NamedTuple):
    """`view` is one of VIEWS, `severity` one of the severities or empty; `q` searches device, rule and message."""

    view: str = "active"
    severity: str = ""
    device: str = ""
    q: str = ""

    @classmethod
    def of(cls, query: QueryDict) -> "Asked":
        view, severity, device, q = (query.get(name, "").replace("\x00", "")[:200] for name in cls._fields)
        return cls(view if view in VIEWS else "active", severity if severity in Severity.values else "", device, q.strip())

    def address(self, **changes: str) -> str:
        pairs = self._replace(**changes)._asdict().items()
        return "?" + urlencode([(name, value) for name, value in pairs if value and (name, value) != ("view", "active")])


def in_view(alarms: QuerySet[Alarm], view: str, user: User) -> QuerySet[Alarm]:
    """Those that a saved view shows. What is cleared but was seen by nobody still waits for a person."""
    now = timezone.now()
    on_shelf = Q(shelved_until__gt=now)
    put_there = Q(Exists(AlarmEvent.objects.filter(alarm=OuterRef("pk"), kind=AlarmEvent.Kind.SHELVED)))
    waiting = Q(active=True) | Q(acknowledged_at=None)
    filters = {
        "active": waiting & ~on_shelf,
        "unseen": Q(acknowledged_at=None) & ~on_shelf,
        "mine": waiting & Q(assigned_to=user) & ~on_shelf,
        "shelved": waiting & on_shelf,
        "maintenance": waiting & on_shelf & ~put_there,
        "history": Q(),
    }
    return alarms.filter(filters[view])


def alarms_of(tenant: Tenant, user: User, asked: Asked) -> QuerySet[Alarm]:
    """The tenant's alarms under these filters; the most urgent first, in the history the newest."""
    found: QuerySet[Alarm] = in_view(Alarm.objects.for_tenant(tenant), asked.view, user)
    if asked.severity:
        found = found.filter(severity=asked.severity)
    if asked.device:
        found = found.filter(device__key=asked.device)
    if asked.q:
        q = asked.q
        found = found.filter(
            Q(device__name__icontains=q) | Q(device__key__icontains=q) | Q(rule_name__icontains=q) | Q(message__icontains=q)
        )
    found = found.select_related("device", "device__product", "rule", "acknowledged_by", "assigned_to")
    return found if asked.view == "history" else found.order_by(RANK, F("acknowledged_at").desc(nulls_first=True), "-raised_at", "-pk")


def counts(tenant: Tenant, user: User) -> dict[str, Any]:
    """How many alarms each saved view but the history holds."""
    mine = Alarm.objects.for_tenant(tenant)
    return {view: in_view(mine, view, user).count() for view in VIEWS if view != "history"}
