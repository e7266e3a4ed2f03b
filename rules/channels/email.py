"""E-mail, by the server that the operator set up (`IOTPANEL_EMAIL_URL`)."""

import smtplib
from typing import Any

from django.conf import settings as platform
from django.core.mail import EmailMessage, get_connection
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from rules.outside.errors import Down, Rejected

from .base import Note, schema

ADDRESS = r"^[^@\s,;<>\"]{1,64}@[A-Za-z0-9.-]{1,255}$"
SECONDS = 10


class EmailChannel:
    TITLE = gettext_lazy("E-mail")
    SETTINGS = schema(
        {
            "to": {
                "type": "array",
                "title": "To",
                "minItems": 1,
                "maxItems": 50,
                "items": {"type": "string", "pattern": ADDRESS, "maxLength": 320},
            }
        },
        ["to"],
    )
    EXPERIMENTAL = False

    def __init__(self, settings: dict[str, Any]) -> None:
        self.to: list[str] = settings["to"]

    def send(self, note: Note) -> str:
        if not platform.EMAIL_URL:
            raise Down(_("No mail server is set up (IOTPANEL_EMAIL_URL)."))
        subject = " ".join(note.title.split())[:200]
        mail = EmailMessage(
            subject, note.text or note.title, platform.DEFAULT_FROM_EMAIL, self.to, connection=get_connection(timeout=SECONDS)
        )
        try:
            mail.send()
        except smtplib.SMTPRecipientsRefused as error:
            raise Rejected("; ".join(f"{to}: {code} {words!r}" for to, (code, words) in error.recipients.items())) from error
        except (smtplib.SMTPException, OSError) as error:
            raise Down(str(error) or type(error).__name__) from error
        return _("Taken by the mail server.")
