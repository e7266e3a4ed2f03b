"""Registers the simulated fleet, then becomes it."""

import os
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connections

from devices.simulator.accounts import register
from devices.simulator.fleet import MAX_DEVICES, members
from devices.simulator.fleet_file import read, write
from iotpanel.tenants.models import Tenant

LOOPBACK = "127.0.0.1"
EVERYWHERE = {"0.0.0.0", "::", "[::]", ""}  # noqa: S104 - these are compared, not bound


class Command(BaseCommand):
    help = "Runs a simulated fleet in tenant `default` through the real broker, with real credentials, until it is stopped."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--devices", type=int, default=14, help="how many, children of gateways included")
        parser.add_argument("--interval", type=float, default=5.0, help="seconds between messages of the quickest devices")
        parser.add_argument("--once", action="store_true", help="one round of messages, then stop")
        parser.add_argument("--host", default="", help="the broker, where it is not the embedded one")
        parser.add_argument("--port", type=int, default=0)

    def handle(self, *args: Any, **options: Any) -> None:
        if not 1 <= options["devices"] <= MAX_DEVICES or not options["interval"] > 0:
            raise CommandError(f"From 1 to {MAX_DEVICES} devices, and an interval above 0 seconds.")
        path = Path(settings.IOTPANEL_HOME) / "fleet.json"
        self._register(path, options["devices"])
        connections.close_all()
        host, port = options["host"] or broker_host(), options["port"] or settings.MQTT_PORT
        command = [sys.executable, "-m", "devices.simulator", str(path), "--host", host, "--port", str(port)]
        command += ["--interval", str(options["interval"]), *(["--once"] if options["once"] else [])]
        # The fleet itself needs no Django: giving it up saves most of the process's memory for as long as it runs.
        os.chdir(settings.BASE_DIR)
        os.execv(sys.executable, command)  # noqa: S606 - our own interpreter, with arguments of our own

    def _register(self, path: Path, devices: int) -> None:
        tenant = Tenant.objects.filter(key="default").first()
        if tenant is None:
            raise CommandError("There is no tenant `default` yet: run `manage.py first_user`.")
        fleet, taken = register(tenant, members(devices), read(path))
        write(path, fleet)
        if taken:
            self.stderr.write(f"Left out, because somebody's own devices have these keys: {', '.join(taken)}")
        self.stdout.write(f"{len(fleet)} connections")
        self.stdout.flush()


def broker_host() -> str:
    """Where devices reach the broker from this machine: on loopback, but for a broker that is bound elsewhere or not ours."""
    workers = urlsplit(settings.MQTT_URL).hostname or LOOPBACK
    if workers not in {LOOPBACK, "localhost", "::1"}:
        return str(settings.MQTT_HOST or workers)
    return LOOPBACK if settings.BIND in EVERYWHERE else str(settings.BIND)
