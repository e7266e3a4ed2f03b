"""HTTP: posts messages as JSON to a URL, each by itself or a batch as a list, signed with HMAC where a secret is set."""

from collections.abc import Sequence
from typing import Any

from rules.outside import http
from rules.outside.signing import signed
from rules.outside.urls import WHOLE

from .base import BATCH, Message, flag, schema, secret, text

METHODS = ("POST", "PUT", "PATCH")
OURS = {"host", "content-length", "transfer-encoding", "connection", "content-type", "authorization"}


class HttpForwarder:
    TITLE = "HTTP"
    SETTINGS = schema(
        {
            "url": text("Address", pattern=WHOLE, **{"x-address": True}),
            "method": {"type": "string", "title": "Method", "enum": [*METHODS], "default": "POST"},
            "batch": flag("Send a list of messages instead of each by itself"),
            "content_type": text("Content type", default="application/json", pattern=r"^[\w.+-]+/[\w.+-]+(; *[\w=-]+)?$"),
            "headers": {
                "type": "object",
                "title": "Headers",
                "maxProperties": 30,
                "propertyNames": {"pattern": r"^[A-Za-z0-9-]{1,64}$"},
                "additionalProperties": {"type": "string", "maxLength": 2000, "pattern": r"^[\x20-\x7e]*$"},
            },
            "username": text("User name"),
            "password": secret("Password"),
            "token": secret("Bearer token", pattern=r"^[\x21-\x7e]*$"),
            "signing_secret": secret("Secret for the signature in X-Iotpanel-Signature"),
            "verify": flag("Check the server's certificate", True),
        },
        ["url"],
    )
    OBJECTS = False
    EXPERIMENTAL = False

    def __init__(self, settings: dict[str, Any]) -> None:
        self.settings = settings
        self.batch = BATCH if settings.get("batch") else 1
        self.http = http.client(verify=settings.get("verify", True))
        self.headers = {name: value for name, value in settings.get("headers", {}).items() if name.lower() not in OURS}
        self.headers["Content-Type"] = settings.get("content_type", "application/json")
        if settings.get("token"):
            self.headers["Authorization"] = f"Bearer {settings['token']}"
        elif settings.get("username"):
            self.http.auth = (settings["username"], settings.get("password", ""))

    def send(self, messages: Sequence[Message]) -> str:
        if self.settings.get("batch"):
            return self._post("[" + ",".join(message.body for message in messages) + "]", "")
        return self._post(messages[0].body, messages[0].key)

    def _post(self, body: str, about: str) -> str:
        content = body.encode()
        headers = self.headers | ({"X-Iotpanel-Device": about} if about else {})
        if key := self.settings.get("signing_secret"):
            headers |= signed(content, key)
        return http.said(http.send(self.http, self.settings.get("method", "POST"), self.settings["url"], content=content, headers=headers))

    def close(self) -> None:
        self.http.close()
