"""Logs, disk, leftovers, the lock."""

import os
import signal
from pathlib import Path

import pytest

from iotpanel.local import housekeeping, lock
from iotpanel.local.home import Home
from iotpanel.local.part import spawn
from iotpanel.local.say import Trouble
from tests.local.processes import is_alive, make_part
from tests.services import eventually


def test_a_long_log_is_kept_once_and_the_writer_goes_on(tmp_path: Path) -> None:
    log = tmp_path / "web.log"
    with log.open("ab", buffering=0) as writer:
        writer.write(b"old " * 100)
        housekeeping.rotate(log, most=100)
        writer.write(b"new")

    assert log.read_bytes() == b"new"
    assert (tmp_path / "web.log.1").read_bytes() == b"old " * 100


def test_a_short_log_is_left_alone(tmp_path: Path) -> None:
    log = tmp_path / "web.log"
    log.write_text("short")

    housekeeping.rotate(log, most=100)

    assert log.read_text() == "short"
    assert not (tmp_path / "web.log.1").exists()


@pytest.mark.parametrize(
    ("free", "total", "expected"),
    [(10**12, 10**13, False), (9 * 10**8, 10**12, True), (2 * 10**9, 10**12, False), (4 * 10**8, 10**10, True), (6 * 10**8, 10**10, False)],
)
def test_the_disk_is_nearly_full_below_a_gigabyte_or_a_twentieth(free: int, total: int, expected: bool) -> None:
    assert housekeeping.nearly_full(free, total) is expected


def test_the_warning_comes_once_an_hour(home: Home, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(housekeeping, "nearly_full", lambda free, total: True)
    monkeypatch.setattr(housekeeping, "warned_at", -housekeeping.WARN_EVERY)

    housekeeping.warn_of_full_disk(home)
    housekeeping.warn_of_full_disk(home)

    assert capsys.readouterr().err.count("nearly full") == 1


def leave_behind(home: Home) -> int:
    """A process of this home whose supervisor has forgotten it."""
    process = spawn(make_part(env={"IOTPANEL_HOME": str(home.root)}), home.log_file("web"))
    home.pid_file("web").write_text(f"{process.pid}\n")
    return process.pid


def test_a_leftover_of_this_home_is_found_and_ended(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(housekeeping, "LEFTOVER_SECONDS", 0.0)
    pid = leave_behind(home)
    assert list(housekeeping.leftovers(home)) == [pid]

    housekeeping.clear_leftovers(home)

    assert not is_alive(pid)
    assert not home.pid_file("web").exists()


def test_a_process_of_somebody_else_is_never_touched(home: Home, tmp_path: Path) -> None:
    other = Home(tmp_path / "other")
    other.make()
    pid = leave_behind(other)
    home.pid_file("web").write_text(f"{pid}\n")

    housekeeping.clear_leftovers(home)

    assert is_alive(pid)
    os.kill(pid, signal.SIGKILL)


def test_one_home_has_one_supervisor(home: Home) -> None:
    with lock.hold(home):
        assert lock.is_held(home)
        with pytest.raises(Trouble, match=f"already running in {home.root} .process {os.getpid()}"):
            lock.hold(home)

    assert not lock.is_held(home)


def test_the_lock_ends_with_its_holder(home: Home) -> None:
    code = f"""
import sys, time
from pathlib import Path
sys.path.insert(0, {str(Path.cwd())!r})
from iotpanel.local import lock
from iotpanel.local.home import Home
held = lock.hold(Home(Path({str(home.root)!r})))
time.sleep(600)
"""
    part = make_part(code=code)
    process = spawn(part, home.log_file("holder"))
    eventually(lambda: lock.is_held(home))

    process.kill()

    assert process.wait() == -signal.SIGKILL
    assert not lock.is_held(home)
