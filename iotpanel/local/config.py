"""What the environment asks of the stack; every setting has a default, a wrong value is one clear line."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from iotpanel.local.home import Home
from iotpanel.local.ports import remembered_port
from iotpanel.local.say import Trouble

FURTHER_PORTS = {
    "mqtts": "IOTPANEL_MQTTS_PORT",
    "ws": "IOTPANEL_MQTT_WS_PORT",
    "wss": "IOTPANEL_MQTT_WSS_PORT",
    "cert": "IOTPANEL_MQTT_CERT_PORT",
}
INNER_PORTS = ("IOTPANEL_MQTT_WORKER_PORT", "IOTPANEL_DB_PORT", "IOTPANEL_CACHE_PORT")
WILDCARDS = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - the names of "every address", not a wish to bind there


@dataclass(frozen=True)
class Config:
    """Settings of one stack; ports and addresses are those that it listens on.

    ``servers`` is a folder of programs that are unpacked already; ``mqtt_host`` is what devices are told, empty where
    that depends on how the person reached the page.
    """

    home: Home
    packages: Path
    servers: Path | None
    bind: str
    port: int
    mqtt_port: int
    worker_port: int
    db_port: int
    cache_port: int
    demo: bool
    database_url: str
    redis_url: str
    mqtt_url: str
    mqtt_host: str
    listeners: dict[str, int] = field(default_factory=dict)
    """The further doors of the broker that were asked for (0: not wanted); see listeners.py."""

    @property
    def reach(self) -> str:
        """The address under which this machine itself reaches what listens on ``bind``."""
        return WILDCARDS.get(self.bind, self.bind)


def from_environment(environ: Mapping[str, str] = os.environ) -> Config:
    """Read the settings; raises Trouble for a port that is none."""
    home = Home(Path(environ.get("IOTPANEL_HOME") or ".iotpanel").absolute())
    home.make()
    bind = environ.get("IOTPANEL_BIND") or "127.0.0.1"
    inner = {name: inner_port(environ, home, name) for name in INNER_PORTS}
    return Config(
        home=home,
        packages=Path(environ.get("IOTPANEL_PACKAGES") or home.root / "packages").absolute(),
        servers=Path(unpacked).absolute() if (unpacked := environ.get("IOTPANEL_SERVERS")) else None,
        bind=bind,
        port=port_of(environ, "IOTPANEL_PORT", 8000),
        mqtt_port=port_of(environ, "IOTPANEL_MQTT_PORT", 1883),
        worker_port=inner["IOTPANEL_MQTT_WORKER_PORT"],
        db_port=inner["IOTPANEL_DB_PORT"],
        cache_port=inner["IOTPANEL_CACHE_PORT"],
        demo=environ.get("DEMO", "1") not in {"0", "no", "off", "false"},
        database_url=environ.get("DATABASE_URL", ""),
        redis_url=environ.get("REDIS_URL", ""),
        mqtt_url=environ.get("MQTT_URL", ""),
        mqtt_host=environ.get("IOTPANEL_MQTT_HOST") or ("" if bind in WILDCARDS else bind),
        listeners={door: port_of(environ, name, 0) for door, name in FURTHER_PORTS.items() if environ.get(name)},
    )


def inner_port(environ: Mapping[str, str], home: Home, name: str) -> int:
    """A loopback port that people rarely meet: the one asked for, or any free one, the same at each start if possible.

    One that was asked for is remembered too, so that ``make backup`` finds the database without being told.
    """
    return remembered_port(home.ports_file, name, asked=port_of(environ, name, 0))


def port_of(environ: Mapping[str, str], name: str, default: int) -> int:
    text = environ.get(name) or str(default)
    if not text.isdigit() or int(text) > 65535:
        raise Trouble(f"{name} is {text!r}: it must be a port number")
    return int(text)
