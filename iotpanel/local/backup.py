"""``make backup`` and ``make restore``: everything that cannot be made again, in one private file.

The tar holds the database's dump, the broker's queue, the secrets, uploaded files and the fleet's credentials. Programs,
logs, static files and the cache are made again.
"""

import os
import subprocess
import tarfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from iotpanel.local import lock, watch
from iotpanel.local import servers as stack
from iotpanel.local.commands import supervised
from iotpanel.local.config import Config, from_environment
from iotpanel.local.home import Home
from iotpanel.local.postgres import Postgres
from iotpanel.local.postgres_settings import dump_compression
from iotpanel.local.say import Trouble, say
from iotpanel.local.supervisor import Supervisor

DUMP = "database.dump"
KEPT = ("secrets", "admin-password", "fleet.json", "files", "mosquitto", "tls", "postgresql.conf", "mosquitto.d")
"""Names below the home, beside the dump."""


def backup(arguments: Sequence[str]) -> int:
    """Write a backup to the given file, or into ``$IOTPANEL_HOME/backups``; says where."""
    config = from_environment()
    file = Path(arguments[0]) if arguments else config.home.root / "backups" / time.strftime("iotpanel-%Y%m%d-%H%M%S.tar")
    if lock.is_held(config.home):
        write(config, file)
    else:
        with supervised() as (servers, _):
            write(servers.config, file)
    say(f"backed up to {file} ({file.stat().st_size // 1_000_000} MB); it holds every secret of this platform")
    return 0


def write(config: Config, file: Path) -> None:
    """Dump the running database and pack it with the rest; the file appears when it is whole."""
    home, database = config.home, own_database(config)
    dump = home.root / DUMP
    fresh = file.with_name(f".{file.name}.part")
    try:
        say("dumping the database")
        make_private(dump)
        call(database, "pg_dump", "--format=custom", dump_compression(database.version), f"--file={dump}", "iotpanel")
        file.parent.mkdir(parents=True, exist_ok=True)
        make_private(fresh)
        with tarfile.open(fresh, "w") as tar:
            for path in (dump, *kept(home)):
                tar.add(path, arcname=str(path.relative_to(home.root)))
        fresh.replace(file)
    finally:
        dump.unlink(missing_ok=True)
        fresh.unlink(missing_ok=True)


def make_private(path: Path) -> None:
    """An empty file that only its owner can read, before anything secret is written to it."""
    path.unlink(missing_ok=True)
    path.touch(0o600)


def kept(home: Home) -> Iterator[Path]:
    for name in KEPT:
        if (home.root / name).exists():
            yield home.root / name


def own_database(config: Config) -> Postgres:
    """The embedded database; somebody else's is backed up by its own tools."""
    postgres = stack.choose(config).postgres
    if postgres is None:
        raise Trouble("the database is at DATABASE_URL: back it up and restore it with that server's own tools")
    return postgres


def call(database: Postgres, program: str, *arguments: str) -> None:
    """Run one of PostgreSQL's programs as the superuser; raises Trouble with its last word."""
    command = [str(database.tree.program(program)), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, env=os.environ | database.superuser(), check=False)
    if done.returncode:
        raise Trouble(f"{program} failed: {(done.stderr.strip().splitlines() or ['unknown reason'])[-1]}")


def restore(arguments: Sequence[str]) -> int:
    """Put a backup in the place of what is there, which is moved aside, not deleted."""
    if not arguments:
        raise Trouble("which backup? make restore FILE=...")
    config, file = from_environment(), Path(arguments[0])
    demand_backup(file)
    with lock.hold(config.home):
        database = own_database(config)
        aside = move_aside(config.home, database)
        with tarfile.open(file) as tar:
            # Debian 12's Python knows no filters yet; `demand_backup` has looked at every name itself.
            tar.extraction_filter = getattr(tarfile, "data_filter", None)
            tar.extractall(config.home.root)  # noqa: S202 - as above
        say("restoring the database")
        load(config, database)
    say(f"restored from {file}; what was there before is in {aside}")
    return 0


def demand_backup(file: Path) -> None:
    """Raise Trouble where the file is none of ours, before anything is moved."""
    try:
        with tarfile.open(file) as tar:
            members = tar.getmembers()
    except (OSError, tarfile.TarError) as error:
        raise Trouble(f"{file} cannot be read as a backup: {error}") from error
    if DUMP not in [member.name for member in members] or not all(map(is_ours, members)):
        raise Trouble(f"{file} is no backup of iotpanel")


def is_ours(member: tarfile.TarInfo) -> bool:
    """A plain file or folder below one of the names that a backup holds."""
    parts = member.name.split("/")
    return (member.isreg() or member.isdir()) and ".." not in parts and (member.name == DUMP or parts[0] in KEPT)


def move_aside(home: Home, database: Postgres) -> Path:
    """Move the present state into a folder beside it."""
    name = time.strftime("before-restore-%Y%m%d-%H%M%S")
    aside = home.root / name
    for path in (database.data, home.root / "valkey", home.broker, home.stamps, *kept(home)):
        if path.exists():
            # Beside where it was: the database may live on another disk than the rest.
            (path.parent / name).mkdir(mode=0o700, exist_ok=True)
            path.replace(path.parent / name / path.name)
    home.make()
    return aside


def load(config: Config, database: Postgres) -> None:
    """Make a database anew, with the restored secrets, and load the dump into it."""
    watch.hold_signals()
    supervisor = Supervisor(config.home, watch.pause)
    dump = config.home.root / DUMP
    try:
        database.prepare()
        supervisor.start(database.part())
        database.make_role()
        timescale = database.tree.has_timescale and "timescaledb" in contents(database, dump)
        if timescale:
            database.psql("SET SESSION AUTHORIZATION iotpanel; CREATE EXTENSION timescaledb;", {}, "iotpanel")
            database.psql("SELECT timescaledb_pre_restore();", {}, "iotpanel")
        call(database, "pg_restore", "--dbname=iotpanel", "--exit-on-error", "--no-comments", str(dump))
        if timescale:
            database.psql("SELECT timescaledb_post_restore();", {}, "iotpanel")
    finally:
        supervisor.stop()
        dump.unlink(missing_ok=True)


def contents(database: Postgres, dump: Path) -> str:
    """The dump's table of contents."""
    command = [str(database.tree.program("pg_restore")), "--list", str(dump)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout
