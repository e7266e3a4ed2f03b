"""WeCom, by a group robot, whose key is the secret."""

from typing import Any

from rules.outside.urls import BARE

from .base import Note, checked, post, schema, secret, text

LONGEST = 2048  # bytes
TOO_OFTEN = (45009, -1)


class WecomChannel:
    TITLE = "WeCom"
    SETTINGS = schema(
        {
            "key": secret("Key of the robot", pattern=r"^[A-Za-z0-9-]{8,100}$"),
            "url": text("Address of the API", pattern=BARE, default="https://qyapi.weixin.qq.com", **{"x-address": True}),
        },
        ["key"],
    )
    EXPERIMENTAL = False

    def __init__(self, settings: dict[str, Any]) -> None:
        self.settings = settings

    def send(self, note: Note) -> str:
        content = f"{note.title}\n{note.text}".strip().encode()[:LONGEST].decode(errors="ignore")
        address = f"{self.settings.get('url', 'https://qyapi.weixin.qq.com')}/cgi-bin/webhook/send"
        answer = post(address, {"msgtype": "text", "text": {"content": content}}, params={"key": self.settings["key"]})
        return checked(answer, "errcode", 0, TOO_OFTEN)
