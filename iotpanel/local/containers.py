"""What `deploy/compose.yaml` needs of the stack: the broker's files, written before the broker's container starts."""

import os
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import unquote, urlsplit

from iotpanel.local import certificates
from iotpanel.local.config import FURTHER_PORTS, port_of
from iotpanel.local.home import Home, write_private
from iotpanel.local.listeners import Listeners
from iotpanel.local.mosquitto import WORKER, Mosquitto
from iotpanel.local.say import Trouble, say
from iotpanel.local.tree import Tree

EVERYWHERE = "0.0.0.0"  # noqa: S104 - inside the container; compose decides what is published


def broker(_: Sequence[str]) -> int:
    """Write ``$IOTPANEL_HOME/broker`` for a Mosquitto in a container, with the worker's account out of ``MQTT_URL``."""
    home = Home(Path(os.environ.get("IOTPANEL_HOME") or ".iotpanel").absolute())
    home.make()
    home.secret_file("vapid-key")  # beside them, for all containers the same
    worker = urlsplit(os.environ.get("MQTT_URL", ""))
    if worker.username != WORKER or not worker.password:
        raise Trouble(f"set MQTT_URL to mqtt://{WORKER}:<password>@<host>:1884")
    keep_secret(home, "broker", unquote(worker.password))
    port = int(os.environ.get("IOTPANEL_MQTT_PORT") or 1883)
    Mosquitto(Tree(Path("/")), home, EVERYWHERE, "127.0.0.1", port, worker.port or 1884, EVERYWHERE, doors(home)).prepare()
    say(f"the broker's files are in {home.broker}")
    return 0


def doors(home: Home) -> Listeners:
    """The ports that compose publishes; those of TLS where there is a certificate."""
    on = certificates.is_on(home)
    asked = {door: port_of(os.environ, name, 0) for door, name in FURTHER_PORTS.items()}
    return Listeners(home.tls, **{door: port if on or door == "ws" else 0 for door, port in asked.items()})


def keep_secret(home: Home, name: str, value: str) -> None:
    """Keep a secret that was given to us; a changed one makes its hash anew."""
    if not (home.root / "secrets" / name).exists() or home.secret(name) != value:
        write_private(home.root / "secrets" / name, value + "\n")
        (home.root / "secrets" / f"{name}-hash").unlink(missing_ok=True)
