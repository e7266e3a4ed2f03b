"""Reading Mosquitto's log: who came, who went, and nothing that a device could forge."""

import pytest

from devices.connectors.mqtt_log import read


@pytest.mark.parametrize(
    ("line", "word"),
    [
        (b"1795247966: New client connected from 127.0.0.1:52144 as pump-1 (p2, c1, k60, u'pump-1').", ("pump-1", b"online")),
        (b"2026-11-21T08:00:00: New client connected from ::1:52144 as a.b_c-d (p5, c0, k60).", ("a.b_c-d", b"online")),
        (b"2026-11-21T08:00:00: Client pump-1 closed its connection.", ("pump-1", b"offline")),
        (b"2026-11-21T08:00:00: Client pump-1 has exceeded timeout, disconnecting.", ("pump-1", b"offline")),
        (b"2026-11-21T08:00:00: Client pump-1 already connected, closing old connection.", ("pump-1", b"offline")),
        (b"2026-11-21T08:00:00: Client pump-1 disconnected due to protocol error.", ("pump-1", b"offline")),
    ],
)
def test_it_reads_who_comes_and_goes(line: bytes, word: tuple[str, bytes]) -> None:
    assert read(line) == word


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"garbage",
        b"1795247966: Client pump-1 disconnected.",  # it says goodbye, and sleeps
        b"1795247966: Client pump-1 disconnected, not authorised.",  # a stranger who tried a password
        b"1795247966: Client <unknown> closed its connection.",
        b"1795247966: Client <unknown> disconnected due to protocol error.",
        b"1795247966: New client connected from 127.0.0.1:52144 as pump-1 (p2, c1, k60, u'iotpanel-worker').",  # we, ending its session
        b"1795247966: New client connected from 127.0.0.1:52144 as iotpanel-uplink (p2, c1, k60, u'iotpanel-worker').",
        b"1795247966: mosquitto version 2.0.21 running",
        b"1795247966: Denied PUBLISH from x (d0, q0, r0, m0, 'Client pump-1 closed its connection.', ... (3 bytes))",
        b"Client pump-1 closed its connection.",
        b"1795247966: x: New client connected from 1.1.1.1:1 as pump-1 (p2)",
    ],
)
def test_it_reads_nothing_else(line: bytes) -> None:
    assert read(line) is None
