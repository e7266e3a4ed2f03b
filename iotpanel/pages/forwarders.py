"""Forwarders: where data are sent on to. Their pages are those that `adapted` makes of this noun."""

from typing import Any

from django.utils.translation import gettext as _

from iotpanel.pages.adapted import views
from iotpanel.pages.adapted.noun import Noun, Sent
from iotpanel.pages.scope_form import read_scope, scope_form, scope_words
from iotpanel.tenants.models import Tenant
from rules.forwarders import FORWARDERS, records
from rules.forwarders.contexts import Facts, context_of, sample
from rules.forwarders.shapes import Shape
from rules.forwarders.trying import send_test
from rules.models import Forwarder, Stream
from rules.template_filters import TemplateError


def _read_more(sent: Sent) -> dict[str, Any]:
    template = sent.get("template", "").replace("\r\n", "\n")
    return {"stream": sent.get("stream", ""), "scope": read_scope(sent), "template": template}


def _fields(tenant: Tenant, found: Forwarder | None, sent: Sent | None) -> dict[str, Any]:
    shown = {"stream": found.stream, "template": found.template} if found else {"stream": "readings", "template": ""}
    values = shown if sent is None else {name: sent.get(name, "") for name in shown}
    scope = found.scope if found else {}
    return {
        **values,
        "streams": [(value, str(label)) for value, label in Stream.choices],
        "scope": scope_form(tenant, scope, sent),
        "scope_words": scope_words(tenant, scope),
        "sample": _sample(found) if found else "",
    }


def _sample(found: Forwarder) -> str:
    """What a message looks like."""
    try:
        return Shape(found.template, found.stream).render(context_of(found.stream, sample(found.stream, found.tenant), Facts(found.tenant)))
    except TemplateError as error:
        return str(error)


def _words() -> dict[str, str]:
    return {
        "many": _("Forwarders"),
        "new": _("New forwarder"),
        "first": _("Make a forwarder"),
        "none": _("No forwarders yet"),
        "why": _("A forwarder sends what devices say, events, alarms or presence on to another system, as it comes in and without loss."),
        "which": _("Where to"),
        "held": _("What comes meanwhile waits, and goes out in order when you resume it."),
        "gone": _("What still waits for it is deleted too. Rules that send to it have to be changed."),
    }


NOUN = Noun(
    kind="forwarder",
    base="/forwarders/",
    model=Forwarder,
    table=FORWARDERS,
    records=records,
    create=records.create_forwarder,
    update=records.update_forwarder,
    delete=records.delete_forwarder,
    try_out=send_test,
    read_more=_read_more,
    fields=_fields,
    words=_words,
)
urlpatterns = views.urls(NOUN)
