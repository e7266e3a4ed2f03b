"""The command in the foreground, as a person runs it: one line when ready, everything gone at the end."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from iotpanel.local.account import database_account, database_place
from iotpanel.local.config import INNER_PORTS
from iotpanel.local.home import Home
from tests.homes import environment_for
from tests.local.conftest import remove_outside
from tests.local.here import Here
from tests.local.processes import is_alive, mentions
from tests.local.systemd import systemd_ear
from tests.services import eventually

SERVERS = ("postgres", "valkey", "mosquitto")


@contextmanager
def foreground(home: Home, command: str = "servers", *, inner_ports: bool = True) -> Iterator[subprocess.Popen[str]]:
    """``python -m iotpanel.local servers``, killed with all it started if the test leaves it.

    Without ``inner_ports`` the home chooses the ports of its database, its cache and its workers by itself.
    """
    environment = {**os.environ, **environment_for(home.root)}
    for name in ("DATABASE_URL", "REDIS_URL", "MQTT_URL", *(() if inner_ports else INNER_PORTS)):
        environment.pop(name, None)
    output = (home.root / "output").open("w")
    process = subprocess.Popen(
        [sys.executable, "-m", "iotpanel.local", command], stdout=output, stderr=subprocess.STDOUT, text=True, env=environment
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        output.close()
        eventually(lambda: not mentions(str(home.root)))


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Home, subprocess.Popen[str]]]:
    """The home and the process of servers that run, for every test that leaves them running: a start costs seconds."""
    home = Home(tmp_path_factory.mktemp("foreground") / "a home")
    home.make()
    with foreground(home) as process:
        await_ready(home)
        yield home, process
    remove_outside(home)


@pytest.fixture
def ready(started: tuple[Home, subprocess.Popen[str]]) -> Home:
    """A home whose servers run."""
    return started[0]


def said(home: Home) -> str:
    return (home.root / "output").read_text()


def await_ready(home: Home) -> None:
    eventually(lambda: "the servers are ready" in said(home), seconds=60)


def pids(home: Home) -> dict[str, int]:
    return {name: int(home.pid_file(name).read_text()) for name in SERVERS}


def test_sigterm_stops_every_process_that_was_started_and_what_was_said_is_plain_lines_for_a_log(home: Home) -> None:
    with foreground(home) as process:
        await_ready(home)
        started = mentions(str(home.root))
        assert len(started) >= 4

        process.send_signal(signal.SIGTERM)

        assert process.wait(60) == 0
        assert mentions(str(home.root)) == []
        assert [path.name for path in home.run.glob("*.pid")] == ["supervisor.pid"]
    place = database_place(home.root, database_account())
    assert [line for line in said(home).splitlines() if line] == [
        "making the database" + (f" in {place}, which its account can enter" if place != home.root else ""),
        "starting postgres, valkey, mosquitto",
        f"the servers are ready; their addresses: {home.env_file}",
        "stopping",
    ]


def test_sigint_stops_cleanly_too_and_systemd_hears_of_both_from_us_alone(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """PostgreSQL and Mosquitto know systemd too: the whole service is not ready because one of them is."""
    with systemd_ear(home.run / "notify", monkeypatch) as heard, foreground(home) as process:
        await_ready(home)
        assert eventually(heard) == ["READY=1"]

        process.send_signal(signal.SIGINT)

        assert process.wait(60) == 0
        assert heard() == ["STOPPING=1"]
    assert "database system is shut down" in home.log_file("postgres").read_text()


def test_nothing_outlives_a_killed_supervisor_and_the_next_start_works(home: Home) -> None:
    with foreground(home) as process:
        await_ready(home)
        started = list(pids(home).values())

        process.kill()

        eventually(lambda: not any(map(is_alive, started)), seconds=30)
    with foreground(home):
        await_ready(home)


@pytest.mark.parametrize("part", SERVERS)
def test_a_killed_server_is_back_within_seconds(ready: Home, part: str) -> None:
    old = pids(ready)

    os.kill(old[part], signal.SIGKILL)

    eventually(lambda: pids(ready)[part] != old[part] and is_alive(pids(ready)[part]), seconds=20)
    eventually(lambda: f"{part} runs again" in said(ready))
    others = {name: pid for name, pid in pids(ready).items() if name != part}
    assert others == {name: pid for name, pid in old.items() if name != part}
    assert all(map(is_alive, others.values()))


def test_a_second_start_on_the_same_home_says_that_it_runs_already(started: tuple[Home, subprocess.Popen[str]]) -> None:
    home, first = started
    second = subprocess.run(
        [sys.executable, "-m", "iotpanel.local", "servers"],
        capture_output=True,
        text=True,
        env=os.environ | environment_for(home.root),
        check=False,
    )

    assert second.returncode == 1
    assert second.stderr == f"iotpanel: iotpanel is already running in {home.root} (process {first.pid})\n"


def test_a_stop_while_it_still_starts_leaves_nothing(home: Home) -> None:
    with foreground(home) as process:
        eventually(lambda: "starting postgres" in said(home), seconds=60)

        process.send_signal(signal.SIGTERM)

        assert process.wait(60) == 0
        assert mentions(str(home.root)) == []


def test_the_database_is_owned_by_a_role_without_rights_over_the_cluster(ready: Home) -> None:
    shell = f'. "{ready.env_file}"; psql -At "$DATABASE_URL" -c "select rolsuper, rolcreaterole from pg_roles where rolname = current_user"'
    answer = subprocess.run(["sh", "-c", shell], capture_output=True, text=True, check=True)
    extension = shell.split(" -c ")[0] + ' -c "create extension timescaledb" -c "select extversion from pg_extension"'
    made = subprocess.run(["sh", "-c", extension], capture_output=True, text=True, check=True)

    assert answer.stdout.strip() == "f|f"
    assert "CREATE EXTENSION" in made.stdout


def test_the_stack_asks_for_passwords(ready: Home) -> None:
    database = "psql -w $(echo $DATABASE_URL | sed 's#:[^:@]*@#@#') -c 'select 1'"
    cache = "valkey-cli -u $(echo $REDIS_URL | sed 's#//.*@#//#') ping"
    shell = f". '{ready.env_file}'; {database}; {cache}"
    answer = subprocess.run(["sh", "-c", shell], capture_output=True, text=True, check=False)

    assert "no password supplied" in answer.stderr
    assert "NOAUTH" in answer.stdout


def test_the_command_line_names_what_it_can_do(here: Here) -> None:
    answer = here("--help")

    assert answer.returncode == 0
    assert {"run", "servers", "test", "lint"} <= set(answer.stdout.replace(",", " ").replace("{", " ").replace("}", " ").split())


def test_what_follows_the_command_reaches_it_as_it_was_written(here: Here, tmp_path: Path) -> None:
    answer = here("restore", "--strange", "-k", "a or b", IOTPANEL_HOME=str(tmp_path))

    assert "--strange cannot be read" in answer.stderr
