"""The live connection under the real web server: what only a socket and its buffers can show."""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin

from devices.models import Device
from iotpanel.tenants.models import Role, Tenant, User
from telemetry.live import Publisher
from tests.make import make_api_key, make_device

from .sockets import cookies_of
from .test_publisher import wait_for

pytestmark = pytest.mark.django_db(transaction=True)
AT = 1_767_225_600_000_000
VALUE = "x" * 200_000


def free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return int(listening.getsockname()[1])


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory, django_db_setup: None) -> Iterator[int]:
    """Daphne on the tests' database."""
    number, log = free_port(), tmp_path_factory.mktemp("daphne") / "log"
    environment = os.environ | {
        "DATABASE_URL": f"{os.environ['DATABASE_URL'].rpartition('/')[0]}/{connection.settings_dict['NAME']}",
        "IOTPANEL_SECRET_KEY": settings.SECRET_KEY,
        "IOTPANEL_ALLOWED_HOSTS": "127.0.0.1",
    }
    command = [sys.executable, "-m", "daphne", "-b", "127.0.0.1", "-p", str(number), "-v", "0", "iotpanel.asgi:application"]
    with log.open("w") as output, subprocess.Popen(command, env=environment, stdout=output, stderr=output) as process:
        try:
            wait_for(lambda: answers(number) or process.poll() is not None)
            assert process.poll() is None, log.read_text()
            yield number
        finally:
            process.terminate()
            process.wait(timeout=20)


def answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


@pytest.fixture
def live() -> Iterator[Publisher]:
    started = Publisher()
    started.start()
    yield started
    started.stop()


@pytest.fixture
def device(tenant: Tenant) -> Device:
    return make_device(tenant)


@pytest.fixture
def key(tenant: Tenant) -> str:
    return make_api_key(tenant, role=Role.VIEWER)[1]


def opened(port: int, key: str, **options: Any) -> ClientConnection:
    headers = {"Authorization": f"Bearer {key}"}
    return connect(f"ws://127.0.0.1:{port}/ws/live/", additional_headers=headers, max_size=None, **options)


def ask(client: ClientConnection, message: Any) -> dict[str, Any]:
    client.send(json.dumps(message))
    answer: dict[str, Any] = json.loads(client.recv(timeout=10))
    return answer


def until(client: ClientConnection, value: Any) -> list[dict[str, Any]]:
    """All frames of readings up to the one whose newest value is this."""
    frames: list[dict[str, Any]] = []
    while not frames or value not in [row[3] for row in frames[-1]["data"]]:
        message = json.loads(client.recv(timeout=20))
        if message["type"] == "readings":
            frames.append(message)
    return frames


def test_a_reading_reaches_the_socket(port: int, key: str, device: Device, live: Publisher) -> None:
    with opened(port, key) as client:
        assert ask(client, {"subscribe": {"devices": [device.key]}})["devices"] == [device.key]
        wait_for(lambda: device.pk in live.watched)
        live.readings([(device.pk, device.key, AT, {"t": 1})])
        assert until(client, 1)[0]["data"] == [[device.key, "t", AT // 1000, 1]]


def test_a_burst_is_ten_frames_a_second_and_accounts_for_every_reading(port: int, key: str, device: Device, live: Publisher) -> None:
    with opened(port, key) as client:
        ask(client, {"subscribe": {"devices": [device.key]}})
        wait_for(lambda: device.pk in live.watched)
        began = time.monotonic()
        for number in range(2000):
            live.readings([(device.pk, device.key, AT + number, {"t": number})])
            time.sleep(0.0005)
        frames = until(client, 1999)
        took = time.monotonic() - began
        assert len(frames) <= took * 10 + 2
        assert sum(len(frame["data"]) + frame.get("skipped", 0) for frame in frames) == 2000


def test_a_browser_that_does_not_read_costs_no_memory_and_gets_the_newest_value(
    port: int, key: str, device: Device, live: Publisher
) -> None:
    """40 MB pass by; what the browser finds when it reads again is what kernel buffers held, and then the newest."""
    slow = socket.create_connection(("127.0.0.1", port))
    slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 64 * 1024)
    with opened(port, key, sock=slow, max_queue=1, compression=None) as client:
        ask(client, {"subscribe": {"devices": [device.key]}})
        wait_for(lambda: device.pk in live.watched)
        published = 200
        for number in range(published):
            live.readings([(device.pk, device.key, AT + number, {"number": number, "padding": VALUE})])
            time.sleep(0.03)
        frames = until(client, published - 1)
        # Who reads gets a frame each tenth of a second, which skips six or so.
        assert max(frame.get("skipped", 0) for frame in frames) > 40
        assert sum(len(frame["data"]) + frame.get("skipped", 0) for frame in frames) == published * 2


def test_a_message_without_end_is_cut_off(port: int, key: str) -> None:
    with opened(port, key, compression=None) as client:
        with pytest.raises((ConnectionClosed, OSError)):  # the kernel may say so before the server does
            client.send("x" * 5_000_000)
            client.recv(timeout=10)


@pytest.mark.parametrize("path", ["/ws/live/", "/ws/nowhere/"])
def test_nobody_and_unknown_addresses_are_refused_in_the_handshake(port: int, path: str) -> None:
    with pytest.raises(InvalidStatus) as refusal:
        connect(f"ws://127.0.0.1:{port}{path}")
    assert refusal.value.response.status_code == 403


def test_a_browsers_session_connects_from_our_origin_only(port: int, viewer: User) -> None:
    cookie = dict(cookies_of(viewer))[b"cookie"].decode()
    here = f"ws://127.0.0.1:{port}/ws/live/"
    with connect(here, additional_headers={"Cookie": cookie}, origin=Origin(f"http://127.0.0.1:{port}")) as client:
        assert ask(client, {"unsubscribe": {}})["type"] == "unsubscribed"
    with pytest.raises(InvalidStatus):
        connect(here, additional_headers={"Cookie": cookie}, origin=Origin("http://evil.example"))
