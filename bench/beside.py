"""Devices that nobody watches, publishing steadily: `python -m bench.beside PORT SECRET RATE`, until it is ended."""

import json
import sys
import time

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

SLICE = 0.02  # seconds


def main(port: int, secret: str, rate: int) -> None:
    clients = [opened(port, f"bench-{number}", secret) for number in range(10)]
    number = 0
    due = time.perf_counter()
    while True:
        for _ in range(max(1, int(rate * SLICE))):
            client = clients[number % len(clients)]
            client.publish(f"devices/bench-{number % len(clients)}/up/telemetry", json.dumps({"p0": number % 100}), qos=1)
            number += 1
        due += SLICE
        time.sleep(max(0.0, due - time.perf_counter()))


def opened(port: int, key: str, secret: str) -> paho.Client:
    client = paho.Client(CallbackAPIVersion.VERSION2, client_id=key)
    client.username_pw_set(key, secret)
    client.max_inflight_messages_set(1000)
    client.connect("127.0.0.1", port)
    client.loop_start()
    return client


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
