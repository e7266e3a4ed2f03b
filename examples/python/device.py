"""A device in some 200 lines: telemetry, commands, shadow, updates and new secrets over MQTT with paho.

    pip install paho-mqtt
    python device.py --host 127.0.0.1 --port 1883 --key my-device --secret ...

It blinks at an interval (`interval`, seconds) that the shadow sets, and knows the commands `blink` and `set-level`. What makes
it a good citizen stands in comments: the last will, QoS 1, a remembered id for each command, a persistent session.
"""

import argparse
import json
import signal
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion
from update import Updater

REMEMBERED = 100  # commands whose replies are kept


class Refused(Exception):
    """A command that cannot be carried out; its text goes into the reply."""


class Memory:
    """What has to survive a power failure: the replies that were given, and the settings."""

    def __init__(self, path: Path | None) -> None:
        self.path = path
        known = json.loads(path.read_text()) if path and path.exists() else {}
        self.replies: dict[str, Any] = known.get("replies", {})
        self.settings: dict[str, Any] = known.get("settings", {"interval": 5})
        self.secret: dict[str, Any] = known.get("secret", {})  # a new one that the platform has given us

    def save(self) -> None:
        while len(self.replies) > REMEMBERED:
            self.replies.pop(next(iter(self.replies)))
        if self.path:
            fresh = self.path.with_suffix(".new")
            fresh.write_text(json.dumps({"replies": self.replies, "settings": self.settings, "secret": self.secret}))
            fresh.replace(self.path)  # in one step: never half a file


