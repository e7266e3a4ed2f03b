"""The files of deploy/ as far as they can be tried without containers: the broker's files, the commands, the settings named."""

import re
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt
import pytest
import yaml
from paho.mqtt.enums import CallbackAPIVersion

from iotpanel.local import app
from iotpanel.local.home import Home
from iotpanel.local.mosquitto import WORKER
from iotpanel.local.part import Part
from iotpanel.local.ports import accepts, free_port
from iotpanel.local.supervisor import Supervisor
from iotpanel.local.tree import Tree
from tests.local.here import Here
from tests.services import eventually

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"


def test_a_container_s_broker_takes_the_worker_of_the_url(home: Home, here: Here, tree: Tree, supervisor: Supervisor) -> None:
    devices, workers = free_port(), free_port()
    url = f"mqtt://{WORKER}:pass%2Fword@broker:{workers}"

    done = here("broker-files", IOTPANEL_HOME=str(home.root), MQTT_URL=url, IOTPANEL_MQTT_PORT=str(devices))
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


def test_a_changed_password_is_taken_over(home: Home, here: Here) -> None:
    url = f"mqtt://{WORKER}:%s@broker:1884"
    here("broker-files", IOTPANEL_HOME=str(home.root), MQTT_URL=url % "first")
    first = (home.broker / "ours-passwords").read_text()
    here("broker-files", IOTPANEL_HOME=str(home.root), MQTT_URL=url % "first")
    assert (home.broker / "ours-passwords").read_text() == first

    here("broker-files", IOTPANEL_HOME=str(home.root), MQTT_URL=url % "second")

    assert (home.broker / "ours-passwords").read_text() != first


@pytest.mark.parametrize("url", ["", "mqtt://broker:1884", "mqtt://somebody:x@broker:1884"])
def test_a_url_without_the_worker_is_refused(home: Home, here: Here, url: str) -> None:
    done = here("broker-files", IOTPANEL_HOME=str(home.root), MQTT_URL=url)

    assert done.returncode == 1
    assert WORKER in done.stderr


@pytest.mark.parametrize("part", [app.uplink({})])
def test_compose_starts_the_uplink_as_the_supervisor_does(part: Part) -> None:
    written = re.search(r"command: \[(python, -m, celery, .*--uplink.*)\]", (DEPLOY / "compose.yaml").read_text())

    assert written is not None
    assert [word.strip('"') for word in written[1].split(", ")][1:] == list(part.argv)[1:]


def compose() -> dict[str, dict[str, Any]]:
    services: dict[str, dict[str, Any]] = yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"]
    return services


def test_compose_runs_every_part_that_the_supervisor_runs() -> None:
    assert set(compose()) == {"database", "cache", "broker", "prepare", "uplink", "tasks", "beat", "web"}


def test_compose_gives_every_part_of_ours_the_same_addresses() -> None:
    ours = [service for service in compose().values() if "build" in service]

    assert len(ours) == 5
    assert all({"DATABASE_URL", "REDIS_URL", "MQTT_URL", "IOTPANEL_BROKER_DIR"} <= set(service["environment"]) for service in ours)
    assert all("data:/data" in service["volumes"] for service in [*ours, compose()["broker"]])


def test_compose_opens_nothing_to_the_network_unless_asked() -> None:
    published = {name: port for name, service in compose().items() for port in service.get("ports", [])}

    assert set(published) == {"web", "broker"}
    assert all(port.startswith("${IOTPANEL_BIND:-127.0.0.1}:") for port in published.values())
    assert ":1884" not in published["broker"], "the workers' listener stays inside"


def test_compose_lets_the_uplink_tell_the_broker_to_read_its_accounts() -> None:
    assert compose()["uplink"]["pid"] == "service:broker"
    assert compose()["broker"]["user"].split(":")[0] in (DEPLOY / "Dockerfile").read_text()


def test_compose_takes_the_edition_that_can_compress() -> None:
    """The images whose tag ends with -oss are the Apache edition."""
    image = compose()["database"]["image"]

    assert re.fullmatch(r"timescale/timescaledb:[0-9.]+-pg1[4-8]", image), image


def test_compose_asks_for_its_secrets() -> None:
    text = (DEPLOY / "compose.yaml").read_text()

    assert all(f"${{{name}:?" in text for name in ("DB_PASSWORD", "MQTT_PASSWORD", "SECRET_KEY", "ADMIN_PASSWORD"))


def test_every_setting_that_deploy_names_exists() -> None:
    known = "".join(path.read_text() for path in Path(app.TOP / "iotpanel").rglob("*.py"))
    named = {name for path in DEPLOY.iterdir() for name in re.findall(r"\bIOTPANEL_[A-Z_]+\b", path.read_text())}

    assert len(named) > 10
    assert {name for name in named if name.removesuffix("_FILE") not in known} == set()
