"""What a browser is told: what the channel says, how severe it is, and the page of ours that shows more."""

import hashlib
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

import orjson
from django.utils import translation

from devices.models import Device
from rules.channels.base import Note
from rules.models import Alarm, Browser, Severity

from .vapid import base64url

TITLE, TEXT = 150, 400  # characters; whatever they are, the whole stays below what a push service takes
LOOKED_AT = 50  # of what a message gathers
Message = dict[str, Any]


def message_of(note: Note) -> Message:
    """The note for browsers. The same note has the same `tag`, so that one that comes twice is shown once."""
    found = _alarms(note.tenant_id, note.about[:LOOKED_AT])
    severities = sorted((Severity(each.severity) for each in found), key=lambda each: each.rank)
    tag = hashlib.sha256(orjson.dumps([note.channel_id, note.title, note.text, note.about])).digest()[:18]
    return {
        "title": note.title[:TITLE],
        "text": note.text[:TEXT],
        "severity": str(severities[0]) if severities else "",
        "url": found[0].get_absolute_url() if len(found) == len(note.about) == 1 else _place(note),
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


def _alarms(tenant_id: int, about: Sequence[dict[str, Any]]) -> list[Alarm]:
    """The newest alarm of each rule and device that the note is about."""
    pairs = {(each.get("rule", {}).get("id"), each.get("device")) for each in about}
    mine = Alarm.objects.filter(tenant_id=tenant_id, rule_id__in={rule for rule, _ in pairs if rule})
    rows = mine.filter(device__key__in={device for _, device in pairs}).select_related("device")
    newest = rows.order_by("rule_id", "device_id", "-pk").distinct("rule_id", "device_id")
    return [each for each in newest if (each.rule_id, each.device.key) in pairs]


def _place(note: Note) -> str:
    """The device's page where the note is about one that exists; else the alarms."""
    keys = {str(each.get("device", "")) for each in note.about}
    mine = Device.objects.filter(tenant_id=note.tenant_id, key__in=keys)
    key = mine.values_list("key", flat=True).first() if len(keys) == 1 else None
    return f"/devices/{quote(key, safe='')}/" if key else "/alarms/"
