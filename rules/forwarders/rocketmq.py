"""RocketMQ: sends to a topic, with a device's messages always in the same queue, so that they stay in order."""

import time
import zlib
from collections.abc import Sequence
from typing import Any

from django.utils.translation import gettext as _

from rules.outside.errors import Down, Rejected

from .base import BATCH, Message, schema, secret, text
from .rocketmq_wire import OK, SEND, Peer, route

ILLEGAL = 13
STORED_ALL_THE_SAME = {10, 11, 12}  # not flushed, or not copied, in time
NEW_TOPICS = "TBW102"  # its route tells where topics that are not there yet are made


class RocketmqForwarder:
    TITLE = "RocketMQ"
    SETTINGS = schema(
        {
            "name_server": text("Name server", pattern=r"^[^\s,;/]+:\d{1,5}$", **{"x-address": True}),
            "topic": text("Topic", pattern=r"^[A-Za-z0-9_%|-]{1,127}$"),
            "tag": text("Tag", pattern=r"^[^\s|\x01\x02]*$", maxLength=100),
            "group": text("Producer group", default="iotpanel", pattern=r"^[A-Za-z0-9_%|-]{1,127}$"),
            "access_key": text("Access key"),
            "secret_key": secret("Secret key"),
        },
        ["name_server", "topic"],
    )
    OBJECTS = False
    EXPERIMENTAL = False
    batch = BATCH

    def __init__(self, settings: dict[str, Any]) -> None:
        self.settings = settings
        self.broker: Peer | None = None
        self.queues = 1

    def send(self, messages: Sequence[Message]) -> str:
        broker = self.broker or self._connect()
        for message in messages:
            answer = broker.ask(SEND, self._fields(message), message.body.encode())
            if answer.code == ILLEGAL:
                raise Rejected(answer.remark)
            if answer.code != OK and answer.code not in STORED_ALL_THE_SAME:
                raise Down(answer.remark or _("The broker answered %(code)d.") % {"code": answer.code})
        return _("%(number)d stored.") % {"number": len(messages)}

    def _fields(self, message: Message) -> dict[str, Any]:
        properties = {"KEYS": message.key, "TAGS": self.settings.get("tag", ""), "WAIT": "true"}
        return {
            "producerGroup": self.settings.get("group", "iotpanel"),
            "topic": self.settings["topic"],
            "defaultTopic": NEW_TOPICS,
            "defaultTopicQueueNums": 4,
            "queueId": zlib.crc32(message.key.encode()) % self.queues,
            "sysFlag": 0,
            "bornTimestamp": int(time.time() * 1000),
            "flag": 0,
            "properties": "".join(f"{name}\x01{value}\x02" for name, value in properties.items() if value),
            "reconsumeTimes": 0,
            "unitMode": False,
            "batch": False,
        }

    def _connect(self) -> Peer:
        """Ask the name server where the topic is, or where new topics are made."""
        keys = (self.settings["access_key"], self.settings.get("secret_key", "")) if self.settings.get("access_key") else None
        names = Peer(self.settings["name_server"], keys)
        try:
            found = route(names, self.settings["topic"])
            known = found or route(names, NEW_TOPICS)
        finally:
            names.close()
        if known is None:
            raise Down(_("There is no topic “%(topic)s”.") % {"topic": self.settings["topic"]})
        place, queues = known
        self.queues = queues if found else min(queues, 4)
        self.broker = Peer(place, keys)
        return self.broker

    def close(self) -> None:
        if self.broker is not None:
            self.broker.close()
            self.broker = None
