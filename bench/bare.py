"""The bare loop that iotpanel is measured against: subscribe, parse, COPY, upsert the latest values, commit, ack.

No Django, no platform, no checks: what two cores can do at best with these parts. It writes the same table layout,
in a database schema of its own. Runs as a process: `python -m bench.bare` with a job as JSON on standard input;
stops on SIGTERM.
"""

import json
import signal
import struct
import sys
import threading
from collections import deque
from typing import Any

import orjson
import paho.mqtt.client as paho
import psycopg
from paho.mqtt.enums import CallbackAPIVersion

ROW = struct.Struct(">hiqiqiB")
HEAD, TAIL = b"PGCOPY\n\xff\r\n\0" + bytes(8), b"\xff\xff"
EPOCH_2000 = 946_684_800_000_000
BATCH = 2_000
COPY = "COPY bare.report (device_id, at, values) FROM STDIN (FORMAT binary)"
LATEST = """
    INSERT INTO bare.latest AS old (device_id, newest_at, values)
    SELECT * FROM unnest(%s::bigint[], %s::timestamptz[], %s::jsonb[]) ORDER BY 1
    ON CONFLICT (device_id) DO UPDATE SET newest_at = excluded.newest_at, values = old.values || excluded.values
"""


class Bare:
    def __init__(self, job: dict[str, Any]) -> None:
        self.ids: dict[str, int] = job["ids"]
        self.database = psycopg.connect(job["database"])
        self.queue: deque[tuple[str, bytes, int]] = deque()
        self.ready = threading.Condition()
        self.stopping = False
        self.client = paho.Client(CallbackAPIVersion.VERSION2, "bench-bare", clean_session=False, protocol=paho.MQTTv311, manual_ack=True)
        self.client.username_pw_set(job["user"], job["password"])
        self.client.on_message = self.on_message
        self.client.on_connect = lambda *_: self.client.subscribe("devices/+/up/#", 1)
        self.client.on_subscribe = lambda *_: print("ready", flush=True)
        self.client.connect("127.0.0.1", job["port"])

    def on_message(self, _client: Any, _userdata: Any, message: paho.MQTTMessage) -> None:
        with self.ready:
            self.queue.append((message.topic, message.payload, message.mid))
            if len(self.queue) == 1:
                self.ready.notify()

    def run(self) -> None:
        self.client.loop_start()
        while batch := self.take():
            self.write(batch)
            for _, _, mid in batch:
                self.client.ack(mid, 1)
        self.client.disconnect()
        self.client.loop_stop()

    def take(self) -> list[tuple[str, bytes, int]]:
        with self.ready:
            while not self.queue and not self.stopping:
                self.ready.wait(0.5)
            return [self.queue.popleft() for _ in range(min(len(self.queue), BATCH))]

    def write(self, batch: list[tuple[str, bytes, int]]) -> None:
        rows, newest = [HEAD], {}
        for topic, payload, _ in batch:
            device_id = self.ids[topic.split("/")[1]]
            report = orjson.loads(payload)
            at, values = report["ts"], report["values"]
            body = orjson.dumps(values)
            rows.append(ROW.pack(3, 8, device_id, 8, at - EPOCH_2000, len(body) + 1, 1) + body)
            newest[device_id] = (at, orjson.dumps({key: [value, at] for key, value in values.items()}).decode())
        rows.append(TAIL)
        with self.database.transaction(), self.database.cursor() as cursor:
            with cursor.copy(COPY) as copy:
                copy.write(b"".join(rows))
            ids = list(newest)
            instants = [f"{newest[each][0] / 1e6:.6f}" for each in ids]
            cursor.execute(
                LATEST.replace("%s::timestamptz[]", "ARRAY(SELECT to_timestamp(x) FROM unnest(%s::float8[]) x)"),
                [
                    ids,
                    [float(each) for each in instants],
                    [newest[each][1] for each in ids],
                ],
            )

    def stop(self, *_: Any) -> None:
        self.stopping = True


def main() -> None:
    bare = Bare(json.load(sys.stdin))
    signal.signal(signal.SIGTERM, bare.stop)
    bare.run()


if __name__ == "__main__":
    main()
