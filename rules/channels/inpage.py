"""On the pages: the message stands in the tenant's list of notices."""

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from rules import notices

from .base import Note, schema


class InpageChannel:
    TITLE = gettext_lazy("On the pages")
    SETTINGS = schema({})
    EXPERIMENTAL = False

    def __init__(self, settings: dict[str, Any]) -> None:
        pass

    def send(self, note: Note) -> str:
        notices.add(note.tenant_id, channel_id=note.channel_id, title=note.title, text=note.text)
        return _("Shown.")
