"""What systemd hears from us, and what its unit promises about us."""

import configparser
import os
import re
import secrets
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from iotpanel.local import app, commands, part, prepare, servers, watch
from iotpanel.local.config import from_environment
from iotpanel.local.home import Home
from iotpanel.local.say import tell_systemd
from iotpanel.local.servers import Servers
from iotpanel.local.supervisor import Supervisor
from tests.local.processes import make_part
from tests.local.systemd import systemd_ear

UNIT = app.TOP / "deploy/iotpanel.service"
SECONDS = {"s": 1, "": 1, "min": 60}


def service() -> configparser.SectionProxy:
    parser = configparser.ConfigParser(strict=False, delimiters="=", interpolation=None)
    parser.optionxform = str  # type: ignore[assignment, method-assign]
    parser.read_string(UNIT.read_text())
    return parser["Service"]


@pytest.mark.parametrize("kind", ["path", "abstract"])
def test_systemd_hears_what_we_say(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    address = tmp_path / "notify" if kind == "path" else f"@iotpanel-{secrets.token_hex(8)}"
    with systemd_ear(address, monkeypatch) as heard:
        tell_systemd("READY=1")

        assert heard() == ["READY=1"]


def test_without_systemd_nothing_is_sent_and_nothing_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with systemd_ear(tmp_path / "notify", monkeypatch) as heard:
        for empty in (None, ""):
            monkeypatch.delenv("NOTIFY_SOCKET", raising=False) if empty is None else monkeypatch.setenv("NOTIFY_SOCKET", empty)
            tell_systemd("READY=1")

        assert heard() == []
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("address", ["/nowhere/notify", "@iotpanel-nobody", "/" + "x" * 200, "vsock:2:1234"])
def test_a_socket_that_nobody_reads_costs_a_line_and_not_the_platform(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], address: str
) -> None:
    monkeypatch.setenv("NOTIFY_SOCKET", address)

    tell_systemd("READY=1")

    assert re.fullmatch(r"iotpanel: systemd does not hear READY=1 at NOTIFY_SOCKET .+\n", capsys.readouterr().err)


def test_ready_is_said_once_people_can_use_it(home: Home, supervisor: Supervisor, monkeypatch: pytest.MonkeyPatch) -> None:
    """After web and uplink serve, before what nobody waits for."""
    with systemd_ear(home.run / "notify", monkeypatch) as heard:
        at_start: dict[str, list[str]] = {}
        monkeypatch.setattr(supervisor, "start", lambda *parts, **_: at_start.update({each.name: heard() for each in parts}))
        monkeypatch.setattr(prepare, "prepare", lambda *_: None)
        monkeypatch.setattr(prepare, "admin_password", lambda _: "secret")
        config = from_environment(
            {"IOTPANEL_HOME": str(home.root), "DEMO": "0", **dict.fromkeys(("DATABASE_URL", "REDIS_URL", "MQTT_URL"), "x")}
        )

        commands.start_app(Servers(config), supervisor)

    assert at_start == {"web": [], "uplink": [], "tasks": ["READY=1"], "beat": []}


@pytest.mark.parametrize(("asked", "told"), [(signal.SIGTERM, ["STOPPING=1"]), (watch.RESTART, [])])
def test_a_restart_for_a_new_version_is_no_stop(
    home: Home, supervisor: Supervisor, monkeypatch: pytest.MonkeyPatch, asked: int, told: list[str]
) -> None:
    """The new version takes the place of this very process: had systemd heard of a stop, it would end that one too."""
    monkeypatch.setattr(watch, "stop_asked", lambda *_: asked)
    with systemd_ear(home.run / "notify", monkeypatch) as heard:
        watch.watch(supervisor)

        assert heard() == told


def test_a_stop_while_it_still_starts_is_said_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "stop_asked", lambda *_: signal.SIGTERM)
    with systemd_ear(tmp_path / "notify", monkeypatch) as heard:
        with pytest.raises(watch.StopAsked):
            watch.pause(0)

        assert heard() == ["STOPPING=1"]


def test_the_parts_do_not_know_where_systemd_listens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NOTIFY_SOCKET", "@somewhere")

    given = part.environment(make_part(env={"OWN": "1"}))

    assert "NOTIFY_SOCKET" not in given
    assert given["OWN"] == "1"
    assert given["PATH"] == os.environ["PATH"]


def test_the_unit_waits_for_our_word_and_for_the_supervisor_alone() -> None:
    unit = service()

    assert (unit["Type"], unit["NotifyAccess"], unit["KillMode"]) == ("notify", "main", "mixed")
    assert unit["ExecStart"].split()[0].endswith("/python"), "no shell in between: READY has to come from the main process"
    assert unit["ExecStart"].endswith("-m iotpanel.local run")


def test_the_unit_gives_the_supervisor_the_time_that_its_parts_may_take(tmp_path: Path) -> None:
    config = from_environment({"IOTPANEL_HOME": str(tmp_path), "IOTPANEL_SERVERS": os.environ["IOTPANEL_SERVERS"]})
    chosen = servers.choose(config)
    ours = [server.part() for server in (chosen.postgres, chosen.valkey, chosen.mosquitto) if server is not None]
    parts = [*ours, *app.front(config, {}), *app.background({}), app.fleet({})]
    number, unit = re.fullmatch(r"(\d+)(\w*)", service()["TimeoutStopSec"]).groups()  # type: ignore[union-attr]

    assert len(ours) == 3
    assert int(number) * SECONDS[unit] > sum(each.patience for each in parts)


def test_systemd_itself_finds_no_fault_with_the_unit(tmp_path: Path) -> None:
    """Where there is a systemd to ask; our checkout is not in /opt, so another program stands in for ours."""
    analyze = shutil.which("systemd-analyze")
    text = UNIT.read_text().replace("/opt/iotpanel/.venv/bin/python", sys.executable).replace("User=iotpanel\n", "")
    assert text.count(sys.executable) == 1
    (tmp_path / "iotpanel.service").write_text(text)

    if analyze:
        done = subprocess.run(
            [analyze, "verify", "--man=no", str(tmp_path / "iotpanel.service")], capture_output=True, text=True, check=False
        )
        assert (done.returncode, done.stderr) == (0, "")
