"""Notices on the pages: added, told to who is looking, and seen by each person for themselves."""

from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.db.models.functions import Greatest

from iotpanel.tenants.models import Tenant, User
from telemetry.live import publisher, wire

from .models import Notice, NoticeMark

COUNTED = 100  # unread ones; beyond that the number is no news


@transaction.atomic
def add(tenant_id: int, *, channel_id: int, title: str, text: str) -> Notice:
    """A new one, told on commit to the pages that are open."""
    notice = Notice.objects.create(tenant_id=tenant_id, channel_id=channel_id, title=title[:300], text=text)
    transaction.on_commit(lambda: publisher().notices([wire.Notice("notice", tenant_id, 0, as_json(notice))]))
    return notice


def as_json(notice: Notice) -> dict[str, Any]:
    """As the WebSocket tells it."""
    return {"id": notice.pk, "at": notice.at.isoformat(), "title": notice.title, "text": notice.text}


def unread(tenant: Tenant, person: User) -> QuerySet[Any]:
    """What this person has not seen, and nobody marked as read for all."""
    mark = NoticeMark.objects.for_tenant(tenant).filter(person=person).values_list("seen", flat=True).first()
    return Notice.objects.for_tenant(tenant).filter(pk__gt=mark or 0, read_at=None)


def count_unread(tenant: Tenant, person: User) -> int:
    return unread(tenant, person)[:COUNTED].count()


@transaction.atomic
def mark_seen(tenant: Tenant, person: User, *, up_to: int) -> None:
    """This person has seen all up to this one. What was seen stays so."""
    newest = Notice.objects.for_tenant(tenant).filter(pk__lte=up_to).order_by("-pk").values_list("pk", flat=True).first()
    if newest is None:
        return
    mark, new = NoticeMark.objects.get_or_create(tenant=tenant, person=person, defaults={"seen": newest})
    if not new:
        NoticeMark.objects.filter(pk=mark.pk).update(seen=Greatest("seen", newest))
