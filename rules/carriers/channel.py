"""Channels: everything that waits becomes one message, so that a storm of alarms is one message and not a thousand."""

from collections.abc import Sequence
from typing import Any

from django.utils.translation import gettext as _

from rules.adapter_settings import unseal
from rules.alarms_told import newest, pair_of, told
from rules.channels import CHANNELS, Note
from rules.channels.wording import Wording
from rules.delivery.parcels import Parcel
from rules.forwarders.contexts import Context, Facts, iso
from rules.models import Channel, Target
from rules.outside.errors import Down, Gone, Rejected
from rules.template_filters import TemplateError

PURPOSE = "channel"
LINES = 50  # of a message that gathers several


class ChannelCarrier:
    keeps = True
    gathers = True
    recorded = True
    batch = 10_000
    sent = ""

    def __init__(self, target: Target) -> None:
        channel = Channel.objects.filter(pk=target.target, tenant_id=target.tenant_id).first()
        if channel is None:
            raise Gone(_("The channel was deleted."))
        if not channel.enabled:
            raise Down(_("It is switched off."))
        self.stamp = channel.updated_at
        self.channel = channel
        self.facts = Facts(target.tenant)
        self.adapter = CHANNELS[channel.kind](channel.settings | unseal(channel.sealed, purpose=PURPOSE))

    @staticmethod
    def stamp_of(target: Target) -> object:
        return Channel.objects.filter(pk=target.target, tenant_id=target.tenant_id).values_list("updated_at", flat=True).first()

    def send(self, parcels: Sequence[Parcel]) -> str:
        note = self.note([parcel.entry for parcel in parcels])
        self.sent = f"{note.title}\n{note.text}".strip()
        return self.adapter.send(note)

    def note(self, entries: Sequence[dict[str, Any]]) -> Note:
        """One message about all of these. Raises Rejected where a template can't do with one."""
        self.facts.load(str(entry.get("device", "")) for entry in entries)
        alarms = {pair: told(alarm) for pair, alarm in newest(self.channel.tenant_id, entries).items()}
        if alarms:
            entries = [{"alarm": alarms.get(pair_of(entry) or (0, "")), **entry} for entry in entries]
        contexts = [self._context(entry) for entry in entries]
        try:
            said = [Wording(entry.get("title") or self.channel.title, entry.get("text") or self.channel.text).of(context)
                    for entry, context in zip(entries, contexts, strict=True)]  # fmt: skip
        except TemplateError as error:
            raise Rejected(_("Template: %(error)s") % {"error": error}) from error
        about = [{name: value for name, value in entry.items() if name not in ("title", "text")} for entry in entries]
        if len(said) == 1:
            return Note(self.channel.tenant_id, self.channel.pk, *said[0], about)
        title = _("%(number)d messages") % {"number": len(said)}
        lines = [each[0] for each in said[:LINES]]
        more = [_("and %(number)d more") % {"number": len(said) - LINES}] if len(said) > LINES else []
        return Note(self.channel.tenant_id, self.channel.pk, f"{title}: {said[0][0]}", "\n".join([*lines, *more]), about)

    def _context(self, entry: dict[str, Any]) -> Context:
        at = int(entry.get("at", 0))
        known = {"device": self.facts.device(str(entry.get("device", ""))), "tenant": self.facts.tenant, "ts": at // 1000, "at": iso(at)}
        return known | {name: entry.get(name) for name in ("rule", "change", "values", "alarm")}

    def rest(self) -> float:
        return float(self.channel.group_interval)

    def close(self) -> None:
        pass
