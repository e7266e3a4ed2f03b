"""The codec bench's work, in the platform's environment: `python -m bench.codec_work` with a job as JSON on standard input."""

import json
import sys
import time
from collections.abc import Callable, Iterator
from statistics import median
from typing import Any

import django
import orjson
from lupa.lua54 import LuaRuntime

django.setup()

from django.db import connection  # noqa: E402 - models need the set-up above

from devices import products, provisioning  # noqa: E402 - as above
from devices.codecs import CODECS  # noqa: E402 - as above
from devices.messages import Frame, Uplink  # noqa: E402 - as above
from devices.models import Device  # noqa: E402 - as above
from iotpanel.tenants.models import Tenant  # noqa: E402 - as above
from telemetry.uplink.allocator import calm_collector, keep_memory  # noqa: E402 - as above
from telemetry.uplink.pipeline import process  # noqa: E402 - as above

SCRIPT = """
function decode(payload, topic, meta)
  local a, b, c, d, e = string.unpack("<i2i2i2i2i2", payload)
  return {p0 = a / 100, p1 = b / 100, p2 = c / 10, p3 = d, p4 = e}
end
"""
DEVICES = 100
PROPERTIES = [{"key": f"p{number}", "type": "number"} for number in range(5)]


def frame(number: int) -> bytes:
    return b"".join((number % 3000 + place).to_bytes(2, "little", signed=True) for place in range(5))


def document(number: int) -> bytes:
    a = number % 3000
    return orjson.dumps({"p0": a / 100, "p1": (a + 1) / 100, "p2": (a + 2) / 10, "p3": a + 3, "p4": a + 4})


def make(kind: str) -> list[Device]:
    tenant = Tenant.objects.get(key="default")
    given: dict[str, Any] = {"key": f"bench-{kind}", "name": kind, "codec_kind": kind, "thing_model": {"properties": PROPERTIES}}
    product = products.create_product(tenant, **given, codec_script=SCRIPT if kind == "lua" else "")
    return [provisioning.create_device(tenant, key=f"{kind}-{number}", product=product)[0] for number in range(DEVICES)]


def batches(count: int, size: int) -> Iterator[range]:
    return (range(start, min(start + size, count)) for start in range(0, count, size))


def rate(count: int, work: Callable[[], None]) -> float:
    started = time.perf_counter()
    work()
    return count / (time.perf_counter() - started)


class Bench:
    def __init__(self, job: dict[str, Any]) -> None:
        self.count, self.batch = job["frames"], job["batch"]
        self.devices = {kind: make(kind) for kind in ("lua", "json")}
        self.frames = {
            "lua": [Frame(frame(n), "devices/d/up/raw", "d", "p", None, 1) for n in range(self.count)],
            "json": [Frame(document(n), "devices/d/up/raw", "d", "p", None, 1) for n in range(self.count)],
        }
        self.bare = self._bare()

    def _bare(self) -> Callable[[], None]:
        """The script called by lupa in this process: no sandbox, no limits, and nobody reads the table that it returns."""
        lua = LuaRuntime(encoding=None)
        lua.execute(SCRIPT.encode())
        decode = lua.globals()[b"decode"]
        payloads = [each.payload for each in self.frames["lua"]]

        def work() -> None:
            for payload in payloads:
                decode(payload, b"devices/d/up/raw", None)

        return work

    def codec(self, kind: str) -> float:
        def work() -> None:
            for some in batches(self.count, self.batch):
                CODECS[kind](SCRIPT, self.frames[kind][some.start : some.stop])

        return rate(self.count, work)

    def path(self, kind: str) -> float:
        """The pipeline, from bytes to the commit."""
        with connection.cursor() as cursor:
            cursor.execute("TRUNCATE telemetry_report, telemetry_latest, telemetry_ledgerentry")
        topics = [f"devices/{device.key}/up/" + ("raw" if kind == "lua" else "telemetry") for device in self.devices[kind]]
        frames = self.frames[kind]

        def work() -> None:
            for some in batches(self.count, self.batch):
                now = time.time_ns() // 1000
                process([Uplink(topics[n % DEVICES], frames[n].payload, now + n - some.start) for n in some])

        return rate(self.count, work)

    def passes(self, times: int) -> dict[str, float]:
        calm_collector()  # as the worker does
        keep_memory()
        for kind in ("lua", "json"):  # warm
            CODECS[kind](SCRIPT, self.frames[kind][: self.batch])
        found: list[dict[str, float]] = [
            {
                "bare": rate(self.count, self.bare),
                **{f"codec_{kind}": self.codec(kind) for kind in ("lua", "json")},
                **{f"path_{kind}": self.path(kind) for kind in ("json", "lua")},
            }
            for _ in range(times)
        ]
        rates = {name: median(each[name] for each in found) for name in found[0]}
        rates["to_json"] = median(each["path_lua"] / each["path_json"] for each in found)
        rates["codec_to_json"] = median(each["codec_lua"] / each["codec_json"] for each in found)
        rates["to_bare"] = median(each["codec_lua"] / each["bare"] for each in found)
        return rates


def main() -> None:
    job = json.load(sys.stdin)
    found = Bench(job).passes(job["passes"])
    answer = {
        "lua_frames_per_s": round(found["codec_lua"]),
        "bare_frames_per_s": round(found["bare"]),
        "json_frames_per_s": round(found["codec_json"]),
        "ratio_to_bare": round(found["to_bare"], 3),
        "codec_ratio_to_json": round(found["codec_to_json"], 3),
        "lua_messages_per_s": round(found["path_lua"]),
        "json_messages_per_s": round(found["path_json"]),
        "ratio_to_json": round(found["to_json"], 3),
    }
    print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
