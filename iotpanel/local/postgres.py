"""PostgreSQL with TimescaleDB: its folder, its settings, its two roles."""

import os
import shutil
import signal
import subprocess
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from iotpanel.local.account import Account
from iotpanel.local.home import Home, write_private
from iotpanel.local.part import Part, prepare
from iotpanel.local.postgres_settings import demand_supported, locale_options, server_settings
from iotpanel.local.say import Trouble, say
from iotpanel.local.tree import Tree

ROLE = """\
SELECT 'CREATE ROLE iotpanel LOGIN CREATEDB' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'iotpanel') \\gexec
SELECT format('ALTER ROLE iotpanel PASSWORD %L', :'password') \\gexec
SELECT 'CREATE DATABASE iotpanel OWNER iotpanel' WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = 'iotpanel') \\gexec
"""
OUTDATED = """\
SELECT name FROM pg_available_extensions
WHERE name = 'timescaledb' AND installed_version IS NOT NULL AND installed_version <> default_version;
"""


@dataclass(frozen=True)
class Postgres:
    """The database of one home; ``place`` holds its data and is entered by ``account``."""

    tree: Tree
    home: Home
    place: Path
    account: Account
    port: int

    @property
    def data(self) -> Path:
        return self.place / "postgres"

    @property
    def url(self) -> str:
        """Address for the application: an owner of its database, no superuser."""
        return f"postgres://iotpanel:{self.home.secret('database')}@127.0.0.1:{self.port}/iotpanel"

    def part(self) -> Part:
        # SIGINT is PostgreSQL's fast shutdown; SIGTERM would wait for every client to leave.
        fast = signal.SIGINT
        argv = (str(self.tree.program("postgres")), "-D", str(self.data))
        return Part("postgres", argv, self.is_ready, stop_signal=fast, orphan_signal=fast, patience=60, account=self.account)

    def is_ready(self) -> bool:
        argv = [str(self.tree.program("pg_isready")), "-q", "-h", "127.0.0.1", "-p", str(self.port)]
        return subprocess.run(argv, check=False).returncode == 0

    def prepare(self) -> None:
        """Make the data folder at the first start, and write the settings."""
        demand_supported(self.version)
        if not (self.data / "PG_VERSION").exists():
            say("making the database" + (f" in {self.place}, which its account can enter" if self.place != self.home.root else ""))
            self.initialise()
        own = self.home.root / "postgresql.conf"
        settings = self.data / "postgresql.conf"
        write_private(settings, server_settings(self.version, port=self.port, own=own, timescale=self.tree.has_timescale))
        self.account.give(settings)

    def initialise(self) -> None:
        """Run initdb with the database's own rights; a half made folder of an interrupted start is removed first."""
        shutil.rmtree(self.data, ignore_errors=True)
        self.data.mkdir(parents=True, mode=0o700)
        password = self.data.with_name("postgres-superuser")
        write_private(password, self.home.secret("database-superuser"))
        for path in (self.data, password):
            self.account.give(path)
        options = ["-U", "postgres", "--pwfile", str(password), "-A", "scram-sha-256", "-E", "UTF8", "--no-instructions"]
        done = run_as(self.account, [str(self.tree.program("initdb")), "-D", str(self.data), *options, *locale_options(self.version)])
        password.unlink()
        if done.returncode:
            shutil.rmtree(self.data, ignore_errors=True)
            raise Trouble(f"initdb failed: {done.stderr.strip().splitlines()[-1:]}")

    @cached_property
    def version(self) -> int:
        """The major version of the programs."""
        answer = subprocess.run([str(self.tree.program("postgres")), "-V"], capture_output=True, text=True, check=True)
        return int(answer.stdout.split()[2].split(".")[0])

    def make_role(self) -> None:
        """Create the application's role and database where they are missing; give the role its password."""
        self.psql(ROLE, {"password": self.home.secret("database")})
        if self.tree.has_timescale and self.psql(OUTDATED, {}, "iotpanel").strip():
            # In a session of its own: the extension refuses it once its old library is loaded.
            self.psql("ALTER EXTENSION timescaledb UPDATE;", {}, "iotpanel")

    def psql(self, sql: str, variables: dict[str, str], database: str = "postgres") -> str:
        """Run SQL as the superuser; the values travel in the input, never in the list of processes."""
        sets = "".join(f"\\set {name} '{value}'\n" for name, value in variables.items())
        argv = [str(self.tree.program("psql")), "-qXAt", "-v", "ON_ERROR_STOP=1", database]
        done = subprocess.run(argv, input=sets + sql, capture_output=True, text=True, env=os.environ | self.superuser(), check=False)
        if done.returncode:
            raise Trouble(f"the database refused its set-up: {done.stderr.strip()}")
        return done.stdout

    def superuser(self) -> dict[str, str]:
        """Environment with which PostgreSQL's own programs sign in as the superuser."""
        where = {"PGHOST": "127.0.0.1", "PGPORT": str(self.port)}
        return where | {"PGUSER": "postgres", "PGPASSWORD": self.home.secret("database-superuser")}


def run_as(account: Account, argv: list[str]) -> subprocess.CompletedProcess[str]:
    """Run a program to its end with the account's rights."""
    shape = Part("once", tuple(argv), account=account)
    parent = os.getpid()
    return subprocess.run(
        argv,
        capture_output=True,
        text=True,
        check=False,
        cwd="/",
        user=account.uid,
        group=account.gid,
        extra_groups=[] if account.uid is not None else None,
        preexec_fn=lambda: prepare(shape, parent),
    )
