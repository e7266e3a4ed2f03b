"""DingTalk, by a group robot, signed where its secret is set."""

import base64
import hashlib
import hmac
import time
from typing import Any

from rules.outside.urls import BARE

from .base import Note, checked, post, schema, secret, text

TOO_OFTEN = (130101, 410100, -1)


class DingtalkChannel:
    TITLE = "DingTalk"
    SETTINGS = schema(
        {
            "token": secret("Access token of the robot", pattern=r"^[A-Za-z0-9_-]{10,200}$"),
            "signing_secret": secret("Secret for the signature"),
            "url": text("Address of the API", pattern=BARE, default="https://oapi.dingtalk.com", **{"x-address": True}),
        },
        ["token"],
    )
    EXPERIMENTAL = False

    def __init__(self, settings: dict[str, Any]) -> None:
        self.settings = settings

    def send(self, note: Note) -> str:
        params = {"access_token": self.settings["token"]}
        if key := self.settings.get("signing_secret"):
            params |= signature(key, int(time.time() * 1000))
        body = {"msgtype": "text", "text": {"content": f"{note.title}\n{note.text}".strip()[:6000]}}
        address = f"{self.settings.get('url', 'https://oapi.dingtalk.com')}/robot/send"
        return checked(post(address, body, params=params), "errcode", 0, TOO_OFTEN)


def signature(secret: str, at: int) -> dict[str, str]:
    """HMAC-SHA256 with the secret over time (ms), a line end and the secret, in base64."""
    digest = hmac.new(secret.encode(), f"{at}\n{secret}".encode(), hashlib.sha256).digest()
    return {"timestamp": str(at), "sign": base64.b64encode(digest).decode()}
