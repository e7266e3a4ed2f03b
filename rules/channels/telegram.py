"""Telegram, by a bot's `sendMessage`."""

from typing import Any

from rules.outside.urls import BARE

from .base import Note, checked, post, schema, secret, text

LONGEST = 4096


class TelegramChannel:
    TITLE = "Telegram"
    SETTINGS = schema(
        {
            "token": secret("Token of the bot", pattern=r"^\d{1,20}:[A-Za-z0-9_-]{10,100}$"),
            "chat": text("Chat", pattern=r"^(-?\d{1,20}|@[A-Za-z0-9_]{1,64})$"),
            "url": text("Address of the API", pattern=BARE, default="https://api.telegram.org", **{"x-address": True}),
        },
        ["token", "chat"],
    )
    EXPERIMENTAL = False

    def __init__(self, settings: dict[str, Any]) -> None:
        self.settings = settings

    def send(self, note: Note) -> str:
        """Without a parse mode, so that no name is markup."""
        address = f"{self.settings.get('url', 'https://api.telegram.org')}/bot{self.settings['token']}/sendMessage"
        said = f"{note.title}\n{note.text}".strip()[:LONGEST]
        return checked(post(address, {"chat_id": self.settings["chat"], "text": said, "disable_web_page_preview": True}), "ok", True)
