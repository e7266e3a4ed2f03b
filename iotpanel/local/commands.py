"""What ``python -m iotpanel.local`` can do in the foreground: the servers alone, or everything."""

import os
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from iotpanel.local import app, housekeeping, lock, ports, prepare, watch
from iotpanel.local import servers as stack
from iotpanel.local.config import Config, from_environment
from iotpanel.local.say import say, tell_systemd
from iotpanel.local.servers import Servers
from iotpanel.local.supervisor import Supervisor


@contextmanager
def supervised() -> Iterator[tuple[Servers, Supervisor]]:
    """Running servers and their supervisor; everything is stopped at the end, whatever the end is.

    Raises StopAsked where somebody asked to stop while something still started.
    """
    home = from_environment().home
    os.environ["IOTPANEL_HOME"] = str(home.root)
    with lock.hold(home):
        housekeeping.clear_leftovers(home)
        ports.forget_taken(home.ports_file)
        servers = stack.choose(from_environment())
        watch.hold_signals()
        supervisor = Supervisor(home, watch.pause)
        try:
            stack.start(servers, supervisor)
            stack.write_environment(home, servers.environment(), servers.tree)
            yield servers, supervisor
        finally:
            supervisor.stop()


def servers(_: Sequence[str]) -> int:
    """Run only the servers."""
    with supervised() as (servers, supervisor):
        say(f"the servers are ready; their addresses: {servers.config.home.env_file}")
        tell_systemd("READY=1")
        watch.watch(supervisor)
    return 0


def run(_: Sequence[str]) -> int:
    """Run everything, and say so once a browser can use it."""
    demand_web_port(from_environment())
    with supervised() as (servers, supervisor):
        start_app(servers, supervisor)
        again = watch.watch(supervisor)
    if again:
        signal.pthread_sigmask(signal.SIG_SETMASK, [])
        os.execv(sys.executable, [sys.executable, "-m", "iotpanel.local", "run"])  # noqa: S606 - the new version of ourselves
    return 0


def start_app(servers: Servers, supervisor: Supervisor) -> None:
    """Bring the database up to date and start the application's parts, then the fleet, which needs a running uplink."""
    config = servers.config
    environment = app.base_environment(servers.environment())
    prepare.prepare(config.home, environment, supervisor.pause)
    say("starting web and uplink, then tasks and beat")
    supervisor.start(*app.front(config, environment))
    say(f"iotpanel is ready: {address(config)}  user: admin  password: {prepare.admin_password(config.home)}")
    tell_systemd("READY=1")
    supervisor.start(*app.background(environment), *([app.fleet(environment)] if config.demo else []))


def demand_web_port(config: Config) -> None:
    """Say at once that the web port is taken, unless this very home takes it: then the lock says more."""
    if not lock.is_held(config.home):
        ports.demand_free(config.port, config.bind, "IOTPANEL_PORT")


def address(config: Config) -> str:
    host = f"[{config.reach}]" if ":" in config.reach else config.reach
    return f"http://{host}:{config.port}"
