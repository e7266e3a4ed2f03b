"""What a rule sends outside by itself, on its page: how it does, what was answered, what was given up."""

from typing import NamedTuple

from django.contrib import messages
from django.http import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from iotpanel.pages.adapted.health import Health, health
from iotpanel.tenants.models import Role
from iotpanel.tenants.web import TenantRequest, tenant_page
from rules import effects
from rules.models import Delivery, Rule

SHOWN = 10


class Effect(NamedTuple):
    kind: str
    label: str
    health: Health
    deliveries: list[Delivery]


def outside(rule: Rule) -> list[Effect]:
    """Its webhooks and what it publishes, where there were any."""
    labels = {"webhook": _("Its webhooks"), "mqtt": _("What it publishes")}
    addresses = effects.addresses_of(rule)
    return [
        Effect(
            target.kind,
            " ".join([labels[target.kind], addresses.get(target.lane, "")]).strip(),
            health(True, target),
            list(effects.deliveries_of(target)[:SHOWN]),
        )
        for target in effects.targets_of(rule)
    ]


@require_POST
@tenant_page(Role.OPERATOR)
def retry(request: TenantRequest, pk: int) -> HttpResponseBase:
    """Let what was given up be tried again."""
    found: Rule = get_object_or_404(Rule.objects.for_tenant(request.tenant), pk=pk)
    count = effects.put_back(found)
    messages.success(request, ngettext("%(count)s message waits again", "%(count)s messages wait again", count) % {"count": count})
    return redirect(found.get_absolute_url())
