"""What foreign brokers ask, in the words of each."""

from typing import Any
from urllib.parse import urlencode

import orjson
import pytest
from django.db import OperationalError
from django.test import Client

from devices.models import DevicePresence
from iotpanel.tenants.models import Tenant
from telemetry.models import DeadLetterRecord
from telemetry.uplink.memory import memory
from tests.make import make_device, make_device_with_secret, make_product

TOKEN = "what brokers know"
ALLOW, DENY = {"result": "allow"}, {"result": "deny"}
OK, NOT_ALLOWED = {"result": "ok"}, {"result": {"error": "not_allowed"}}


@pytest.fixture(autouse=True)
def broker(settings: Any) -> None:
    settings.BROKER_TOKEN = TOKEN
    settings.MQTT_URL = "mqtt://iotpanel-worker:worker%20secret@broker:1883"


@pytest.fixture
def secret(tenant: Tenant) -> str:
    memory().forget()
    product = make_product(tenant, key="tasmota", topics=["tele/{key}/SENSOR"])
    make_device(tenant, key="other", product=product)
    return make_device_with_secret(tenant, key="room-1", product=product)[1]


def ask(path: str, data: Any, hook: str = "", token: str = TOKEN) -> Any:
    headers = {"Authorization": f"Bearer {token}", **({"vernemq-hook": hook} if hook else {})}
    body = data if isinstance(data, bytes) else orjson.dumps(data)
    return Client().post(f"/broker/{path}", body, content_type="application/json", headers=headers)


def form(path: str, **data: str) -> str:
    answer = Client().post(
        f"/broker/{path}?{urlencode({'token': TOKEN})}", urlencode(data), content_type="application/x-www-form-urlencoded"
    )
    assert answer.status_code == 200
    return answer.content.decode()


def login(secret: str, **more: str) -> dict[str, str]:
    return {"username": "room-1", "password": secret, "clientid": "room-1", **more}


def test_emqx_signs_in_whose_secret_is_right(secret: str) -> None:
    assert ask("auth", login(secret)).json() == ALLOW
    assert ask("auth", login("wrong")).json() == DENY
    assert ask("auth", login(secret, username="other")).json() == DENY
    assert ask("auth", {}).json() == DENY


def test_nobody_takes_anothers_session(secret: str) -> None:
    assert ask("auth", login(secret, clientid="other")).json() == DENY
    assert ask("auth", login(secret, clientid="iotpanel-uplink")).json() == DENY
    assert ask("auth", login(secret, clientid="")).json() == ALLOW


@pytest.mark.parametrize(
    ("action", "topic", "allowed"),
    [
        ("publish", "devices/room-1/up/telemetry", True),
        ("publish", "devices/room-1/up/gateway/telemetry", True),
        ("publish", "tele/room-1/SENSOR", True),
        ("publish", "tele/other/SENSOR", False),
        ("publish", "devices/other/up/telemetry", False),
        ("publish", "devices/room-1/down/commands/1", False),
        ("publish", "devices/room-1/up", False),
        ("publish", "devices/room-1/up/#", False),
        ("publish", "devices/+/up/telemetry", False),
        ("publish", "$SYS/x", False),
        ("publish", "", False),
        ("subscribe", "devices/room-1/down/#", True),
        ("subscribe", "devices/room-1/down/commands/+", True),
        ("subscribe", "devices/other/down/#", False),
        ("subscribe", "devices/+/down/#", False),
        ("subscribe", "devices/#", False),
        ("subscribe", "#", False),
        ("subscribe", "$share/g/devices/room-1/down/#", False),
        ("subscribe", "devices/room-1/up/telemetry", False),
    ],
)
def test_emqx_lets_a_device_touch_its_own_topics_only(secret: str, action: str, topic: str, allowed: bool) -> None:
    answer = ask("acl", {"username": "room-1", "topic": topic, "action": action})
    assert answer.json() == (ALLOW if allowed else DENY)


