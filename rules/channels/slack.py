"""Slack, by an incoming webhook, whose address is the secret."""

from typing import Any

from rules.outside import http

from .base import Note, post, schema, secret

_ENTITIES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})


class SlackChannel:
    TITLE = "Slack"
    SETTINGS = schema({"url": secret("Webhook address", pattern=r"^https?://[^\s]+$", **{"x-address": True})}, ["url"])
    EXPERIMENTAL = False

    def __init__(self, settings: dict[str, Any]) -> None:
        self.url: str = settings["url"]

    def send(self, note: Note) -> str:
        """Names are text: what would be markup or a mention of everybody is escaped, as Slack asks for."""
        title, text = note.title.translate(_ENTITIES), note.text.translate(_ENTITIES)
        blocks = [{"type": "section", "text": {"type": "plain_text", "text": part[:3000]}} for part in (note.title, note.text) if part]
        return http.said(post(self.url, {"text": f"{title}\n{text}"[:3000], "blocks": blocks}))
