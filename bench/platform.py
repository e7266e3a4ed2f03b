"""The platform under test: the whole product in real processes, with many devices that share a secret."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import psycopg

from tests.flows.platform import Platform
from tests.services import Services, eventually

SECRET = "bench-secret-of-all-simulated-devices"
COMMIT_TIMES = "track_commit_timestamp = on\n"
OK = 200
TICKS = os.sysconf("SC_CLK_TCK")


@contextmanager
def running() -> Iterator[Services]:
    """A fresh platform, with the times of commits on record, so that publish to committed is known per message."""
    with tempfile.TemporaryDirectory(prefix="iotpanel-bench-") as folder:
        root = Path(folder)
        (root / "postgresql.conf").write_text(COMMIT_TIMES)
        with Services.running(root) as services:
            os.sync()  # else the disk writes the unpacked servers while the first figures are taken
            yield services


def make_devices(services: Services, count: int, properties: list[str]) -> dict[str, int]:
    """Ids by key of `count` devices of one product, made in bulk by a script of the platform's own environment."""
    script = f"""
from devices.models import Credential, Device, DevicePresence
from devices.products import create_product
from devices.secrets import broker_hash
from iotpanel.tenants.models import Tenant
model = {{"properties": [{{"key": key, "type": "number", "min": -1000, "max": 100000}} for key in {properties!r}]}}
tenant = Tenant.objects.get(key="default")
product = create_product(tenant, key="bench", name="Bench", thing_model=model)
made = [Device(tenant=tenant, product=product, key=f"bench-{{n}}", name=f"Bench {{n}}") for n in range({count})]
devices = Device.objects.bulk_create(made)
hashed = broker_hash({SECRET!r})
Credential.objects.bulk_create([Credential(device=device, broker_hash=hashed) for device in devices])
DevicePresence.objects.bulk_create([DevicePresence(device=device) for device in devices])
"""
    manage(services, "shell", "-v", "0", "-c", script)
    with psycopg.connect(services.database_url) as database:
        ids: dict[str, int] = dict(database.execute("SELECT key, id FROM devices_device WHERE key LIKE 'bench-%'").fetchall())
    passwords = services.config.home.broker / "passwords"
    eventually(lambda: passwords.read_text().count("bench-") >= count, 30)
    return ids


def manage(services: Services, *arguments: str) -> None:
    environment = {**os.environ, **services.environment}
    subprocess.run([sys.executable, "manage.py", *arguments], env=environment, check=True, stdout=subprocess.DEVNULL)


def signed_in(services: Services) -> Platform:
    """The platform as its administrator uses it, once it serves; a machine that is busy with something else gets its time."""
    user = eventually(lambda: _try_to_sign_in(services), 180)
    assert user is not None
    return user


def _try_to_sign_in(services: Services) -> Platform | None:
    try:
        return Platform(services) if services.client().get("/readyz").status_code == OK else None
    except httpx.TransportError:
        return None


def start_uplink(services: Services) -> None:
    """Start the stopped uplink worker, and wait until it has its subscription."""
    connected = services.log("uplink").count("mqtt_connected")
    services.start("uplink")
    eventually(lambda: services.log("uplink").count("mqtt_connected") > connected, 60)
    time.sleep(1)


def cpu_seconds(pid: int) -> float:
    """User and system time that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def rss_mb(pid: int) -> float:
    """Resident memory of a process in MB (10^6 bytes)."""
    line = next(line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) * 1024 / 1e6
