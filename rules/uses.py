"""What rules and channels name: whoever deletes it is told who still counts on it."""

from typing import Any

from django.db.models import Q
from django.utils.translation import gettext as _

from iotpanel.api.errors import Conflict
from iotpanel.tenants.models import Tenant

from .models import Channel, Rule

NAMED = 5  # of them are named in the refusal


def refuse_used(tenant: Tenant, **named: Any) -> None:
    """Raises Conflict `in_use` where actions of rules hold these settings, or a channel calls by this rotation.

    Switched off or not: one that is switched on again would call nobody.
    """
    users = list(Rule.objects.for_tenant(tenant).filter(_holds(named)).values_list("name", flat=True)[: NAMED + 1])
    if "assign" in named:
        users += Channel.objects.for_tenant(tenant).filter(settings__rotation=named["assign"]).values_list("name", flat=True)[:NAMED]
    if users:
        shown = ", ".join(f"“{name}”" for name in users[:NAMED]) + (" …" if len(users) > NAMED else "")
        raise Conflict("in_use", _("It is used by %(users)s: change that first.") % {"users": shown})


def _holds(action: dict[str, Any]) -> Q:
    """Actions stand in a rule, in a scene, in an escalation, and in a scene of an escalation."""
    found = Q()
    for each in (action, {"steps": [action]}):
        for place in (each, {"escalate": [each]}, {"escalate": [{"actions": [each]}]}, {"steps": [{"escalate": [each]}]}):
            found |= Q(body__actions__contains=[place])
    return found
