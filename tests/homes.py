"""The homes of platforms that tests start: empty ones, and copies of one that is ready for its first start."""

import fcntl
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from iotpanel.local import app, housekeeping, prepare
from iotpanel.local import servers as local_servers
from iotpanel.local.account import database_account, database_place
from iotpanel.local.config import Config, from_environment
from iotpanel.local.home import Home
from iotpanel.local.ports import free_port
from iotpanel.local.supervisor import Supervisor
from tests.mould import state_of_the_code

DATA = ("valkey", "mosquitto", "broker", "secrets", "logs", "files", "admin-password", "fleet.json")
PORTS = ("IOTPANEL_PORT", "IOTPANEL_MQTT_PORT", "IOTPANEL_MQTT_WORKER_PORT", "IOTPANEL_DB_PORT", "IOTPANEL_CACHE_PORT")
READY = ("secrets", "admin-password", "static", "stamps")
"""What a platform has after its first steps, beside its database."""


def environment_for(root: Path) -> dict[str, str]:
    """Settings of a stack below ``root`` on free ports, with the programs that the suite's own servers use."""
    known = {"IOTPANEL_PACKAGES": str(app.TOP / ".iotpanel/packages")}
    inherited = {name: os.environ[name] for name in ("IOTPANEL_SERVERS", "IOTPANEL_PACKAGES") if name in os.environ}
    return {**known, **inherited, "IOTPANEL_HOME": str(root), **dict(zip(PORTS, map(str, free_ports(len(PORTS))), strict=True))}


def free_ports(count: int) -> list[int]:
    """So many different ones."""
    ports: dict[int, None] = {}
    while len(ports) < count:
        ports[free_port()] = None
    return list(ports)


@contextmanager
def started(config: Config) -> Iterator[tuple[local_servers.Servers, Supervisor]]:
    """The servers of a home, stopped in the end with whatever else the supervisor has started."""
    servers = local_servers.choose(config)
    supervisor = Supervisor(config.home)
    try:
        local_servers.start(servers, supervisor)
        yield servers, supervisor
    finally:
        supervisor.stop()


def begin_anew(root: Path) -> None:
    """Remove the data of an earlier run; collected static files stay, because making them takes a while."""
    home = Home(root)
    home.make()
    housekeeping.clear_leftovers(home)
    for path in (database_of(root), *(root / name for name in DATA)):
        if path.is_dir():
            shutil.rmtree(path)
        path.unlink(missing_ok=True)
    (home.stamps / "tables").unlink(missing_ok=True)


def database_of(root: Path) -> Path:
    """The folder of a home's database."""
    return database_place(root, database_account()) / "postgres"


def pour(mould: Path, root: Path) -> None:
    """Give an empty home the database, first user and static files of ``mould``, which the first who asks makes for a state of the code."""
    mould.mkdir(parents=True, exist_ok=True)
    with (mould / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        state = state_of_the_code()
        if prepare.changed(Home(mould), "mould", state):
            make(mould)
            prepare.note(Home(mould), "mould", state)
        for path in (database_of(mould), *(mould / name for name in READY)):
            place = database_of(root).parent if path == database_of(mould) else root
            subprocess.run(["cp", "-a", str(path), str(place)], check=True)  # with their owners


def make(mould: Path) -> None:
    """All that `make run` does before it starts the application for the first time."""
    begin_anew(mould)
    config = from_environment(environment_for(mould))
    with started(config) as (servers, _):
        prepare.prepare(config.home, app.base_environment(servers.environment()), time.sleep)
