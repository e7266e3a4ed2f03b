"""The list of revoked certificates that the embedded broker reads, and the end of their sessions.

Having read it, Mosquitto lets none of them in again, but keeps who is in already: it checks passwords when it is told to
look, and certificates never. So their sessions are taken over, by the platform's account and under the device's name, and
dropped: one client id has one session.
"""

import contextlib
import socket
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import unquote, urlsplit

import structlog
from django.conf import settings

from devices.connectors import mqtt_packets as packets
from devices.models import DeviceCertificate
from iotpanel.local import authority, device_authority

PATIENCE = 5.0  # seconds
KEEPALIVE = 10
log = structlog.get_logger(__name__)


def write_revoked(folder: Path) -> frozenset[str] | None:
    """Brings the list up to date; the keys of the devices that it names newly, None where nothing changed."""
    if not (settings.DEVICE_CA_DIR / f"{device_authority.NAME}.key").exists():
        return None
    ours = authority.root(settings.DEVICE_CA_DIR, device_authority.NAME, device_authority.COMMON_NAME)
    file = folder / device_authority.REVOKED
    wanted = {int(serial, 16): key for serial, key in DeviceCertificate.objects.refused().values_list("serial", "key")}
    before = device_authority.revoked_in(file, ours)
    if before == set(wanted):
        return None
    device_authority.write_list(file, ours, wanted)
    return frozenset(key for serial, key in wanted.items() if serial not in (before or set()))


def end_sessions(keys: Iterable[str]) -> None:
    """Ends whatever session each of these devices has. To be called when the broker has been told to read the list."""
    for key in sorted(keys):
        try:
            _take_over(key)
        except OSError as error:
            log.warning("session_not_ended", device=key, error=str(error)[:300])


def _take_over(key: str) -> None:
    """The connection is dropped without a goodbye, so that the broker says that the device is gone."""
    url = urlsplit(settings.MQTT_URL)
    user, password = unquote(url.username or ""), unquote(url.password or "")
    with socket.create_connection((url.hostname or "127.0.0.1", url.port or 1883), PATIENCE) as sock:
        sock.settimeout(PATIENCE)
        sock.sendall(packets.connect(key, user, password, KEEPALIVE, clean=True))
        answer = sock.recv(4)
        if answer[:1] != bytes([packets.CONNACK]) or answer[3:4] != b"\0":
            raise ConnectionRefusedError(f"the broker answered {answer.hex()}")
        with contextlib.suppress(OSError):
            sock.shutdown(socket.SHUT_RDWR)
