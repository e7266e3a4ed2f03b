"""Feishu (Lark), by a group robot, signed where its secret is set."""

import base64
import hashlib
import hmac
import time
from typing import Any

from rules.outside.urls import BARE

from .base import Note, checked, post, schema, secret, text

TOO_OFTEN = (9499, 11232)


class FeishuChannel:
    TITLE = "Feishu"
    SETTINGS = schema(
        {
            "token": secret("Token of the robot", pattern=r"^[A-Za-z0-9-]{8,100}$"),
            "signing_secret": secret("Secret for the signature"),
            "url": text("Address of the API", pattern=BARE, default="https://open.feishu.cn", **{"x-address": True}),
        },
        ["token"],
    )
    EXPERIMENTAL = False

    def __init__(self, settings: dict[str, Any]) -> None:
        self.settings = settings

    def send(self, note: Note) -> str:
        body: dict[str, Any] = {"msg_type": "text", "content": {"text": f"{note.title}\n{note.text}".strip()[:18_000]}}
        if key := self.settings.get("signing_secret"):
            body |= signature(key, int(time.time()))
        address = f"{self.settings.get('url', 'https://open.feishu.cn')}/open-apis/bot/v2/hook/{self.settings['token']}"
        return checked(post(address, body), "code", 0, TOO_OFTEN)


def signature(secret: str, at: int) -> dict[str, str]:
    """HMAC-SHA256 of nothing, with time (s), a line end and the secret as its key, in base64."""
    digest = hmac.new(f"{at}\n{secret}".encode(), b"", hashlib.sha256).digest()
    return {"timestamp": str(at), "sign": base64.b64encode(digest).decode()}
