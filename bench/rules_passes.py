"""The passes of `bench rules`, in a process that is the uplink worker: `python -m bench.rules_passes 1,100 12`."""

import json
import sys
import time
from statistics import median
from typing import Any

import django

django.setup()

from devices.messages import Uplink  # noqa: E402 - Django's apps have to be ready first
from devices.models import Device  # noqa: E402 - see above
from iotpanel.tenants.models import Tenant  # noqa: E402 - see above
from rules.look import Look  # noqa: E402 - see above
from rules.models import Alarm, Rule, RuleState  # noqa: E402 - see above
from telemetry.uplink.allocator import calm_collector  # noqa: E402 - see above
from telemetry.uplink.memory import memory  # noqa: E402 - see above
from telemetry.uplink.pipeline import process  # noqa: E402 - see above

BATCH = 500
DEVICES = [f"bench-{number}" for number in range(200)]
looks: list[tuple[int, float]] = []


def make_rules(count: int, *, spread: bool) -> None:
    """So many rules with thresholds that are never reached: for all devices, or each for one."""
    Rule.objects.all().delete()
    tenant = Tenant.objects.get(key="default")
    bodies = [
        {
            "scope": {"devices": [DEVICES[number % len(DEVICES)]]} if spread else {"product": "bench"},
            "trigger": "readings",
            "when": {"property": f"p{number % 5}", "op": ">", "value": 99_000 + number / 100},
            "actions": [{"kind": "alarm"}],
        }
        for number in range(count)
    ]
    Rule.objects.bulk_create([Rule(tenant=tenant, name=f"Rule {number}", body=body) for number, body in enumerate(bodies)])


def batch(size: int) -> list[Uplink]:
    now = time.time_ns() // 1_000
    values = b'{"p0": 1.5, "p1": 2.5, "p2": 3.5, "p3": 4.5, "p4": 5.5}'
    topics = [f"devices/{DEVICES[number % len(DEVICES)]}/up/telemetry" for number in range(size)]
    return [Uplink(topic, b'{"ts": %d, "values": %s}' % (now + number, values), now) for number, topic in enumerate(topics)]


def ingest(batches: int, size: int) -> float:
    """Messages a second, the middle one of all batches."""
    process(batch(size))
    seconds = []
    for _ in range(batches):
        messages = batch(size)
        began = time.perf_counter()
        process(messages)
        seconds.append(time.perf_counter() - began)
    return size / median(seconds)


def per_look(batches: int, size: int) -> float:
    """µs of processor time of one rule looking at one report, the middle one of all batches."""
    process(batch(size))
    looks.clear()
    for _ in range(batches):
        process(batch(size))
    return median(seconds / count for count, seconds in looks) * 1e6


def measure_looks() -> None:
    original = Look.over

    def over(self: Look, concerned: Any) -> None:
        began = time.process_time()
        original(self, concerned)
        looks.append((max(1, self.stepped), time.process_time() - began))

    Look.over = over  # type: ignore[method-assign]


def main(wanted: list[int], batches: int) -> None:
    calm_collector()
    memory().lasting = True
    Rule.objects.all().delete()
    figures: dict[str, Any] = {"devices": Device.objects.count(), "messages_per_s_without_rules": round(bare := ingest(batches, BATCH))}
    measure_looks()
    for count in wanted:
        make_rules(count, spread=False)
        figures[f"us_per_look_{count}"] = round(per_look(5, max(10, min(BATCH, 200_000 // count))), 3)
        make_rules(count, spread=True)
        rate = ingest(batches, BATCH)
        figures |= {f"messages_per_s_{count}": round(rate), f"ratio_{count}": round(rate / bare, 3)}
    assert not Alarm.objects.exists() and not RuleState.objects.exists()
    print(json.dumps(figures))


if __name__ == "__main__":
    main([int(count) for count in sys.argv[1].split(",")], int(sys.argv[2]))