class Device:
    def __init__(self, key: str, secret: str, memory: Memory) -> None:
        self.key, self.memory = key, memory
        self.level = 0.0
        self.secrets = [secret]  # the one to try first
        self.updater: Updater | None = None
        self.stopped = threading.Event()
        self.commands: dict[str, Callable[..., dict[str, Any]]] = {"blink": self.blink, "set-level": self.set_level}
        # A persistent session: the broker keeps what is sent to us while we are away for a moment.
        client = self.client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=key, clean_session=False)
        if memory.secret:
            self.secrets.insert(0, memory.secret["secret"])
        client.username_pw_set(key, self.secrets[0])
        client.will_set(self.up("status"), "offline", qos=1)  # the broker says so for us when we vanish
        client.reconnect_delay_set(1, 30)
        client.on_connect = self.on_connect
        client.on_message = self.on_message

    def up(self, *rest: str) -> str:
        return "/".join(("devices", self.key, "up", *rest))

    def say(self, kind: str, payload: Any) -> mqtt.MQTTMessageInfo:
        return self.client.publish(self.up(*kind.split("/")), json.dumps(payload), qos=1)

    # --- The connection ----------------------------------------------------------------------------------------

    def on_connect(self, client: mqtt.Client, _userdata: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        if reason.is_failure:
            print(f"not let in: {reason}", flush=True)
            self.secrets.reverse()  # the platform may not have changed it yet, or has changed it already
            client.username_pw_set(self.key, self.secrets[0])
            return
        print("connected", flush=True)
        client.subscribe(f"devices/{self.key}/down/#", qos=1)
        client.publish(self.up("status"), "online", qos=1)
        self.report()
        self.say("shadow", {})  # asks for the whole shadow: what changed while we were away?
        if self.memory.secret and self.secrets[0] == self.memory.secret["secret"]:
            self.say("credentials", {"id": self.memory.secret["id"], "status": "ok"})  # it works
        if self.updater:
            self.updater.announce()

    def on_message(self, _client: mqtt.Client, _userdata: Any, message: mqtt.MQTTMessage) -> None:
        """devices/{key}/down/commands/{id}, /shadow, /ota, /ota/chunk/..., /credentials."""
        kind, *rest = message.topic.split("/")[3:]
        if self.updater and rest[:1] == ["chunk"]:
            self.updater.piece(rest[1:], bytes(message.payload))
            return
        body = json.loads(message.payload)
        if kind == "ota" and self.updater:
            self.updater.offered(body)
        elif kind == "credentials":
            self.take_secret(body)
        if kind == "commands":
            self.obey(rest[0], body)
        elif kind == "shadow":
            self.follow(body)

    def take_secret(self, given: dict[str, Any]) -> None:
        """Keep it first, then say so: only then the platform makes it the one that counts, and ends our session."""
        if self.memory.secret.get("id") != given["id"]:
            self.memory.secret = given
            self.memory.save()
            self.secrets = [given["secret"], self.secrets[0]]
            self.client.username_pw_set(self.key, given["secret"])
        print("stored a new secret", flush=True)
        self.say("credentials", {"id": given["id"], "status": "stored"})

    # --- Commands ----------------------------------------------------------------------------------------------

    def obey(self, command_id: str, command: dict[str, Any]) -> None:
        """Carry a command out once, however often it comes, and answer each time."""
        reply = self.memory.replies.get(command_id)
        if reply is None:
            if command["expires_at"] < time.time() * 1000:
                return  # too late: the platform has given it up
            reply = self.memory.replies[command_id] = self.carry_out(command)
            self.memory.save()  # before the answer: a command that was carried out is never carried out again
        self.say(f"commands/{command_id}/reply", reply)

    def carry_out(self, command: dict[str, Any]) -> dict[str, Any]:
        work = self.commands.get(command["name"])
        if work is None:
            return {"status": "error", "error": f"no such command: {command['name']}"}
        try:
            result = work(**command["params"])
        except (Refused, TypeError) as error:
            return {"status": "error", "error": str(error)}
        print(f"did {command['name']} {json.dumps(command['params'])}", flush=True)
        return {"status": "ok", "result": result}

    def blink(self, times: int = 1) -> dict[str, Any]:
        return {"blinked": times}

    def set_level(self, level: float) -> dict[str, Any]:
        if not 0 <= level <= 100:
            raise Refused("the level lies between 0 and 100")
        self.level = level
        return {"level": level}

    # --- The shadow --------------------------------------------------------------------------------------------

    def follow(self, shadow: dict[str, Any]) -> None:
        """Do what is desired and not so yet, and say so. `delta` holds just that."""
        delta = shadow.get("delta", {})
        if isinstance(delta.get("interval"), int | float) and 0.1 <= delta["interval"] <= 3600:
            self.memory.settings["interval"] = delta["interval"]
            self.memory.save()
            self.report(shadow["version"])

    def report(self, version: int | None = None) -> None:
        answered = {} if version is None else {"version": version}
        self.say("shadow", {"reported": dict(self.memory.settings), **answered})

    # --- Telemetry ---------------------------------------------------------------------------------------------

    def run(self, host: str, port: int) -> None:
        self.client.connect_async(host, port, keepalive=30)
        self.client.loop_start()
        while not self.stopped.is_set():
            # With a time of its own a report that is sent twice is known to be the same.
            self.say("telemetry", {"ts": int(time.time() * 1000), "values": {"level": self.level, "uptime": round(time.monotonic())}})
            self.stopped.wait(self.memory.settings["interval"])
        self.client.publish(self.up("status"), "offline", qos=1).wait_for_publish(2)
        self.client.disconnect()
        with suppress(AttributeError):  # its thread may have ended by itself between paho's two looks at it
            self.client.loop_stop()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=1883)
    parser.add_argument("--key", required=True)
    parser.add_argument("--secret", default="", help="not needed with --cert")
    parser.add_argument("--cafile", help="the platform's root, which it gives out at /ca.pem: MQTT over TLS, port 8883")
    parser.add_argument("--cert", help="the device's certificate, on port 8885")
    parser.add_argument("--private-key", help="the certificate's")
    parser.add_argument("--memory", type=Path, help="file that survives a restart")
    parser.add_argument("--firmware", type=Path, help="folder for updates; without it offers are ignored")
    parser.add_argument("--public-key", default="", help="Ed25519, base64: takes signed updates only")
    parser.add_argument("--no-http", action="store_true", help="fetches updates over MQTT")
    parser.add_argument("--rate", type=float, default=0, help="bytes/s, as slow as a radio link")
    chosen = parser.parse_args()
    device = Device(chosen.key, chosen.secret, Memory(chosen.memory))
    if chosen.cafile:
        device.client.tls_set(chosen.cafile, chosen.cert, chosen.private_key)
    if chosen.firmware:
        device.updater = Updater(chosen.firmware, device.say, public_key=chosen.public_key, over_mqtt=chosen.no_http, rate=chosen.rate)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: device.stopped.set())
    device.run(chosen.host, chosen.port)
    return 0


if __name__ == "__main__":
    sys.exit(main())
