"""How the flows use the platform: only as its users do, over REST and MQTT."""

import itertools
import json
import time
from typing import Any, NamedTuple

import httpx
import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from devices.connectors.goodbye import leave
from tests.services import Services, eventually

PATIENCE = 60.0  # seconds: on a busy machine a page of 10,000 readings takes longer than a person would wait
_numbers = itertools.count(1)


class Account(NamedTuple):
    """What a device signs in with."""

    key: str
    secret: str

    def topic(self, *rest: str) -> str:
        return "/".join(("devices", self.key, "up", *rest))


class Platform:
    """The running platform, used by the administrator that its first start made."""

    def __init__(self, services: Services) -> None:
        self.services = services
        self.http = services.client()
        answer = self.http.post("/api/v1/auth/token/", json={"username": "admin", "password": services.password})
        answer.raise_for_status()
        self.http.headers["Authorization"] = f"Bearer {answer.json()['token']}"
        self.http.headers["X-Tenant"] = "default"

    def post(self, path: str, body: Any = None, status: int = 201) -> Any:
        answer = self.http.post(f"/api/v1/{path}", json=body, timeout=PATIENCE)
        assert answer.status_code == status, answer.text
        return answer.json()

    def get(self, path: str, **query: Any) -> Any:
        answer = self.http.get(f"/api/v1/{path}", params=query, timeout=PATIENCE)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def product(self, **overrides: Any) -> str:
        """A new product's key."""
        key = f"flow-product-{next(_numbers)}-{time.time_ns() % 10**6}"
        body = {"key": key, "name": key, "thing_model": {"properties": [{"key": "n", "name": "n", "type": "number"}]}}
        self.post("products/", {**body, **overrides})
        return key

    def device(self, product: str | None = None, **overrides: Any) -> Account:
        """A new device, ready to sign in."""
        account = self.new_device(product, **overrides)
        eventually(lambda: self.may_sign_in(account))
        return account

    def new_device(self, product: str | None = None, **overrides: Any) -> Account:
        """A new device, which the broker may not know yet."""
        key = f"flow-{next(_numbers)}-{time.time_ns() % 10**6}"
        made = self.post("devices/", {"key": key, "name": key, "product": product or self.product(), **overrides})
        return Account(key, made["credentials"]["secret"])

    def may_sign_in(self, account: Account) -> bool:
        try:
            with self.connect(account):
                return True
        except ConnectionRefusedError:
            return False

    def connect(self, account: Account, **options: Any) -> "Connection":
        return Connection(self.services.mqtt_port, account, **options)

    def latest(self, account: Account) -> dict[str, Any]:
        """The newest values by property."""
        return {key: each["value"] for key, each in self.get(f"devices/{account.key}/latest/").items()}

    def readings(self, account: Account, property: str = "n") -> list[tuple[str, Any]]:
        """All readings of a property, oldest first, page by page."""
        found: list[tuple[str, Any]] = []
        query: dict[str, Any] = {"property": property, "order": "at", "limit": 10_000, "start": 0}
        while True:
            page = self.get(f"devices/{account.key}/readings/", **query)
            found += [(row["ts"], row["value"]) for row in page["results"]]
            if not page["next"]:
                return found
            query["cursor"] = page["next"]

    def letters(self, account: Account) -> list[dict[str, Any]]:
        return list(self.get("dead-letters/", device=account.key)["results"])

    def is_online(self, account: Account) -> bool:
        return bool(self.get(f"devices/{account.key}/")["status"]["online"])

    def serves(self) -> bool:
        """Whether the platform says that it can serve."""
        try:
            return self.http.get("/readyz").status_code == 200
        except httpx.TransportError:
            return False

    def metrics(self) -> str:
        answer = httpx.get(f"{self.services.url}/metrics", timeout=10)
        answer.raise_for_status()
        return answer.text


class Connection:
    """A device's connection. Raises ConnectionRefusedError where the broker does not let it in."""

    def __init__(self, port: int, account: Account, will: str | None = None, keepalive: int = 60, client_id: str = "") -> None:
        self.client = paho.Client(CallbackAPIVersion.VERSION2, client_id=client_id or account.key)
        self.client.username_pw_set(account.key, account.secret)
        self.client.max_inflight_messages_set(1000)
        if will is not None:
            self.client.will_set(account.topic("status"), will, qos=1)
        self.account = account
        self.answer = ""
        self.gone = False
        self.client.on_connect = self._on_connect
        self.client.on_disconnect = self._on_disconnect
        self.client.connect("127.0.0.1", port, keepalive)
        self.client.loop_start()
        answer = eventually(lambda: self.answer, 15)
        if answer != "Success":
            self.close()
            raise ConnectionRefusedError(answer)

    def __enter__(self) -> "Connection":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _on_connect(self, _client: Any, _userdata: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        self.answer = str(reason)

    def _on_disconnect(self, _client: Any, _userdata: Any, _flags: Any, _reason: Any, _properties: Any) -> None:
        self.gone = True

    def say(self, kind: str, payload: Any) -> None:
        """Publish at QoS 1 and wait for the broker's acknowledgement."""
        self.publish(self.account.topic(*kind.split("/")), payload).wait_for_publish(10)

    def publish(self, topic: str, payload: Any) -> paho.MQTTMessageInfo:
        body = payload if isinstance(payload, bytes) else json.dumps(payload)
        return self.client.publish(topic, body, qos=1)

    def vanish(self) -> None:
        """Lose the connection without a goodbye, as when the power fails."""
        self.client.loop_stop()
        if sock := self.client.socket():
            sock.close()

    def close(self) -> None:
        leave(self.client)
