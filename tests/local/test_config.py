"""Settings of the stack: defaults, ports, and what switches a server off."""

import socket
from pathlib import Path

import pytest

from iotpanel.local import ports, servers
from iotpanel.local.config import Config, from_environment
from iotpanel.local.home import Home
from iotpanel.local.say import Trouble
from iotpanel.local.tree import Tree

URLS = {"DATABASE_URL": "postgres://db/x", "REDIS_URL": "redis://cache/0", "MQTT_URL": "mqtt://broker:1884"}


def make_config(root: Path, tree: Tree | None = None, **environ: str) -> Config:
    return from_environment({**home_of(root, tree), **environ})


def home_of(root: Path, tree: Tree | None) -> dict[str, str]:
    known = {"IOTPANEL_SERVERS": str(tree.root)} if tree else {}
    return {"IOTPANEL_HOME": str(root), **known}


def test_the_defaults_are_those_of_the_contract(tmp_path: Path) -> None:
    config = make_config(tmp_path)

    assert (config.bind, config.port, config.mqtt_port, config.demo) == ("127.0.0.1", 8000, 1883, True)
    assert config.packages == tmp_path / "packages"


def test_the_inner_ports_stay_the_same_from_start_to_start(tmp_path: Path) -> None:
    first, second = make_config(tmp_path), make_config(tmp_path)

    assert (first.db_port, first.cache_port, first.worker_port) == (second.db_port, second.cache_port, second.worker_port)
    assert len({first.db_port, first.cache_port, first.worker_port}) == 3


def test_an_inner_port_that_somebody_else_took_meanwhile_is_chosen_anew(tmp_path: Path) -> None:
    first = make_config(tmp_path)
    with socket.socket() as other:
        other.bind(("127.0.0.1", first.db_port))
        other.listen()
        assert make_config(tmp_path).db_port == first.db_port, "a running database is no reason to look elsewhere for it"

        ports.forget_taken(first.home.ports_file)
        second = make_config(tmp_path)

    assert second.db_port != first.db_port
    assert second.cache_port == first.cache_port


def test_an_inner_port_that_was_asked_for_is_used_and_remembered(tmp_path: Path) -> None:
    assert make_config(tmp_path, IOTPANEL_DB_PORT="5599").db_port == 5599
    assert make_config(tmp_path).db_port == 5599


@pytest.mark.parametrize("text", ["http", "-1", "65536", "80.5"])
def test_a_port_that_is_none_is_named(tmp_path: Path, text: str) -> None:
    with pytest.raises(Trouble, match="IOTPANEL_PORT"):
        make_config(tmp_path, IOTPANEL_PORT=text)


@pytest.mark.parametrize("word", ["0", "no", "off", "false"])
def test_the_fleet_can_be_left_out(tmp_path: Path, word: str) -> None:
    assert not make_config(tmp_path, DEMO=word).demo


@pytest.mark.parametrize(
    ("bind", "reach", "told"), [("127.0.0.1", "127.0.0.1", "127.0.0.1"), ("0.0.0.0", "127.0.0.1", ""), ("::", "::1", ""), ("10.0.0.5",) * 3]
)
def test_devices_are_told_an_address_that_they_can_use(tmp_path: Path, bind: str, reach: str, told: str) -> None:
    config = make_config(tmp_path, IOTPANEL_BIND=bind)

    assert (config.reach, config.mqtt_host) == (reach, told)


def test_all_three_urls_switch_the_whole_stack_off(tmp_path: Path) -> None:
    chosen = servers.choose(from_environment(home_of(tmp_path, None) | URLS))

    assert (chosen.tree, chosen.postgres, chosen.valkey, chosen.mosquitto) == (None, None, None, None)
    assert chosen.environment().items() >= URLS.items()


@pytest.mark.parametrize(("name", "server"), [("DATABASE_URL", "postgres"), ("REDIS_URL", "valkey"), ("MQTT_URL", "mosquitto")])
def test_each_url_switches_its_own_server_off(tmp_path: Path, tree: Tree, name: str, server: str) -> None:
    chosen = servers.choose(from_environment(home_of(tmp_path, tree) | {name: URLS[name]}))

    assert getattr(chosen, server) is None
    assert sum(part is not None for part in (chosen.postgres, chosen.valkey, chosen.mosquitto)) == 2
    assert chosen.environment()[name] == URLS[name]
    assert all(chosen.environment()[other].startswith(("postgres://", "redis://", "mqtt://")) for other in URLS)


def test_a_taken_port_is_said_in_one_line_that_names_the_setting(tmp_path: Path, tree: Tree) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        chosen = servers.choose(make_config(tmp_path, tree, IOTPANEL_MQTT_PORT=str(port)))

        with pytest.raises(Trouble) as trouble:
            servers.demand_ports(chosen)

    assert str(port) in str(trouble.value)
    assert "IOTPANEL_MQTT_PORT" in str(trouble.value)
    assert "\n" not in str(trouble.value)


def test_a_port_of_somebody_elses_server_is_not_demanded(tmp_path: Path, tree: Tree) -> None:
    chosen = servers.choose(from_environment(home_of(tmp_path, tree) | URLS))

    servers.demand_ports(chosen)


def test_secrets_are_private_long_and_kept(home: Home) -> None:
    first = home.secret("database")

    assert home.secret("database") == first
    assert len(first) >= 43
    assert home.secret("cache") != first
    assert home.secret_file("database").stat().st_mode & 0o777 == 0o600
    assert (home.root / "secrets").stat().st_mode & 0o777 == 0o700


def test_the_environment_file_is_private(tmp_path: Path, tree: Tree) -> None:
    config = make_config(tmp_path, tree)
    chosen = servers.choose(config)

    servers.write_environment(config.home, chosen.environment(), chosen.tree)

    assert config.home.env_file.stat().st_mode & 0o777 == 0o600
    assert f"export DATABASE_URL='{chosen.environment()['DATABASE_URL']}'" in config.home.env_file.read_text()
