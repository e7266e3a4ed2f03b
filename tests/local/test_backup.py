"""Backup and restore: the database, the broker's queue and the secrets come back, and nothing is lost on the way."""

import io
import os
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from iotpanel.local import backup
from iotpanel.local.account import database_account, database_place
from iotpanel.local.config import INNER_PORTS
from iotpanel.local.home import Home
from iotpanel.local.say import Trouble
from tests.homes import environment_for
from tests.local.conftest import remove_outside
from tests.local.here import Here
from tests.local.test_foreground import await_ready, foreground

ROWS = """
create extension timescaledb;
create table readings (at timestamptz not null, value jsonb);
select create_hypertable('readings', 'at');
insert into readings select '2026-01-01'::timestamptz + n * interval '1 hour', jsonb_build_object('n', n) from generate_series(1, 1000) n;
"""
COUNT = "select count(*), sum((value->>'n')::int), count(distinct tableoid) from readings"


def local(home: Home, *arguments: str) -> subprocess.CompletedProcess[str]:
    """``python -m iotpanel.local``, with the servers of the suite."""
    environment = {name: value for name, value in os.environ.items() if name not in {"DATABASE_URL", "REDIS_URL", "MQTT_URL"}}
    command = [sys.executable, "-m", "iotpanel.local", *arguments]
    return subprocess.run(command, capture_output=True, text=True, env=environment | environment_of(home), check=False)


def environment_of(home: Home) -> dict[str, str]:
    """As at the first start, but for the ports: a second command must find the running servers by itself."""
    return {name: value for name, value in environment_for(home.root).items() if name not in INNER_PORTS}


def psql(home: Home, sql: str) -> str:
    shell = f'. "{home.env_file}"; exec psql -XAtq -v ON_ERROR_STOP=1 "$DATABASE_URL"'
    return subprocess.run(["sh", "-c", shell], input=sql, capture_output=True, text=True, check=True).stdout.strip()


def test_everything_comes_back_elsewhere_and_not_over_what_runs(home: Home, tmp_path: Path) -> None:
    file, elsewhere = tmp_path / "saved.tar", Home(tmp_path / "elsewhere")
    with foreground(home, inner_ports=False):
        await_ready(home)
        psql(home, ROWS)
        before = psql(home, COUNT)
        (home.root / "files").mkdir()
        (home.root / "files/firmware.bin").write_bytes(b"image")
        done = local(home, "backup", str(file))
        assert done.returncode == 0, done.stderr
        over = local(home, "restore", str(file))
        assert (over.returncode, "already running" in over.stderr) == (1, True)
        assert psql(home, COUNT) == before

    restored = local(elsewhere, "restore", str(file))

    assert restored.returncode == 0, restored.stderr
    assert (elsewhere.root / "files/firmware.bin").read_bytes() == b"image"
    assert elsewhere.secret("secret-key") == home.secret("secret-key")
    assert (elsewhere.root / "admin-password").exists() == (home.root / "admin-password").exists()
    with foreground(elsewhere, inner_ports=False):
        await_ready(elsewhere)
        assert psql(elsewhere, COUNT) == before
        assert before.split("|")[0] == "1000"
        assert psql(elsewhere, "insert into readings values (now(), '{}') returning 1") == "1"
        assert psql(elsewhere, "select count(*) from timescaledb_information.hypertables") == "1"
    remove_outside(elsewhere)


def test_a_backup_of_stopped_servers_starts_them_and_what_was_there_is_moved_aside_not_deleted(home: Home) -> None:
    done = local(home, "backup")

    assert done.returncode == 0, done.stderr
    (file,) = (home.root / "backups").glob("*.tar")
    assert file.stat().st_mode & 0o777 == 0o600
    with tarfile.open(file) as tar:
        assert tar.getnames()[0] == backup.DUMP
    assert not (home.root / backup.DUMP).exists()
    (home.root / "admin-password").write_text("later")

    done = local(home, "restore", str(file))

    assert done.returncode == 0, done.stderr
    (aside,) = home.root.glob("before-restore-*")
    place = database_place(home.root, database_account())
    assert (place / aside.name / "postgres/PG_VERSION").exists()
    assert (aside / "admin-password").read_text() == "later"


def make_tar(file: Path, *names: str) -> Path:
    with tarfile.open(file, "w") as tar:
        for name in names:
            tar.addfile(tarfile.TarInfo(name), io.BytesIO())
    return file


@pytest.mark.parametrize(
    "names",
    [
        ("database.dump", "../../etc/passwd"),
        ("database.dump", "/etc/passwd"),
        ("database.dump", "secrets/../../x"),
        ("secrets/database",),
        (),
    ],
)
def test_a_file_that_is_no_backup_is_refused_before_anything_moves(home: Home, tmp_path: Path, names: tuple[str, ...]) -> None:
    file = make_tar(tmp_path / "strange.tar", *names)

    with pytest.raises(Trouble, match="no backup of iotpanel"):
        backup.demand_backup(file)


def test_a_link_in_a_backup_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "strange.tar"
    with tarfile.open(file, "w") as tar:
        tar.addfile(tarfile.TarInfo("database.dump"), io.BytesIO())
        link = tarfile.TarInfo("files")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc"
        tar.addfile(link)

    with pytest.raises(Trouble, match="no backup of iotpanel"):
        backup.demand_backup(file)


def test_a_missing_file_is_named(home: Home, here: Here) -> None:
    done = here("restore", "/nowhere/saved.tar", **environment_of(home), DATABASE_URL=None, REDIS_URL=None, MQTT_URL=None)

    assert done.returncode == 1
    assert "/nowhere/saved.tar cannot be read" in done.stderr
    assert not list(home.root.glob("before-restore-*"))


def test_somebody_elses_database_is_left_to_its_own_tools(home: Home, here: Here) -> None:
    elsewhere = {"DATABASE_URL": "postgres://db/x", "REDIS_URL": "redis://c/0", "MQTT_URL": "mqtt://b"}

    done = here("backup", **environment_of(home) | elsewhere)

    assert done.returncode == 1
    assert "DATABASE_URL" in done.stderr
