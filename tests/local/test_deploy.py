"""The files of deploy/ as far as they can be tried without containers: the broker's files, the commands, the settings named."""

import os
import re
import subprocess
import sys
from pathlib import Path

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from iotpanel.local import app
from iotpanel.local.home import Home
from iotpanel.local.mosquitto import WORKER
from iotpanel.local.part import Part
from iotpanel.local.ports import accepts, free_port
from iotpanel.local.supervisor import Supervisor
from iotpanel.local.tree import Tree
from tests.services import eventually

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"


def broker_files(home: Home, **environ: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "iotpanel.local", "broker-files"]
    return subprocess.run(
        command, capture_output=True, text=True, env=os.environ | {"IOTPANEL_HOME": str(home.root)} | environ, check=False
    )


def test_a_container_s_broker_takes_the_worker_of_the_url(home: Home, tree: Tree, supervisor: Supervisor) -> None:
    devices, workers = free_port(), free_port()
    url = f"mqtt://{WORKER}:pass%2Fword@broker:{workers}"

    done = broker_files(home, MQTT_URL=url, IOTPANEL_MQTT_PORT=str(devices))
    assert done.returncode == 0, done.stderr
    argv = (str(tree.program("mosquitto")), "-c", str(home.broker / "mosquitto.conf"))
    supervisor.start(Part("mosquitto", argv, lambda: accepts(workers)))

    answers: list[str] = []
    client = mqtt.Client(CallbackAPIVersion.VERSION2)
    client.username_pw_set(WORKER, "pass/word")
    client.on_connect = lambda c, data, flags, reason, properties: answers.append(str(reason))
    client.connect("127.0.0.1", workers)
    client.loop_start()
    eventually(lambda: answers)
    client.disconnect()
    client.loop_stop()
    assert answers == ["Success"]
    assert accepts(devices)


def test_a_changed_password_is_taken_over(home: Home) -> None:
    url = f"mqtt://{WORKER}:%s@broker:1884"
    broker_files(home, MQTT_URL=url % "first")
    first = (home.broker / "ours-passwords").read_text()
    broker_files(home, MQTT_URL=url % "first")
    assert (home.broker / "ours-passwords").read_text() == first

    broker_files(home, MQTT_URL=url % "second")

    assert (home.broker / "ours-passwords").read_text() != first


@pytest.mark.parametrize("url", ["", "mqtt://broker:1884", "mqtt://somebody:x@broker:1884"])
def test_a_url_without_the_worker_is_refused(home: Home, url: str) -> None:
    done = broker_files(home, MQTT_URL=url)

    assert done.returncode == 1
    assert WORKER in done.stderr


@pytest.mark.parametrize("part", [app.uplink({})])
def test_compose_starts_the_uplink_as_the_supervisor_does(part: Part) -> None:
    written = re.search(r"command: \[(python, -m, celery, .*--uplink.*)\]", (DEPLOY / "compose.yaml").read_text())

    assert written is not None
    assert [word.strip('"') for word in written[1].split(", ")][1:] == list(part.argv)[1:]


def test_every_setting_that_deploy_names_exists() -> None:
    known = "".join(path.read_text() for path in Path(app.TOP / "iotpanel").rglob("*.py"))
    named = {name for path in DEPLOY.iterdir() for name in re.findall(r"\bIOTPANEL_[A-Z_]+\b", path.read_text())}

    assert len(named) > 10
    assert {name for name in named if name.removesuffix("_FILE") not in known} == set()
