"""Forwarders: entries of a stream, or what a rule sends, become messages by the template and go to the adapter."""

from collections.abc import Sequence
from typing import Any

from django.utils.translation import gettext as _

from rules.adapter_settings import unseal
from rules.alarms_told import Pair, newest, told
from rules.delivery.parcels import Parcel
from rules.forwarders import FORWARDERS, Message
from rules.forwarders.contexts import Facts, context_of
from rules.forwarders.shapes import Shape
from rules.models import Alarm, Forwarder, Target
from rules.outside.errors import Down, Gone, Rejected
from rules.template_filters import TemplateError

PURPOSE = "forwarder"


class ForwarderCarrier:
    keeps = False
    gathers = False
    recorded = False
    sent = ""

    def __init__(self, target: Target) -> None:
        forwarder = Forwarder.objects.filter(pk=target.target, tenant_id=target.tenant_id).first()
        if forwarder is None:
            raise Gone(_("The forwarder was deleted."))
        if not forwarder.enabled:
            raise Down(_("It is switched off."))
        self.stamp = self.stamp_of(target)
        self.forwarder = forwarder
        self.shape = Shape(forwarder.template, forwarder.stream)
        self.facts = Facts(target.tenant)
        self.alarms: dict[Pair, Alarm] = {}
        self.adapter = FORWARDERS[forwarder.kind](forwarder.settings | unseal(forwarder.sealed, purpose=PURPOSE))
        self.batch = self.adapter.batch

    @staticmethod
    def stamp_of(target: Target) -> object:
        return Forwarder.objects.filter(pk=target.target, tenant_id=target.tenant_id).values_list("updated_at", flat=True).first()

    def send(self, parcels: Sequence[Parcel]) -> str:
        self.facts.load(parcel.entry[0] for parcel in parcels if isinstance(parcel.entry, list))
        self.alarms = newest(self.forwarder.tenant_id, [about for parcel in parcels if (about := _about(parcel))])
        messages: list[Message] = []
        wrong: dict[int, str] = {}
        for position, parcel in enumerate(parcels):
            try:
                messages.append(self.message(parcel.item.payload.get("stream", ""), parcel.entry))
            except (TemplateError, LookupError, TypeError, ValueError) as error:
                wrong[position] = _("Template: %(error)s") % {"error": error}
        if wrong:  # nothing is sent yet: the batch comes again in halves
            raise Rejected(next(iter(wrong.values())))
        return self.adapter.send(messages)

    def message(self, stream: str, entry: list[Any]) -> Message:
        context = context_of(stream, entry, self.facts)
        if not stream and (alarm := self.alarms.get(((context.get("rule") or {}).get("id") or 0, str(entry[0])))):
            context["alarm"] = told(alarm)
        return Message(self.shape.render(context), str(entry[0]), int(entry[1]), context)

    def rest(self) -> float:
        return 0.0

    def close(self) -> None:
        self.adapter.close()


def _about(parcel: Parcel) -> dict[str, Any]:
    """The rule and device of what a rule forwards; empty for what a stream brings."""
    if parcel.item.payload.get("stream", "") or not isinstance(parcel.entry, list):
        return {}
    return {"device": parcel.entry[0], "rule": parcel.entry[2].get("rule")}
