"""Notification channels: how people are told. Their pages are those that `adapted` makes of this noun."""

from typing import Any

from django.utils.translation import gettext as _

from iotpanel.pages.adapted import views
from iotpanel.pages.adapted.noun import Noun, Sent
from iotpanel.tenants.models import Tenant
from rules.channels import CHANNELS, records
from rules.channels.trying import send_test
from rules.channels.wording import TEXT, TITLE
from rules.models import Channel

SECONDS = ("group_wait", "group_interval")


def _read_more(sent: Sent) -> dict[str, Any]:
    texts = {name: sent.get(name, "").replace("\r\n", "\n") for name in ("title", "text")}
    return {**texts, **{name: _whole(sent.get(name, "")) for name in SECONDS}}


def _whole(text: str) -> Any:
    """A number, or the text that is none, which the verb refuses."""
    return int(text) if text.strip().isdecimal() and len(text) < 10 else text


def _fields(tenant: Tenant, found: Channel | None, sent: Sent | None) -> dict[str, Any]:
    of = found or Channel()
    shown: dict[str, Any] = {"title": of.title, "text": of.text, "group_wait": of.group_wait, "group_interval": of.group_interval}
    values = shown if sent is None else {name: sent.get(name, "") for name in shown}
    return values | {"usual_title": TITLE, "usual_text": TEXT}


def _words() -> dict[str, str]:
    return {
        "many": _("Notification channels"),
        "new": _("New channel"),
        "first": _("Make a channel"),
        "none": _("No channels yet"),
        "why": _(
            "A channel says how people are told: on the pages, by mail, in a chat. Rules notify by it; a storm of alarms is one message."
        ),
        "which": _("How"),
        "held": _("What comes meanwhile waits, and goes out as one message when you resume it."),
        "gone": _("What still waits for it is deleted too. Rules that notify by it have to be changed."),
    }


NOUN = Noun(
    kind="channel",
    base="/channels/",
    model=Channel,
    table=CHANNELS,
    records=records,
    create=records.create_channel,
    update=records.update_channel,
    delete=records.delete_channel,
    try_out=send_test,
    read_more=_read_more,
    fields=_fields,
    words=_words,
)
urlpatterns = views.urls(NOUN)
