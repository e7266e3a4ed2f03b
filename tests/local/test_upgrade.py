"""After a new version: fresh packages, a restart of what runs; and the shell."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from iotpanel.local import lock, tree, upgrade, watch
from iotpanel.local.home import Home
from iotpanel.local.supervisor import Supervisor
from tests.local.processes import make_part
from tests.services import eventually


@pytest.fixture
def fetched(home: Home, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was fetched anew."""
    kinds: list[str] = []
    monkeypatch.setattr(tree, "fetch", lambda packages, kind, names: kinds.append(kind))
    monkeypatch.setenv("IOTPANEL_HOME", str(home.root))
    for name in ("DATABASE_URL", "REDIS_URL", "MQTT_URL"):
        monkeypatch.delenv(name, raising=False)
    return kinds


def test_a_stopped_platform_takes_the_new_version_at_its_next_start(fetched: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert upgrade.upgrade([]) == 0

    assert fetched == ["servers"]
    assert "make run" in capsys.readouterr().out


def test_foreign_servers_are_not_ours_to_upgrade(fetched: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DATABASE_URL", "REDIS_URL", "MQTT_URL"):
        monkeypatch.setenv(name, "somewhere://else")

    upgrade.upgrade([])

    assert fetched == []


def test_a_running_platform_is_told_to_start_again(home: Home, fetched: list[str], tmp_path: Path) -> None:
    told = tmp_path / "told"
    code = f"""
import sys
sys.path.insert(0, {str(Path.cwd())!r})
from pathlib import Path
from iotpanel.local import lock, watch
from iotpanel.local.home import Home
from iotpanel.local.supervisor import Supervisor
home = Home(Path({str(home.root)!r}))
with lock.hold(home):
    watch.hold_signals()
    print("watching", flush=True)
    Path({str(told)!r}).write_text(str(watch.watch(Supervisor(home))))
"""
    supervisor = Supervisor(home)
    supervisor.start(make_part("platform", code))
    eventually(lambda: "watching" in home.log_file("platform").read_text() and lock.is_held(home))

    upgrade.upgrade([])

    eventually(told.exists)
    eventually(lambda: told.read_text() == "True")
    supervisor.stop()


def test_a_wish_to_stop_is_no_wish_to_start_again(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "stop_asked", lambda seconds: next(iter(watch.STOPPERS - {watch.RESTART})))

    assert watch.watch(Supervisor(home)) is False


def run_shell(home: Home, program: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"IOTPANEL_HOME": str(home.root), "SHELL": program}
    return subprocess.run([sys.executable, "-m", "iotpanel.local", "shell"], capture_output=True, text=True, env=environment, check=False)


def test_the_shell_knows_the_addresses_and_our_python(home: Home) -> None:
    home.env_file.write_text("export DATABASE_URL='postgres://here/x'\n")

    answer = run_shell(home, "/usr/bin/env")

    assert "DATABASE_URL=postgres://here/x" in answer.stdout.splitlines()
    assert any(line.startswith(f"PATH={Path(sys.executable).parent}:") for line in answer.stdout.splitlines())


def test_without_a_stack_the_shell_says_so(home: Home) -> None:
    answer = run_shell(home, "/usr/bin/env")

    assert answer.returncode == 1
    assert "make run" in answer.stderr
