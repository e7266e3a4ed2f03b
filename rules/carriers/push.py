"""Web push to one browser. What its push service answers stands in the history of the channel that the message came from."""

from collections.abc import Sequence

from django.utils.translation import gettext as _

from rules.channels.records import KIND
from rules.delivery.parcels import Parcel
from rules.delivery.run import record
from rules.models import Browser, Channel, Target
from rules.outside import http
from rules.outside.errors import Down, Gone, Rejected
from rules.push.browsers import ended
from rules.push.sending import push


class PushCarrier:
    keeps = False
    gathers = False
    recorded = False
    batch = 1
    sent = ""

    def __init__(self, target: Target) -> None:
        browser = Browser.objects.told_by(target.tenant_id).filter(pk=target.target).select_related("person").first()
        if browser is None:
            raise Gone(_("The browser was removed, or its person has left."))
        self.target, self.browser, self.stamp = target, browser, self.stamp_of(target)
        self.http = http.client()

    @staticmethod
    def stamp_of(target: Target) -> object:
        """Also None where the person has left, to whom nothing more is told."""
        mine = Browser.objects.told_by(target.tenant_id).filter(pk=target.target)
        return mine.values_list("digest", "p256dh", "auth", "person__language").first()

    def send(self, parcels: Sequence[Parcel]) -> str:
        (parcel,) = parcels
        channel = Channel.objects.filter(pk=parcel.entry["channel"], tenant_id=self.target.tenant_id).first()
        if channel is None:
            return ""  # deleted, with what waited for it
        try:
            answer = push(self.http, self.browser, parcel.entry["message"])
        except (Down, Rejected, Gone) as error:
            if not self.target.failures or not isinstance(error, Down):  # as elsewhere: that it is down is said once
                self._record(channel, parcel, ok=False, answer=str(error))
            if isinstance(error, Gone) and not ended(self.browser):
                raise Down(_("The browser has a new subscription: it is told there.")) from error
            raise
        self._record(channel, parcel, ok=True, answer=answer)
        return answer

    def _record(self, channel: Channel, parcel: Parcel, *, ok: bool, answer: str) -> None:
        message = parcel.entry["message"]
        place = Target(tenant_id=channel.tenant_id, kind=KIND, target=channel.pk)
        told = [parcel] * int(parcel.entry.get("messages", 1))
        record(place, told, ok=ok, answer=f"{self.browser}: {answer}", sent=f"{message['title']}\n{message['text']}".strip())

    def rest(self) -> float:
        return 0.0

    def close(self) -> None:
        self.http.close()
