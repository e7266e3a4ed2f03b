"""From a device's publish to the REST answer, through the real broker, worker, database and web server."""

import base64
import subprocess
from pathlib import Path

import pytest

from devices import catalog
from tests.flows.platform import Account, Connection, Platform
from tests.services import eventually


def test_a_pasted_mosquitto_pub_is_in_the_rest_answer(platform: Platform) -> None:
    account = platform.device()
    command = ["mosquitto_pub", "-h", "127.0.0.1", "-p", str(platform.services.mqtt_port), "-u", account.key, "-P", account.secret]
    subprocess.run([*command, "-q", "1", "-t", account.topic("telemetry"), "-m", '{"n": 21.5}'], check=True, timeout=10)
    assert eventually(lambda: platform.latest(account)) == {"n": 21.5}
    assert platform.is_online(account)


def test_every_shape_of_the_contract_arrives(platform: Platform) -> None:
    account = platform.device()
    with platform.connect(account) as device:
        device.say("telemetry", {"n": 1})
        device.say("telemetry", [{"ts": 1_790_000_000_000, "values": {"n": 2}}, {"ts": 1_790_000_000_001, "values": {"n": 3}}])
        device.say("attributes", {"firmware": "1.2"})
        device.say("events/opened", {"ts": 1_790_000_000_000, "params": {"by": "key"}})
    eventually(lambda: len(platform.readings(account)) == 3)
    assert [value for _, value in platform.readings(account)] == [2, 3, 1]
    events = eventually(lambda: platform.get(f"devices/{account.key}/events/")["results"])
    assert [(event["name"], event["params"]) for event in events] == [("opened", {"by": "key"})]
    reported = eventually(lambda: platform.get(f"devices/{account.key}/attributes/")["reported"])
    assert "firmware" in reported


def test_bad_messages_cost_themselves_only(platform: Platform) -> None:
    account = platform.device()
    bad = [b"nope", b'{"n": "x"}', b'{"n": NaN}', b'{"n": 1e400}', b"[" * 9_000, b'{"a": "\\u0000"}', b'{"ts": 9e15, "values": {"n": 1}}']
    with platform.connect(account) as device:
        for number, payload in enumerate(bad):
            device.say("telemetry", {"ts": 1_790_000_000_000 + number, "values": {"n": number}})
            device.say("telemetry", payload)
    eventually(lambda: len(platform.letters(account)) == len(bad))
    assert sorted(base64.b64decode(letter["payload_base64"]) for letter in platform.letters(account)) == sorted(bad)
    assert [value for _, value in platform.readings(account)] == list(range(len(bad)))


def test_a_packet_of_ten_megabytes_ends_its_own_connection_only(platform: Platform) -> None:
    account, neighbour = platform.device(), platform.device()
    with platform.connect(neighbour) as other, platform.connect(account) as device:
        device.publish(account.topic("telemetry"), b'{"n": "' + b"x" * 10_000_000 + b'"}')
        eventually(lambda: device.gone)
        other.say("telemetry", {"n": 5})
        assert not other.gone
    assert eventually(lambda: platform.latest(neighbour)) == {"n": 5}


def test_the_broker_refuses_strangers_and_drops_foreign_topics(platform: Platform) -> None:
    account, victim = platform.device(), platform.device()
    with pytest.raises(ConnectionRefusedError):
        platform.connect(Account(account.key, "wrong"))
    with pytest.raises(ConnectionRefusedError):
        platform.connect(Account("nobody-at-all", account.secret))
    with platform.connect(account) as device:
        device.publish(victim.topic("telemetry"), {"n": 666}).wait_for_publish(10)
        device.say("telemetry", {"n": 1})
    assert eventually(lambda: platform.latest(account)) == {"n": 1}
    assert platform.latest(victim) == {}


def test_a_device_that_reaches_the_workers_listener_gains_nothing(platform: Platform) -> None:
    """Whoever has a shell on the machine may knock at loopback: it hears nobody, speaks for nobody, pushes nobody out."""
    spy, victim = platform.device(), platform.device()
    heard: list[str] = []
    with Connection(platform.services.config.worker_port, spy, client_id="iotpanel-uplink") as listening:
        listening.client.on_message = lambda _client, _userdata, message: heard.append(message.topic)
        for topic in ("#", "devices/#", "$SYS/#", victim.topic("telemetry"), f"devices/{victim.key}/down/#"):
            listening.client.subscribe(topic, 1)
        listening.publish(victim.topic("telemetry"), {"n": 666}).wait_for_publish(10)
        with platform.connect(victim) as device:
            device.say("telemetry", {"n": 1})
            assert eventually(lambda: platform.latest(victim)) == {"n": 1}
            assert not device.gone
    assert [topic for topic in heard if not topic.startswith(f"devices/{spy.key}/")] == []


