"""The three servers: those that no ``*_URL`` of the environment replaces, and the addresses of all of them."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from iotpanel.local import certificates, listeners
from iotpanel.local.account import database_account, database_place
from iotpanel.local.config import Config
from iotpanel.local.home import Home, write_private
from iotpanel.local.mosquitto import Mosquitto
from iotpanel.local.part import Part
from iotpanel.local.ports import demand_free
from iotpanel.local.postgres import Postgres
from iotpanel.local.say import say
from iotpanel.local.supervisor import Supervisor
from iotpanel.local.tree import Tree, server_tree
from iotpanel.local.valkey import Valkey


@dataclass
class Servers:
    """What of the embedded stack runs here; a server that is None is somebody else's."""

    config: Config
    tree: Tree | None = None
    postgres: Postgres | None = None
    mosquitto: Mosquitto | None = None
    valkey: Valkey | None = None
    parts: list[Part] = field(default_factory=list)

    def environment(self) -> dict[str, str]:
        """What every other part needs to know."""
        config = self.config
        return {
            "DATABASE_URL": self.postgres.url if self.postgres else config.database_url,
            "REDIS_URL": self.valkey.url if self.valkey else config.redis_url,
            "MQTT_URL": self.mosquitto.url if self.mosquitto else config.mqtt_url,
            **({"IOTPANEL_MQTT_CLIENT_ID": self.mosquitto.client_id} if self.mosquitto else {}),
            "IOTPANEL_HOME": str(config.home.root),
            "IOTPANEL_PACKAGES": str(config.packages),
            "IOTPANEL_SECRET_KEY_FILE": str(config.home.secret_file("secret-key")),
            "IOTPANEL_VAPID_KEY_FILE": str(config.home.secret_file("vapid-key")),
            "IOTPANEL_BROKER_DIR": str(config.home.broker),
            "IOTPANEL_BIND": config.bind,
            "IOTPANEL_PORT": str(config.port),
            "IOTPANEL_MQTT_PORT": str(config.mqtt_port),
            "IOTPANEL_MQTT_HOST": config.mqtt_host,
            "IOTPANEL_TLS_DIR": str(config.home.tls),
            **(self.mosquitto.listeners.environment() if self.mosquitto else {}),
        }


def choose(config: Config) -> Servers:
    """Unpack the programs if any server is ours, and describe those that are."""
    servers = Servers(config)
    if config.database_url and config.redis_url and config.mqtt_url:
        return servers
    account = database_account()
    place = database_place(config.home.root, account)
    tree = servers.tree = Tree(config.servers) if config.servers else server_tree(place / "servers", config.packages)
    if not config.database_url:
        servers.postgres = Postgres(tree, config.home, place, account, config.db_port)
    if not config.redis_url:
        servers.valkey = Valkey(tree, config.home, config.cache_port)
    if not config.mqtt_url:
        certificates.ensure(config.home, certificates.reachable(config))
        doors = listeners.choose(config)
        servers.mosquitto = Mosquitto(tree, config.home, config.bind, config.reach, config.mqtt_port, config.worker_port, listeners=doors)
    return servers


def demand_ports(servers: Servers) -> None:
    """Raise Trouble for the first taken port of a server that is ours."""
    config = servers.config
    wanted = [
        (servers.mosquitto, config.mqtt_port, config.bind, "IOTPANEL_MQTT_PORT"),
        (servers.mosquitto, config.worker_port, "127.0.0.1", "IOTPANEL_MQTT_WORKER_PORT"),
        (servers.postgres, config.db_port, "127.0.0.1", "IOTPANEL_DB_PORT"),
        (servers.valkey, config.cache_port, "127.0.0.1", "IOTPANEL_CACHE_PORT"),
    ]
    for server, port, host, setting in wanted:
        if server is not None:
            demand_free(port, host, setting)


def start(servers: Servers, supervisor: Supervisor) -> None:
    """Prepare and start our servers, the database first, and wait until all of them serve."""
    demand_ports(servers)
    ours = [server for server in (servers.postgres, servers.valkey, servers.mosquitto) if server is not None]
    for server in ours:
        server.prepare()
    servers.parts = [server.part() for server in ours]
    say("starting " + ", ".join(part.name for part in servers.parts))
    supervisor.start(*servers.parts)
    if servers.postgres is not None:
        servers.postgres.make_role()


def write_environment(home: Home, environment: Mapping[str, str], tree: Tree | None) -> None:
    """Keep the addresses in ``$IOTPANEL_HOME/env``, for a shell that wants to talk to this stack."""
    lines = [f"export {name}='{value}'" for name, value in environment.items()]
    if tree is not None:
        lines.append(f'export PATH="{tree.path}:$PATH"')
    write_private(home.env_file, "\n".join(lines) + "\n")
