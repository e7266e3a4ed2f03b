"""Log: writes each message to the task worker's log. For trying a stream and its template out."""

from collections.abc import Sequence
from typing import Any

import structlog

from .base import BATCH, Message, schema

LEVELS = ("debug", "info", "warning")
log = structlog.get_logger(__name__)


class LogForwarder:
    TITLE = "Log"
    SETTINGS = schema({"level": {"type": "string", "title": "Level", "enum": [*LEVELS], "default": "info"}})
    OBJECTS = False
    EXPERIMENTAL = False
    batch = BATCH

    def __init__(self, settings: dict[str, Any]) -> None:
        self.say = getattr(log, settings.get("level", "info"))

    def send(self, messages: Sequence[Message]) -> str:
        for message in messages:
            self.say("forwarded", device=message.key, body=message.body)
        return f"{len(messages)} written"

    def close(self) -> None:
        pass