def test_rotation_ends_the_old_session_and_the_new_secret_works(platform: Platform) -> None:
    account = platform.device()
    with platform.connect(account) as device:
        eventually(lambda: platform.is_online(account))
        fresh = platform.post(f"devices/{account.key}/rotate/", status=200)
        eventually(lambda: device.gone, 10)
        eventually(lambda: not platform.is_online(account))
    eventually(lambda: platform.may_sign_in(Account(account.key, fresh["credentials"]["secret"])), 2)
    assert not platform.may_sign_in(account)


def test_a_disabled_device_is_thrown_out(platform: Platform) -> None:
    account = platform.device()
    with platform.connect(account) as device:
        assert platform.http.patch(f"/api/v1/devices/{account.key}/", json={"enabled": False}).status_code == 200
        eventually(lambda: device.gone, 10)
    assert not platform.may_sign_in(account)


def test_a_topic_of_its_own_reaches_the_product(platform: Platform) -> None:
    product = platform.product(topics=[{"topic": f"tele/{{key}}/F{platform.services.mqtt_port}", "kind": "telemetry"}])
    account = platform.device(product)
    with platform.connect(account) as device:

        def arrives() -> bool:
            device.publish(f"tele/{account.key}/F{platform.services.mqtt_port}", {"n": 7}).wait_for_publish(10)
            return platform.latest(account) == {"n": 7}

        eventually(arrives, 10)


def test_presence_follows_the_last_will_and_the_broker(platform: Platform) -> None:
    account = platform.device()
    device = platform.connect(account, will="offline")
    eventually(lambda: platform.is_online(account))
    device.vanish()
    eventually(lambda: not platform.is_online(account))
    with platform.connect(account):
        eventually(lambda: platform.is_online(account))


def test_silence_turns_a_device_offline(platform: Platform) -> None:
    account = platform.device(platform.product(offline_after=2))
    with platform.connect(account) as device:
        device.say("telemetry", {"n": 1})
        eventually(lambda: platform.is_online(account))
        eventually(lambda: not platform.is_online(account), 10)


READY = [ready["key"] for ready in catalog.list_products() if catalog.load(ready["key"])["codec"].get("samples")]


@pytest.mark.parametrize("name", READY)
def test_the_real_sensors_frames_arrive_exactly(platform: Platform, name: str) -> None:
    body = catalog.load(name)
    account = platform.device(platform.product(thing_model=body["thing_model"], codec=body["codec"]))
    with platform.connect(account) as device:
        for sample in body["codec"]["samples"]:
            frame = bytes.fromhex(sample["hex"]) if "hex" in sample else base64.b64decode(sample["payload_base64"])
            device.say(f"raw/{sample['port']}" if sample.get("port") else "raw", frame)
    for sample in body["codec"]["samples"]:
        for report in sample["expected"]:
            for key, value in report["values"].items():
                eventually(lambda key=key, value=value: value in [stored for _, stored in platform.readings(account, key)])  # type: ignore[misc]
    assert platform.letters(account) == []


def test_all_the_makers_frames_are_among_them() -> None:
    frames = {bytes.fromhex(sample["hex"]) for name in READY for sample in catalog.load(name)["codec"]["samples"] if "hex" in sample}
    assert len(frames) >= 18


def test_a_corrected_script_replays_its_dead_letters(platform: Platform) -> None:
    product = platform.product(codec={"kind": "lua", "script": 'function decode() error("not yet") end'})
    account = platform.device(product)
    with platform.connect(account) as device:
        device.say("raw", b"\x2a")
    eventually(lambda: platform.letters(account))
    script = "function decode(p) return {n = string.byte(p)} end"
    assert platform.http.patch(f"/api/v1/products/{product}/", json={"codec": {"kind": "lua", "script": script}}).status_code == 200
    assert platform.post("dead-letters/replay/", {"device": account.key}, status=200) == {"replayed": 1, "failed": 0}
    assert eventually(lambda: platform.latest(account)) == {"n": 42}


def test_a_script_that_hangs_costs_its_own_messages_only(platform: Platform) -> None:
    hanging = platform.device(platform.product(codec={"kind": "lua", "script": "function decode() while true do end end"}))
    healthy = platform.device()
    with platform.connect(hanging) as bad, platform.connect(healthy) as good:
        for number in range(5):
            bad.say("raw", bytes([number]))
            good.say("telemetry", {"ts": 1_790_000_000_000 + number, "values": {"n": number}})
    eventually(lambda: len(platform.readings(healthy)) == 5)
    eventually(lambda: len(platform.letters(hanging)) == 5)
    assert {letter["reason"] for letter in platform.letters(hanging)} == {"codec_timeout"}


def test_no_secret_reaches_a_log(platform: Platform) -> None:
    account = platform.device()
    platform.may_sign_in(account)
    logs = [path for path in Path(platform.services.config.home.root).glob("logs/*") if path.is_file()]
    assert logs
    assert not [path.name for path in logs if account.secret in path.read_text(errors="replace")]
