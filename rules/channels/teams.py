"""Microsoft Teams, by a workflow's webhook, whose address is the secret: an adaptive card."""

from typing import Any

from rules.outside import http

from .base import Note, post, schema, secret


class TeamsChannel:
    TITLE = "Microsoft Teams"
    SETTINGS = schema({"url": secret("Webhook address", pattern=r"^https?://[^\s]+$", **{"x-address": True})}, ["url"])
    EXPERIMENTAL = False

    def __init__(self, settings: dict[str, Any]) -> None:
        self.url: str = settings["url"]

    def send(self, note: Note) -> str:
        return http.said(
            post(self.url, {"type": "message", "attachments": [{"contentType": TYPE, "contentUrl": None, "content": card(note)}]})
        )


TYPE = "application/vnd.microsoft.card.adaptive"


def card(note: Note) -> dict[str, Any]:
    """Plain runs of text: Teams reads Markdown in text blocks, and a device's name is none."""
    head = {"type": "RichTextBlock", "inlines": [{"type": "TextRun", "text": note.title[:500], "weight": "Bolder"}]}
    lines = [{"type": "RichTextBlock", "inlines": [{"type": "TextRun", "text": line[:1000]}]} for line in note.text.splitlines()[:60]]
    return {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": [head, *lines],
    }