def test_the_worker_may_all_and_is_no_device(secret: str) -> None:
    assert ask("auth", {"username": "iotpanel-worker", "password": "worker secret", "clientid": "iotpanel-uplink"}).json() == ALLOW
    assert ask("auth", {"username": "iotpanel-worker", "password": "", "clientid": "iotpanel-uplink"}).json() == DENY
    assert ask("acl", {"username": "iotpanel-worker", "topic": "devices/+/up/#", "action": "subscribe"}).json() == ALLOW


def test_without_a_worker_account_nobody_is_the_worker(secret: str, settings: Any) -> None:
    settings.MQTT_URL = "mqtt://broker:1883"
    assert ask("auth", {"username": "", "password": ""}).json() == DENY
    assert ask("acl", {"username": "", "topic": "#", "action": "subscribe"}).json() == DENY


def test_gmqtt_speaks_of_a_client_id(secret: str) -> None:
    assert ask("auth", {"username": "room-1", "password": secret, "client_id": "room-1"}).json() == ALLOW
    assert ask("auth", {"username": "room-1", "password": secret, "client_id": "other"}).json() == DENY


def test_vernemq_signs_in(secret: str) -> None:
    body = {
        "peer_addr": "127.0.0.1",
        "peer_port": 8888,
        "mountpoint": "",
        "client_id": "room-1",
        "username": "room-1",
        "clean_session": False,
    }
    for hook in ("auth_on_register", "auth_on_register_m5"):
        assert ask("auth", body | {"password": secret}, hook).json() == OK
        assert ask("auth", body | {"password": "wrong"}, hook).json() == NOT_ALLOWED
        assert ask("auth", body | {"password": None}, hook).json() == NOT_ALLOWED


def test_vernemq_publishes_and_subscribes(secret: str) -> None:
    publish = {
        "username": "room-1",
        "client_id": "room-1",
        "qos": 1,
        "topic": "devices/room-1/up/telemetry",
        "payload": "e30=",
        "retain": False,
    }
    assert ask("acl", publish, "auth_on_publish").json() == OK
    assert ask("acl", publish | {"topic": "devices/other/up/telemetry"}, "auth_on_publish_m5").json() == NOT_ALLOWED
    mine, others = {"topic": "devices/room-1/down/#", "qos": 1}, {"topic": "devices/other/down/#", "qos": 1}
    subscribe = {"username": "room-1", "client_id": "room-1", "topics": [mine]}
    assert ask("acl", subscribe, "auth_on_subscribe").json() == OK
    partly = ask("acl", subscribe | {"topics": [mine, others]}, "auth_on_subscribe").json()
    assert partly == {"result": "ok", "topics": [mine, others | {"qos": 128}]}
    assert ask("acl", subscribe | {"topics": [mine, others]}, "auth_on_subscribe_m5").json() == NOT_ALLOWED
    assert ask("acl", subscribe | {"topics": [others]}, "auth_on_subscribe").json() == NOT_ALLOWED


def test_rabbitmq_asks_by_form(secret: str) -> None:
    assert form("auth", username="room-1", password=secret, client_id="room-1", vhost="/") == "allow"
    assert form("auth", username="room-1", password=secret, client_id="other", vhost="/") == "deny"
    assert form("auth", username="room-1", password="wrong") == "deny"
    assert form("acl", username="room-1", vhost="/", ip="127.0.0.1") == "allow"
    queue = {"username": "room-1", "vhost": "/", "resource": "queue", "permission": "configure"}
    assert form("acl", name="mqtt-subscription-room-1qos1", **queue) == "allow"
    assert form("acl", name="mqtt-subscription-otherqos1", **queue) == "deny"
    exchange = queue | {"resource": "exchange", "permission": "write"}
    assert form("acl", name="amq.topic", **exchange) == "allow"
    assert form("acl", name="amq.direct", **exchange) == "deny"


@pytest.mark.parametrize(
    ("permission", "routing_key", "answer"),
    [
        ("write", "devices.room-1.up.telemetry", "allow"),
        ("write", "devices.other.up.telemetry", "deny"),
        ("write", "tele.room-1.SENSOR", "allow"),
        ("read", "devices.room-1.down.#", "allow"),
        ("read", "devices.*.down.#", "deny"),
        ("read", "#", "deny"),
    ],
)
def test_rabbitmq_writes_topics_with_dots(secret: str, permission: str, routing_key: str, answer: str) -> None:
    topic = {"username": "room-1", "vhost": "/", "resource": "topic", "name": "amq.topic", "permission": permission}
    assert form("acl", routing_key=routing_key, **topic) == answer


