"""What a browser is told: what the channel says, how severe it is, and the page of ours that shows more."""

import hashlib
from typing import Any
from urllib.parse import quote

import orjson
from django.utils import translation

from devices.models import Device
from iotpanel.tenants.models import Tenant
from rules.alarms_told import most_severe, newest, place_of
from rules.channels.base import Note
from rules.models import Browser, Severity

from .vapid import base64url

TITLE, TEXT = 150, 400  # characters; whatever they are, the whole stays below what a push service takes
LOOKED_AT = 50  # of what a message gathers
Message = dict[str, Any]


def message_of(note: Note) -> Message:
    """The note for browsers. The same note has the same `tag`, so that one that comes twice is shown once."""
    found = list(newest(note.tenant_id, note.about[:LOOKED_AT]).values())
    tenant = Tenant.objects.values_list("key", flat=True).get(pk=note.tenant_id)
    about = [{name: value for name, value in each.items() if name != "alarm"} for each in note.about]  # which goes on meanwhile
    tag = hashlib.sha256(orjson.dumps([note.channel_id, note.title, note.text, about])).digest()[:18]
    return {
        "title": note.title[:TITLE],
        "text": note.text[:TEXT],
        "severity": str(most_severe(found) or ""),
        "url": place_of(found[0].get_absolute_url() if len(found) == len(note.about) == 1 else _place(note), tenant),
        "tag": base64url(tag),
    }


def payload_of(message: Message, browser: Browser) -> bytes:
    """What its worker reads (templates/offline/worker.js), in the language of the person."""
    language = browser.person.language or browser.language or "en"
    with translation.override(language):
        severity = str(Severity(message["severity"]).label) if message["severity"] else ""
    body = "\n".join(part for part in (severity, message["text"]) if part)
    about = {name: message[name] for name in ("title", "severity", "url", "tag")}
    return orjson.dumps(about | {"body": body[:TEXT], "lang": language})


def _place(note: Note) -> str:
    """The device's page where the note is about one that exists; else the alarms."""
    keys = {str(each.get("device", "")) for each in note.about}
    mine = Device.objects.filter(tenant_id=note.tenant_id, key__in=keys)
    key = mine.values_list("key", flat=True).first() if len(keys) == 1 else None
    return f"/devices/{quote(key, safe='')}/" if key else "/alarms/"
