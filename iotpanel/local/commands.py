"""What ``python -m iotpanel.local`` can do in the foreground: the servers alone, or everything."""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from iotpanel.local import app, housekeeping, lock, prepare, watch
from iotpanel.local import servers as stack
from iotpanel.local.config import Config, from_environment
from iotpanel.local.ports import demand_free
from iotpanel.local.say import say
from iotpanel.local.servers import Servers
from iotpanel.local.supervisor import Supervisor


@contextmanager
def supervised(config: Config) -> Iterator[tuple[Servers, Supervisor]]:
    """Running servers and their supervisor; everything is stopped at the end, whatever the end is.

    Raises StopAsked where somebody asked to stop while something still started.
    """
    os.environ["IOTPANEL_HOME"] = str(config.home.root)
    with lock.hold(config.home):
        housekeeping.clear_leftovers(config.home)
        servers = stack.choose(config)
        watch.hold_signals()
        supervisor = Supervisor(config.home, watch.pause)
        try:
            stack.start(servers, supervisor)
            stack.write_environment(config, servers.environment(), servers.tree)
            yield servers, supervisor
        finally:
            say("stopping")
            supervisor.stop()


def servers(_: Sequence[str]) -> int:
    """Run only the servers."""
    config = from_environment()
    with supervised(config) as (_servers, supervisor):
        say(f"the servers are ready; their addresses: {config.home.env_file}")
        watch.watch(supervisor)
    return 0


def run(_: Sequence[str]) -> int:
    """Run everything, and say so once a browser can use it."""
    config = from_environment()
    demand_web_port(config)
    with supervised(config) as (chosen, supervisor):
        password = prepare.admin_password(config.home, os.environ.get("IOTPANEL_ADMIN_PASSWORD"))
        environment = app.base_environment(chosen.environment()) | {"IOTPANEL_ADMIN_PASSWORD_FILE": str(password)}
        prepare.prepare(config.home, environment, watch.pause)
        start_app(config, environment, supervisor)
        say(f"iotpanel is ready: {address(config)}  user: admin  password: {password.read_text().strip()}")
        watch.watch(supervisor)
    return 0


def start_app(config: Config, environment: Mapping[str, str], supervisor: Supervisor) -> None:
    """Start the application's parts, then the fleet, which needs a running uplink."""
    say("starting web, uplink, tasks and beat")
    supervisor.start(*app.app_parts(config, environment))
    if config.demo:
        supervisor.start(app.fleet(environment))


def demand_web_port(config: Config) -> None:
    """Say at once that the web port is taken, unless this very home takes it: then the lock says more."""
    if not lock.is_held(config.home):
        demand_free(config.port, config.bind, "IOTPANEL_PORT")


def address(config: Config) -> str:
    host = f"[{config.reach}]" if ":" in config.reach else config.reach
    return f"http://{host}:{config.port}"
