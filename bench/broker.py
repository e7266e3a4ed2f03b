"""What Mosquitto keeps when it is killed, by its settings for saving, and what saving costs.

No other part of the platform takes part: a publisher that notes each PUBACK, a subscriber on a persistent session that
acknowledges by hand as the uplink worker does, and a broker that is killed. `--settings 30s 5s 1s 1000c`: seconds between two
saves, or changes (`autosave_on_changes`).
"""

import argparse
import os
import random
import signal
import struct
import subprocess
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from iotpanel.local.config import from_environment
from iotpanel.local.ports import accepts, free_port
from iotpanel.local.servers import choose
from tests.services import eventually

TOPIC = "devices/d/up/telemetry"
PAYLOAD = b"x" * 192
CONFIG = """\
listener {port} 127.0.0.1
allow_anonymous true
persistence true
persistence_location {folder}/
autosave_interval {interval}
autosave_on_changes {on_changes}
max_queued_messages 10000000
max_queued_bytes 1000000000
max_inflight_messages 20000
max_inflight_bytes 0
user {user}
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--settings", nargs="+", default=["30s", "5s", "1s", "1000c"])
    parser.add_argument("--kills", type=int, default=3)
    parser.add_argument("--rate", type=float, default=1000, help="messages/s")
    parser.add_argument("--queue", type=int, default=100_000, help="messages that wait while the price is measured")


def run(options: argparse.Namespace) -> dict[str, Any]:
    program = str(program_of_the_stack())
    return {setting: one_setting(program, setting, options) for setting in options.settings}


def program_of_the_stack() -> Path:
    tree = choose(from_environment()).tree
    if tree is None:
        raise SystemExit("this benchmark needs the embedded servers")
    return tree.program("mosquitto")


class Broker:
    """A broker of its own in a folder of its own; it can be killed and started again."""

    def __init__(self, program: str, folder: Path, setting: str) -> None:
        self.port = free_port()
        self.folder = folder
        self.program = program
        text = CONFIG.format(
            port=self.port,
            folder=folder,
            interval=setting[:-1],
            on_changes=str(setting.endswith("c")).lower(),
            user="root" if os.geteuid() == 0 else "mosquitto",
        )
        (folder / "mosquitto.conf").write_text(text)
        self.start()

    def start(self) -> None:
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen([self.program, "-c", str(self.folder / "mosquitto.conf")], stdout=log, stderr=log)
        eventually(lambda: accepts(self.port), 60)

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait()


class Publisher:
    """Numbers as payloads at a rate; when each was sent, and which were acknowledged after how long."""

    def __init__(self, port: int) -> None:
        self.sent: dict[int, float] = {}
        self.delays: dict[int, float] = {}
        self.client = paho.Client(CallbackAPIVersion.VERSION2, client_id="publisher", reconnect_on_failure=False)
        self.client.max_inflight_messages_set(0)  # none; with a limit paho looks through all that waits at each PUBACK
        self.client.on_publish = self._on_publish
        self.client.connect("127.0.0.1", port)
        self.client.loop_start()
        self._number = 0

    def _on_publish(self, _client: Any, _userdata: Any, mid: int, _reason: Any, _properties: Any) -> None:
        number = self._number_of(mid)
        self.delays[number] = time.monotonic() - self.sent.get(number, time.monotonic())

    def _number_of(self, mid: int) -> int:
        """Packet ids go round after 65,535; at most that many are under way."""
        behind = (self._number - mid) % 65_535
        return self._number - behind

    def publish(self) -> None:
        self._number += 1
        self.sent[self._number] = time.monotonic()
        self.client.publish(TOPIC, struct.pack(">q", self._number) + PAYLOAD, qos=1)

    def run(self, rate: float, over: threading.Event) -> None:
        started, done = time.monotonic(), 0
        while not over.is_set():
            wanted = int((time.monotonic() - started) * rate)
            for _ in range(done, wanted):
                self.publish()
            done = wanted
            time.sleep(0.002)

    def fill(self, count: int) -> None:
        for _ in range(count):
            self.publish()
            while len(self.sent) - len(self.delays) > 20_000:
                time.sleep(0.01)
        eventually(lambda: len(self.delays) == len(self.sent), 120)

    def close(self) -> None:
        self.client.loop_stop()


class Subscriber:
    """The worker's session: persistent, acknowledged by hand."""

    def __init__(self, port: int) -> None:
        self.received: list[int] = []
        self.client = paho.Client(
            CallbackAPIVersion.VERSION2, client_id="worker", clean_session=False, manual_ack=True, reconnect_on_failure=False
        )
        self.client.on_message = self._on_message
        self.client.on_connect = self._on_connect
        self.subscribed = threading.Event()
        self.client.on_subscribe = lambda *_: self.subscribed.set()
        self.client.connect("127.0.0.1", port)
        self.client.loop_start()
        self.subscribed.wait(30)

    def _on_connect(self, *_: Any) -> None:
        self.client.subscribe("devices/+/up/#", 1)

    def _on_message(self, _client: Any, _userdata: Any, message: paho.MQTTMessage) -> None:
        self.received.append(struct.unpack(">q", message.payload[:8])[0])
        self.client.ack(message.mid, message.qos)

    def until_quiet(self) -> None:
        before = -1
        while before != len(self.received):
            before = len(self.received)
            time.sleep(1)

    def close(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()


def one_setting(program: str, setting: str, options: argparse.Namespace) -> dict[str, Any]:
    chance = random.Random(setting)
    away = [one_kill(program, setting, options.rate, chance, away=True) for _ in range(options.kills)]
    there = [one_kill(program, setting, options.rate, chance, away=False) for _ in range(options.kills)]
    return {"worker_away": away, "worker_there": there, "price": price(program, setting, options)}


def one_kill(program: str, setting: str, rate: float, chance: random.Random, *, away: bool) -> dict[str, Any]:
    """Publish, kill the broker at some moment, start it again: what was acknowledged and never reached the worker."""
    with tempfile.TemporaryDirectory() as name:
        broker = Broker(program, Path(name), setting)
        worker = Subscriber(broker.port)
        if away:
            worker.close()
        publisher = Publisher(broker.port)
        over = threading.Event()
        thread = threading.Thread(target=publisher.run, args=(rate, over))
        thread.start()
        interval = float(setting[:-1]) if setting.endswith("s") else 2
        time.sleep(max(2.0, interval) * chance.uniform(1.2, 2.2))
        broker.kill()
        killed = time.monotonic()
        over.set()
        thread.join()
        time.sleep(0.3)
        publisher.close()
        before = set(worker.received)
        if not away:
            worker.client.loop_stop()
        broker.start()
        again = Subscriber(broker.port)
        again.until_quiet()
        again.close()
        broker.stop()
    lost = set(publisher.delays) - before - set(again.received)
    return {
        "acknowledged": len(publisher.delays),
        "lost": len(lost),
        "oldest_lost_s": round(killed - min(publisher.sent[number] for number in lost), 2) if lost else 0,
        "twice": len(before & set(again.received)),
    }


def price(program: str, setting: str, options: argparse.Namespace) -> dict[str, Any]:
    """How long publishers wait for their PUBACK while a queue of this length is saved again and again."""
    with tempfile.TemporaryDirectory() as name:
        broker = Broker(program, Path(name), setting)
        Subscriber(broker.port).close()
        publisher = Publisher(broker.port)
        started = time.monotonic()
        publisher.fill(options.queue)
        filled = time.monotonic() - started
        publisher.delays.clear()
        publisher.sent.clear()
        over = threading.Event()
        thread = threading.Thread(target=publisher.run, args=(200, over))
        thread.start()
        time.sleep(max(10.0, float(setting[:-1]) * 1.2 if setting.endswith("s") else 10.0))
        over.set()
        thread.join()
        eventually(lambda: len(publisher.delays) == len(publisher.sent), 120)
        publisher.close()
        size = sum(path.stat().st_size for path in Path(name).glob("mosquitto.db"))
        broker.stop()
    delays = sorted(publisher.delays.values())
    return {
        "queued": options.queue,
        "file_mb": round(size / 1e6, 1),
        "fill_messages_per_s": round(options.queue / filled),
        "puback_p50_ms": round(delays[len(delays) // 2] * 1000, 1),
        "puback_max_ms": round(delays[-1] * 1000, 1),
    }
