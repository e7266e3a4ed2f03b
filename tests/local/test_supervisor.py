"""The supervisor: start, restart with back-off, stop."""

import os
import signal
import time
from pathlib import Path

import pytest

from iotpanel.local.home import Home
from iotpanel.local.say import Trouble
from iotpanel.local.supervisor import Supervisor
from tests.local.processes import STUBBORN, WITH_CHILD, is_alive, make_part
from tests.services import eventually


def look_until_restarted(supervisor: Supervisor, name: str, old: int) -> int:
    def looked() -> int:
        supervisor.look()
        pid = supervisor.running[name].process.pid
        return pid if pid != old else 0

    return eventually(looked)


def test_it_writes_the_pid_file_and_removes_it(supervisor: Supervisor, home: Home) -> None:
    supervisor.start(make_part("web"))
    pid = int(home.pid_file("web").read_text())
    assert is_alive(pid)

    supervisor.stop()

    assert not is_alive(pid)
    assert not home.pid_file("web").exists()


def test_it_restarts_a_dead_part_and_says_so(supervisor: Supervisor, home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    supervisor.start(make_part("web"))
    old = supervisor.running["web"].process.pid

    os.kill(old, signal.SIGKILL)
    new = look_until_restarted(supervisor, "web", old)

    assert is_alive(new)
    assert int(home.pid_file("web").read_text()) == new
    said = capsys.readouterr()
    assert "web was ended by signal 9; starting it again in 0.5 s" in said.err
    assert f"web runs again (process {new})" in said.out


def test_it_waits_longer_each_time_a_part_fails_at_once(supervisor: Supervisor, capsys: pytest.CaptureFixture[str]) -> None:
    supervisor.start(make_part("web"))
    running = supervisor.running["web"]
    for _ in range(10):
        running.process.kill()
        running.process.wait()
        supervisor.note_death(running)
        running.retry_at = None

    pauses = [line.rsplit(" ", 2)[1] for line in capsys.readouterr().err.splitlines()]
    assert pauses == ["0.5", "1", "2", "4", "8", "16", "30", "30", "30", "30"]


def test_a_part_that_lived_long_starts_again_at_once(supervisor: Supervisor) -> None:
    supervisor.start(make_part("web"))
    running = supervisor.running["web"]
    running.failures, running.since = 7, time.monotonic() - 3600
    running.process.kill()
    running.process.wait()

    supervisor.note_death(running)

    assert running.failures == 1


def test_one_part_does_not_stop_the_others_from_being_restarted(supervisor: Supervisor) -> None:
    supervisor.start(make_part("web"), make_part("tasks"))
    old = supervisor.running["tasks"].process.pid
    web = supervisor.running["web"].process.pid

    os.kill(old, signal.SIGKILL)
    look_until_restarted(supervisor, "tasks", old)

    assert supervisor.running["web"].process.pid == web


def test_a_part_that_ends_while_starting_is_trouble_with_its_last_words(supervisor: Supervisor) -> None:
    with pytest.raises(Trouble, match="web does not start: no such table"):
        supervisor.start(make_part("web", "print('first line'); print('no such table')", ready=lambda: False))


def test_a_part_that_never_serves_is_trouble(supervisor: Supervisor) -> None:
    with pytest.raises(Trouble, match="web does not start: it said nothing"):
        supervisor.start(make_part("web", ready=lambda: False), seconds=0.2)


def test_stop_ends_the_last_stage_first(supervisor: Supervisor, tmp_path: Path) -> None:
    order = tmp_path / "order"
    code = "import signal, sys, time\nsignal.signal(signal.SIGTERM, lambda *_: (open({order!r}, 'a').write({name!r}), sys.exit()))\n"
    for name in ("database ", "web "):
        started = tmp_path / name.strip()
        body = code.format(order=str(order), name=name) + f"open({str(started)!r}, 'w')\ntime.sleep(600)"
        supervisor.start(make_part(name.strip(), body, ready=started.exists))

    supervisor.stop()

    assert order.read_text() == "web database "


def test_stop_kills_what_a_part_leaves_behind(supervisor: Supervisor, home: Home) -> None:
    supervisor.start(make_part("web", WITH_CHILD))
    child = int(eventually(lambda: home.log_file("web").read_text()))
    assert is_alive(child)

    supervisor.stop()

    eventually(lambda: not is_alive(child))


def test_a_part_that_does_not_want_to_end_is_killed_and_that_is_said(
    supervisor: Supervisor, home: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    supervisor.start(make_part("web", STUBBORN, patience=0.2))
    eventually(lambda: "deaf" in home.log_file("web").read_text())
    pid = supervisor.running["web"].process.pid

    supervisor.stop()

    assert not is_alive(pid)
    assert "web did not end within 0.2 s and was killed" in capsys.readouterr().err


def test_a_stopped_part_stays_stopped(supervisor: Supervisor) -> None:
    supervisor.start(make_part("web"), make_part("tasks"))

    part = supervisor.stop_part("web")
    supervisor.look()

    assert part.name == "web"
    assert list(supervisor.running) == ["tasks"]


def test_a_wish_to_stop_ends_the_waiting(home: Home) -> None:
    class Enough(Exception):
        pass

    def pause(_: float) -> None:
        raise Enough

    supervisor = Supervisor(home, pause)
    with pytest.raises(Enough):
        supervisor.start(make_part("web", ready=lambda: False))
    pid = supervisor.running["web"].process.pid
    supervisor.stop()
    assert not is_alive(pid)
