"""What those see who watch over the platform: probes, metrics and logs of the real processes."""

import json
import os
import re
import socket
import subprocess
import sys
import time
from typing import Any

from prometheus_client.parser import text_string_to_metric_families

from iotpanel import figures
from tests.flows.platform import Platform
from tests.services import eventually

PYTHON_PARTS = ("web", "uplink", "tasks", "beat")
EACH_ONCE = dict.fromkeys(PYTHON_PARTS, 1.0)


def ready(platform: Platform) -> tuple[int, dict[str, str]]:
    answer = platform.services.client().get("/readyz")
    return answer.status_code, answer.json()["parts"]


def totals(platform: Platform) -> dict[str, float]:
    """The uplink's counters over all processes and sources."""
    found: dict[str, float] = {}
    for family in text_string_to_metric_families(platform.metrics()):
        for sample in family.samples:
            if sample.name.startswith("iotpanel_uplink_") and sample.name.endswith("_total"):
                found[sample.name[16:-6]] = found.get(sample.name[16:-6], 0) + sample.value
    return found


def processes(platform: Platform) -> dict[str, float]:
    families = text_string_to_metric_families(platform.metrics())
    return {sample.labels["process"]: sample.value for each in families if each.name == "iotpanel_processes" for sample in each.samples}


def test_received_is_the_sum_of_what_became_of_it(platform: Platform) -> None:
    account = platform.device()
    eventually(lambda: processes(platform) == EACH_ONCE)  # a worker that an earlier test killed is forgotten
    time.sleep(figures.EVERY + 1)  # and what earlier tests did has been reported
    before = totals(platform)
    with platform.connect(account) as device:
        device.say("telemetry", [{"ts": 1_790_000_000_000 + number, "values": {"n": number}} for number in range(10)])
        device.say("telemetry", {"ts": 1_790_000_000_000, "values": {"n": 0}})
        device.say("telemetry", b"nope")
    platform.services.client(auth=tuple(account)).post("/api/v1/device/telemetry", json={"n": 1})
    eventually(lambda: totals(platform)["received"] >= before["received"] + 13)
    after = totals(platform)
    assert after["received"] == after["stored"] + after["duplicate"] + after["rejected"] + after["dead_lettered"]
    assert {name: after[name] - before[name] for name in ("received", "stored", "duplicate", "dead_lettered")} == {
        "received": 13,
        "stored": 11,
        "duplicate": 1,
        "dead_lettered": 1,
    }


def test_every_process_is_on_the_page(platform: Platform) -> None:
    eventually(lambda: processes(platform) == EACH_ONCE)


def inspect(platform: Platform, *arguments: str) -> subprocess.CompletedProcess[str]:
    """`celery inspect uplink`, as an operator types it in `make shell`."""
    command = [sys.executable, "-m", "celery", "-A", "iotpanel", "inspect", *arguments]
    return subprocess.run(
        command, capture_output=True, text=True, check=False, env=os.environ | dict(platform.services.environment), timeout=60
    )


def test_the_uplink_tells_celery_s_inspect_what_it_does(platform: Platform) -> None:
    account, host = platform.device(), socket.gethostname()
    with platform.connect(account) as device:
        device.say("telemetry", {"n": 1})
    eventually(lambda: platform.latest(account))

    # Both are named, so that it ends with the second answer and not with the time.
    asked = inspect(platform, "uplink", "--json", "--timeout", "30", "--destination", f"uplink@{host},tasks@{host}")

    assert asked.returncode == 0, asked.stderr
    answers = json.loads(asked.stdout)
    figures = answers[f"uplink@{host}"]
    assert figures["mqtt"]["connected"] is True
    assert {"queued", "queued_bytes", "retries", "stale", "last_error", "accounts_written", "downlink"} <= figures.keys()
    assert figures["messages"] >= 1 and figures["batches"] >= 1
    assert answers[f"tasks@{host}"] == {"running": False}, "the other worker runs no uplink and says so"


def test_readiness_names_the_part_that_is_missing(platform: Platform) -> None:
    eventually(lambda: ready(platform)[0] == 200)
    for part, named in (("mosquitto", "broker"), ("uplink", "uplink"), ("valkey", "cache")):
        platform.services.stop(part)
        try:
            eventually(lambda named=named: ready(platform)[0] == 503 and ready(platform)[1][named] != "ok", 30)  # type: ignore[misc]
            assert platform.services.client().get("/healthz").status_code == 200
        finally:
            platform.services.start(part)
        eventually(lambda: ready(platform)[0] == 200, 30)


def test_logs_are_structured_and_hold_no_secret(platform: Platform) -> None:
    account = platform.device()
    client = platform.services.client()
    client.post("/api/v1/device/telemetry", json={"n": 1}, headers={"Authorization": f"Bearer {account.key}:{account.secret}"})
    client.get("/api/v1/devices/", params={"token": account.secret})
    client.post("/api/v1/auth/token/", json={"username": "admin", "password": "wrong-" + account.secret})
    with platform.connect(account) as device:
        device.say("telemetry", {"n": 1})
    eventually(lambda: platform.latest(account))
    lines = [line for part in PYTHON_PARTS for line in platform.services.log(part).splitlines()]
    hidden = [account.secret, platform.services.password, platform.http.headers["Authorization"].split()[1], *secrets_of(platform)]
    for secret in hidden:
        assert not [line for line in lines if secret in line]
    structured = [json.loads(line) for line in lines if line.startswith("{")]
    assert {"request"} <= {line["event"] for line in structured}
    assert all({"event", "level", "logger", "timestamp"} <= line.keys() for line in structured)


def secrets_of(platform: Platform) -> list[str]:
    """The passwords within the addresses that the processes were given."""
    environment: Any = platform.services.environment
    return [found for name in ("DATABASE_URL", "REDIS_URL", "MQTT_URL") for found in re.findall(r"//[^:@/]*:([^@]+)@", environment[name])]
