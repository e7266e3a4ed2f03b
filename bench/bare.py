"""The bare loop that iotpanel is measured against: subscribe, parse, COPY, upsert the latest values, commit, ack.

No Django, no platform, no checks: what two cores can do at best with these parts. It writes the same table layout,
in a database schema of its own. Runs as a process: `python -m bench.bare` with a job as JSON on standard input;
stops on SIGTERM.
"""

import itertools
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
COPY = "COPY bare.report (device_id, at, values) FROM STDIN (FORMAT binary)"
ARRAYS = [1016, 1185, 3807]  # the types bigint[], timestamptz[], jsonb[]
LATEST = b"""
    INSERT INTO bare.latest AS old (device_id, newest_at, values)
    SELECT * FROM unnest($1::bigint[], $2::timestamptz[], $3::jsonb[]) ORDER BY 1
    ON CONFLICT (device_id) DO UPDATE SET newest_at = excluded.newest_at, values = old.values || excluded.values
"""
Message = tuple[str, bytes, int]


class Bare:
    def __init__(self, job: dict[str, Any]) -> None:
        self.ids: dict[str, int] = job["ids"]
        self.batch: int = job["batch"]
        self.database = psycopg.connect(job["database"])
        self.queue: deque[Message] = deque()
        self.ready = threading.Condition()
        self.stopping = False
        self.client = paho.Client(CallbackAPIVersion.VERSION2, "bench-bare", clean_session=False, protocol=paho.MQTTv311, manual_ack=True)
        self.client.username_pw_set(job["user"], job["password"])
        self.client.on_message = self.on_message
        self.client.on_connect = self.on_connect
        self.client.on_subscribe = lambda *_: print("ready", flush=True)
        self.client.connect("127.0.0.1", job["port"])

    def on_connect(self, *_: Any) -> None:
        self.client.subscribe("devices/+/up/#", 1)

    def on_message(self, _client: Any, _userdata: Any, message: paho.MQTTMessage) -> None:
        with self.ready:
            self.queue.append((message.topic, bytes(message.payload), message.mid))
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

    def take(self) -> list[Message]:
        with self.ready:
            while not self.queue and not self.stopping:
                self.ready.wait(0.5)
            return [self.queue.popleft() for _ in range(min(len(self.queue), self.batch))]

    def write(self, batch: list[Message]) -> None:
        write(self.database, self.ids, batch)

    def stop(self, *_: Any) -> None:
        self.stopping = True


def write(database: psycopg.Connection[Any], ids: dict[str, int], batch: list[Message]) -> None:
    """One COPY and one upsert in one transaction; of each device the last report of the batch is its latest."""
    devices, moments, bodies, newest = [], [], [], {}
    for topic, payload, _ in batch:
        device_id = ids[topic.split("/")[1]]
        report = orjson.loads(payload)
        at, values = report["ts"], report["values"]
        devices.append(device_id)
        moments.append(at - EPOCH_2000)
        bodies.append(orjson.dumps(values))
        newest[device_id] = at, values
    same = itertools.repeat
    heads = map(ROW.pack, same(3), same(8), devices, same(8), moments, [len(body) + 1 for body in bodies], same(1))
    latest = [orjson.dumps({name: (value, at) for name, value in values.items()}) for at, values in newest.values()]
    columns = eights(20, list(newest)), eights(1184, [at - EPOCH_2000 for at, _ in newest.values()]), jsons(latest)
    with database.transaction(), database.cursor() as cursor:
        with cursor.copy(COPY) as copy:
            copy.write(b"".join([HEAD, *itertools.chain.from_iterable(zip(heads, bodies, strict=True)), TAIL]))
        answer = database.pgconn.exec_params(LATEST, columns, ARRAYS, [1, 1, 1])
        assert answer.status == psycopg.pq.ExecStatus.COMMAND_OK, answer.error_message


def eights(kind: int, numbers: list[int]) -> bytes:
    """A column of numbers as PostgreSQL's binary array."""
    return struct.pack(">iiIii", 1, 0, kind, len(numbers), 1) + b"".join(map(struct.Struct(">iq").pack, itertools.repeat(8), numbers))


def jsons(documents: list[bytes]) -> bytes:
    heads = map(struct.Struct(">IB").pack, [len(document) + 1 for document in documents], itertools.repeat(1))
    parts = itertools.chain.from_iterable(zip(heads, documents, strict=True))
    return struct.pack(">iiIii", 1, 0, 3802, len(documents), 1) + b"".join(parts)


def main() -> None:
    bare = Bare(json.load(sys.stdin))
    signal.signal(signal.SIGTERM, bare.stop)
    bare.run()


if __name__ == "__main__":
    main()