def test_rabbitmq_cannot_tell_keys_with_dots_apart(tenant: Tenant) -> None:
    _device, secret = make_device_with_secret(tenant, key="a.b")
    data = urlencode({"username": "a.b", "password": secret})
    answer = Client().post(f"/broker/auth?{urlencode({'token': TOKEN})}", data, content_type="application/x-www-form-urlencoded")
    assert answer.status_code == 400


@pytest.mark.parametrize("path", ["auth", "acl", "events"])
def test_only_brokers_that_know_the_token_ask(secret: str, settings: Any, path: str) -> None:
    assert ask(path, login(secret), token="wrong").status_code == 401
    assert ask(path, login(secret), token="").status_code == 401
    assert Client().get(f"/broker/{path}?token={TOKEN}").status_code == 405
    settings.BROKER_TOKEN = ""
    assert ask(path, login(secret), token="").status_code == 404


@pytest.mark.parametrize("path", ["auth", "acl"])
def test_when_the_database_is_down_nobody_is_allowed(secret: str, monkeypatch: pytest.MonkeyPatch, path: str) -> None:
    def down(*args: Any) -> None:
        raise OperationalError("gone")

    monkeypatch.setattr("devices.broker_rules.verify_secret", down)
    monkeypatch.setattr("devices.broker_rules.own_patterns", down)
    for data in (login(secret), {"username": "room-1", "topic": "tele/room-1/SENSOR", "action": "publish"}):
        answer = ask(path, data)
        assert answer.status_code == 503
        assert b"allow" not in answer.content


@pytest.mark.parametrize("body", [b"", b"[]", b"null", b'{"username": 1}', b'{"username": "a", "topic": "x", "action": "eat"}', b"\xff"])
def test_what_no_broker_asks_is_400(db: None, body: bytes) -> None:
    assert ask("acl", body).status_code == 400


@pytest.mark.parametrize("hook", ["auth_on_subscribe", "auth_on_publish", "on_deliver"])
def test_a_hook_without_its_fields_is_refused(db: None, hook: str) -> None:
    answer = ask("acl", {"username": "room-1", "topics": "x"}, hook)
    assert answer.status_code == 400 or answer.json() == NOT_ALLOWED


@pytest.mark.parametrize(
    ("hook", "come", "go"),
    [
        (
            "",
            {"event": "client.connected", "username": "room-1"},
            {"event": "client.disconnected", "username": "room-1", "reason": "tcp_closed"},
        ),
        ("", {"action": "client_connected", "clientid": "room-1"}, {"action": "client_disconnected", "clientid": "room-1"}),
        ("", {"event": "connection.created", "user": "room-1"}, {"event": "connection.closed", "user": "room-1"}),
        ("on_register|on_client_gone", {"username": "room-1", "client_id": "room-1"}, {"client_id": "room-1"}),
        ("on_client_wakeup|on_client_offline", {"client_id": "room-1"}, {"client_id": "room-1"}),
    ],
)
def test_events_say_who_is_there(secret: str, hook: str, come: dict[str, str], go: dict[str, str]) -> None:
    first, _bar, second = hook.partition("|")
    assert ask("events", come, first).status_code == 200
    assert DevicePresence.objects.get(device__key="room-1").online
    assert ask("events", go, second).status_code == 200
    assert not DevicePresence.objects.get(device__key="room-1").online


def test_a_taken_over_session_is_no_goodbye(secret: str) -> None:
    ask("events", {"event": "client.connected", "username": "room-1"})
    ask("events", {"event": "client.disconnected", "username": "room-1", "reason": "takenover"})
    assert DevicePresence.objects.get(device__key="room-1").online


@pytest.mark.parametrize(
    "data", [{"event": "client.connected", "username": "nobody"}, {"event": "message.publish"}, {"event": "client.connected"}]
)
def test_events_about_others_are_passed_over(secret: str, data: dict[str, str]) -> None:
    assert ask("events", data).json() == {}
    assert not DeadLetterRecord.objects.exists()
