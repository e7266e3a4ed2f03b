"""Devices that talk through thick and thin, by MQTT and by HTTP, and write down what they sent and what came back."""

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

import httpx
import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from devices.connectors.goodbye import leave
from tests.flows.platform import Account
from tests.services import eventually

from .journal import Journal
from .talk import Message, Talk

TICK = 0.005  # seconds
GIVE_UP = 90.0  # seconds within which everything has to be acknowledged once the fault is over


class Mouth:
    """One device's connection: raw paho at QoS 1, which sends again what was not acknowledged when it is back."""

    def __init__(self, port: int, account: Account, journal: Journal) -> None:
        self.account = account
        self.journal = journal
        self.waiting: dict[int, Sequence[int]] = {}
        self._pubacks: deque[int] = deque()
        self.client = paho.Client(CallbackAPIVersion.VERSION2, client_id=account.key)
        self.client.username_pw_set(account.key, account.secret)
        self.client.max_inflight_messages_set(0)  # no limit: with one paho looks through all that waits at each PUBACK
        self.client.reconnect_delay_set(1, 1)
        self.client.on_publish = self._on_publish
        self.client.connect("127.0.0.1", port, 60)
        self.client.loop_start()

    def _on_publish(self, _client: Any, _userdata: Any, mid: int, _reason: Any, _properties: Any) -> None:
        self._pubacks.append(mid)  # only noted: paho holds its locks here

    def say(self, message: Message, topic: str = "") -> None:
        self.settle()
        mid = self.client.publish(topic or self.account.topic("telemetry"), message.payload, qos=1).mid
        self.waiting[mid] = message.numbers

    def settle(self) -> None:
        """Write down the acknowledgements that came."""
        while self._pubacks:
            self.journal.acknowledged(self.waiting.pop(self._pubacks.popleft()))

    def is_settled(self) -> bool:
        """Whether all that was said is acknowledged."""
        self.settle()
        return not self.waiting

    def close(self) -> None:
        leave(self.client)


class MqttSender:
    """Several devices in turns, in a thread of its own, at a rate in messages/s over all of them."""

    def __init__(self, port: int, accounts: Sequence[Account], talk: Callable[[Account], Talk], rate: float) -> None:
        self.talks = [talk(account) for account in accounts]
        self.mouths = [Mouth(port, account, one.journal) for account, one in zip(accounts, self.talks, strict=True)]
        self.rate = rate
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="mqtt-sender")

    def start(self) -> None:
        self._thread.start()

    def _run(self) -> None:
        started, done = time.monotonic(), 0
        while not self._stopping.wait(TICK):
            wanted = int((time.monotonic() - started) * self.rate)
            for turn in range(done, wanted):
                self.say(turn % len(self.talks))
            done = wanted

    def say(self, place: int) -> None:
        self.mouths[place].say(self.talks[place].message())

    def stop(self) -> None:
        """Say nothing more."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()

    def await_acknowledgements(self, seconds: float = GIVE_UP) -> None:
        for mouth in self.mouths:
            eventually(mouth.is_settled, seconds)

    def last_words(self) -> None:
        """One more report of each device, behind everything else in the broker's queue."""
        for place in range(len(self.mouths)):
            self.say(place)
        self.await_acknowledgements()

    def close(self) -> None:
        self.stop()
        for mouth in self.mouths:
            mouth.close()


class HttpSender:
    """One device that talks HTTP and repeats itself until it is told 200, which is its acknowledgement."""

    def __init__(self, url: str, account: Account, talk: Talk) -> None:
        self.address = f"{url}/api/v1/device/telemetry"
        self.account = account
        self.talk = talk
        self.answers: dict[str, int] = {}
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="http-sender")

    def start(self) -> None:
        self._thread.start()

    def _run(self) -> None:
        with httpx.Client(auth=(self.account.key, self.account.secret), timeout=10) as client:
            while not self._stopping.is_set():
                message = self.talk.message()
                until = time.monotonic() + GIVE_UP
                while not self._post(client, message) and time.monotonic() < until:
                    time.sleep(0.1)

    def _post(self, client: httpx.Client, message: Message) -> bool:
        try:
            answer = str(client.post(self.address, content=message.payload).status_code)
        except httpx.TransportError as error:
            answer = type(error).__name__
        self.answers[answer] = self.answers.get(answer, 0) + 1
        if answer == "200":
            self.talk.journal.acknowledged(message.numbers)
        return answer == "200"

    def stop(self) -> None:
        """End once the message under way is answered."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()
