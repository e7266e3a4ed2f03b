"""A process of the stack: its session, its rights, and its end together with the supervisor's."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from iotpanel.local.account import Account, database_account, namespaces_allowed
from iotpanel.local.home import Home
from iotpanel.local.part import Part, await_end, spawn
from tests.local.processes import SLEEP, is_alive, make_part
from tests.services import eventually

UNPRIVILEGED = [Account(uid=65534, gid=65534), *([Account(namespace=True)] if namespaces_allowed() else [])]
PARENT = """
import sys, time
from pathlib import Path
from iotpanel.local.account import database_account
from iotpanel.local.part import Part, spawn
account = database_account() if sys.argv[2] == "database" else Part("p", ()).account
part = Part("p", ("sleep", "600"), account=account)
print(spawn(part, Path(sys.argv[1])).pid, flush=True)
time.sleep(600)
"""


@pytest.mark.parametrize("rights", ["own", "database"])
def test_a_part_dies_with_a_killed_supervisor(tmp_path: Path, rights: str) -> None:
    command = [sys.executable, "-c", PARENT, str(tmp_path / "log"), rights]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        assert is_alive(child)

        parent.kill()

    eventually(lambda: not is_alive(child))


def test_a_part_has_a_session_of_its_own_so_that_ctrl_c_reaches_the_supervisor_only(home: Home) -> None:
    process = spawn(make_part(), home.log_file("sleeper"))
    try:
        assert os.getsid(process.pid) == process.pid != os.getsid(0)
    finally:
        process.kill()
        process.wait()


def test_a_part_hears_signals_that_the_supervisor_holds_back(home: Home) -> None:
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    try:
        process = spawn(make_part(), home.log_file("sleeper"))
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)

    process.terminate()

    assert await_end(process, 10)
    assert process.returncode == -signal.SIGTERM


def test_the_log_is_appended_to(home: Home) -> None:
    log = home.log_file("p")
    for word in ("first", "second"):
        spawn(make_part(code=f"print({word!r})"), log).wait()

    assert log.read_text().split() == ["first", "second"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has rights that the database must not have")
@pytest.mark.parametrize("account", UNPRIVILEGED, ids=str)
def test_the_database_has_no_rights_of_root(home: Home, account: Account) -> None:
    attempt = ("sh", "-c", "id -u; chown 1 /etc/hostname && echo root")
    spawn(Part("p", attempt, account=account), home.log_file("p")).wait()

    said = home.log_file("p").read_text()
    assert said.startswith("65534\nchown: ")
    assert "root" not in said


def test_the_database_account_is_never_root() -> None:
    account = database_account()

    assert os.geteuid() != 0 or account.namespace or account.uid


def test_open_files_of_the_supervisor_do_not_leak(home: Home) -> None:
    secret = (home.root / "secret").open("w")
    process = spawn(make_part(code=SLEEP), home.log_file("p"))
    try:
        opened = [path.resolve() for path in Path(f"/proc/{process.pid}/fd").iterdir()]
        assert Path(secret.name) not in opened
    finally:
        process.kill()
        process.wait()
        secret.close()
