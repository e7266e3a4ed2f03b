"""Webhook: a JSON object to an address of your own, signed with HMAC where a secret is set."""

from typing import Any

import orjson

from rules.outside import http
from rules.outside.signing import signed
from rules.outside.urls import WHOLE

from .base import Note, schema, secret, text


class WebhookChannel:
    TITLE = "Webhook"
    SETTINGS = schema(
        {
            "url": text("Address", pattern=WHOLE, **{"x-address": True}),
            "signing_secret": secret("Secret for the signature in X-Iotpanel-Signature"),
        },
        ["url"],
    )
    EXPERIMENTAL = False

    def __init__(self, settings: dict[str, Any]) -> None:
        self.settings = settings

    def send(self, note: Note) -> str:
        body = orjson.dumps({"title": note.title, "text": note.text, "about": note.about})
        headers = {"Content-Type": "application/json"}
        if key := self.settings.get("signing_secret"):
            headers |= signed(body, key)
        with http.client() as client:
            return http.said(http.send(client, "POST", self.settings["url"], content=body, headers=headers))
