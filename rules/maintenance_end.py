"""A maintenance window that is over sooner than planned: what it kept out of sight is seen again."""

from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone
from django.utils.translation import gettext as _

from iotpanel.tenants.models import User

from . import alarms, mutes
from .models import Alarm, AlarmEvent, Maintenance
from .models.alarm import AlarmSet

SHELVED = AlarmEvent.Kind.SHELVED


def by_maintenance(found: AlarmSet) -> AlarmSet:
    """Those of alarms on the shelf that no person put there."""
    return found.shelved().exclude(Exists(AlarmEvent.objects.filter(alarm=OuterRef("pk"), kind=SHELVED)))


@transaction.atomic
def end_maintenance(maintenance: Maintenance, *, by: User | None) -> int:
    """End it now; one that has not begun is deleted. How many alarms come off the shelf: those that it put there."""
    now = timezone.now()
    if maintenance.starts_at >= now:
        mutes.delete_maintenance(maintenance)
        return 0
    until = maintenance.ends_at
    if until > now:
        mutes.update_maintenance(maintenance, ends_at=now)
    mine = by_maintenance(Alarm.objects.for_tenant(maintenance.tenant)).filter(shelved_until=until, raised_at__gte=maintenance.starts_at)
    found = list(mine.order_by("pk"))
    for alarm in found:
        alarms.shelve(alarm, until=None, by=by, text=_("The maintenance “%(name)s” is over.") % {"name": maintenance.name})
    return len(found)
