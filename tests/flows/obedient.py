"""A device for tests that hears its downlink and answers commands."""

import json
from typing import Any

from tests.flows.platform import Connection
from tests.services import eventually


class Obedient:
    """A device that hears its downlink and answers as it is told."""

    def __init__(self, connection: Connection, status: str | None = "ok") -> None:
        self.connection, self.status = connection, status
        self.heard: list[tuple[str, Any]] = []
        subscribed: list[int] = []
        connection.client.on_message = self._on_message
        connection.client.on_subscribe = lambda _client, _userdata, mid, _reasons, _properties: subscribed.append(mid)
        connection.client.subscribe(f"devices/{connection.account.key}/down/#", qos=1)
        eventually(lambda: subscribed)

    def _on_message(self, _client: Any, _userdata: Any, message: Any) -> None:
        body = json.loads(message.payload)
        self.heard.append((message.topic, body))
        parts = message.topic.split("/")
        if self.status and parts[3] == "commands":
            answer = (
                {"status": self.status, "result": {"did": body["name"]}} if self.status == "ok" else {"status": "error", "error": "stuck"}
            )
            self.connection.publish(self.connection.account.topic("commands", parts[4], "reply"), answer)

    def commands(self) -> list[Any]:
        return [body for topic, body in self.heard if "/commands/" in topic]
