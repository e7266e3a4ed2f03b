"""``make test``: the suite on servers of its own beside a running iotpanel; ``make lint``: the checks."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from iotpanel.local import browser, counterparts, jars, watch
from iotpanel.local import servers as stack
from iotpanel.local.app import TOP, base_environment, manage
from iotpanel.local.commands import supervised
from iotpanel.local.config import FURTHER_PORTS, INNER_PORTS, from_environment
from iotpanel.local.home import Home
from iotpanel.local.ports import free_port
from iotpanel.local.say import Trouble, say
from iotpanel.local.servers import Servers
from iotpanel.local.supervisor import Supervisor

OWN_PORTS = ("IOTPANEL_PORT", "IOTPANEL_MQTT_PORT", *INNER_PORTS)
NOT_INHERITED = (
    "DATABASE_URL",
    "REDIS_URL",
    "MQTT_URL",
    *FURTHER_PORTS.values(),
    "IOTPANEL_BIND",
    "IOTPANEL_ADMIN_PASSWORD",
    "IOTPANEL_HTTPS",
    "IOTPANEL_ALLOWED_HOSTS",
)
BESIDE_EACH_OTHER = ("-n", "4", "--dist", "each")
"""Groups of tests run beside each other: see ``tests/groups.py``; ``-n 0`` is one by one."""
TWO_BESIDE_EACH_OTHER = ("-n", "2", "--dist", "each")
NO_WAITING = """
    ALTER SYSTEM SET fsync = off;
    SELECT pg_reload_conf();
    SELECT 'GRANT SET ON PARAMETER session_replication_role TO iotpanel' WHERE current_setting('server_version_num')::int >= 150000
    \\gexec
"""
"""Nobody needs the suite's own rows after a power failure, and they go without triggers; the flows' database is as in earnest."""
COMPILED = {"PYTHONDONTWRITEBYTECODE": ""}
"""pytest rewrites every assertion, which is most of what loading the tests takes: the next run finds them rewritten."""
REAL_SERVERS = "tests/rules/forwarders/real"
PROGRAMS = Path(sys.executable).parent
CHECKS: dict[str, tuple[str, ...]] = {
    "ruff": (str(PROGRAMS / "ruff"), "check", "."),
    "ruff format": (str(PROGRAMS / "ruff"), "format", "--check", "--diff", "-q", "."),
    "import-linter": (str(PROGRAMS / "lint-imports"), "--no-cache"),
    "duplicates": (sys.executable, "-m", "tests.duplicates"),
    "mypy": (str(PROGRAMS / "mypy"),),
    # It would like to ask a database too, and says so; the checks need none.
    "migrations": (sys.executable, "-W", "ignore::RuntimeWarning", *manage("makemigrations", "--check", "--dry-run")[1:]),
}


def test(arguments: Sequence[str]) -> int:
    """Run pytest with ``arguments`` on fresh servers; its exit code."""
    separate()
    config = from_environment()
    tools = browser.environment(config.home.root / "browser", config.packages, os.environ["PATH"])
    with supervised() as (servers, supervisor), beside(servers) as (others, their_supervisor):
        hurry(servers)
        environment = test_environment(servers, tools) | {"IOTPANEL_SERVERS_BESIDE": json.dumps(others.environment())}
        return follow(pytest(arguments, environment), supervisor, their_supervisor)


@contextmanager
def beside(servers: Servers) -> Iterator[tuple[Servers, Supervisor]]:
    """A second broker and cache, for the group of tests that shares nothing but the database's process with the first."""
    ours = servers.environment() | ({"IOTPANEL_SERVERS": str(servers.tree.root)} if servers.tree else {})
    home = Home(servers.config.home.root / "beside")
    ports = {name: str(free_port()) for name in ("IOTPANEL_MQTT_PORT", *INNER_PORTS)}
    others = stack.choose(from_environment(ours | {"IOTPANEL_HOME": str(home.root), "REDIS_URL": "", "MQTT_URL": ""} | ports))
    supervisor = Supervisor(home, watch.pause)
    try:
        stack.start(others, supervisor)
        yield others, supervisor
    finally:
        supervisor.stop()


def test_forwarders(arguments: Sequence[str]) -> int:
    """Run the forwarders' contract against the real servers of other makers; pytest's exit code."""
    separate()
    config = from_environment()
    foreign = counterparts.environment(config.home.root / "counterparts", config.packages)
    foreign |= jars.environment(TOP / REAL_SERVERS / "java", config.packages)
    where = [] if any(Path(word.partition("::")[0]).exists() for word in arguments) else [REAL_SERVERS]
    with supervised() as (servers, supervisor), beside(servers) as (others, their_supervisor):
        hurry(servers)
        environment = test_environment(servers, {"PATH": os.environ["PATH"]}) | foreign
        environment |= {"IOTPANEL_SERVERS_BESIDE": json.dumps(others.environment())}
        return follow(pytest([*TWO_BESIDE_EACH_OTHER, *where, *arguments], environment), supervisor, their_supervisor)


def hurry(servers: Servers) -> None:
    if servers.postgres is not None:
        servers.postgres.psql(NO_WAITING, {})


def separate() -> None:
    """A home and ports of its own, so that a running iotpanel is neither disturbed nor used."""
    packages = Path(os.environ.get("IOTPANEL_HOME") or TOP / ".iotpanel").absolute() / "packages"
    os.environ.setdefault("IOTPANEL_PACKAGES", str(packages))
    os.environ["IOTPANEL_HOME"] = os.environ.get("IOTPANEL_TEST_HOME") or str(TOP / ".iotpanel-test")
    for name in OWN_PORTS:
        os.environ[name] = str(free_port())
    for name in NOT_INHERITED:
        os.environ.pop(name, None)


def test_environment(servers: Servers, tools: dict[str, str]) -> dict[str, str]:
    """What the suite needs to know; the broker's own programs come first on the path."""
    environment = base_environment(servers.environment()) | tools | COMPILED
    if servers.tree is not None:
        environment["IOTPANEL_SERVERS"] = str(servers.tree.root)
        environment["PATH"] = f"{servers.tree.path}:{tools['PATH']}"
    environment["IOTPANEL_SERVICES_HOME"] = str(servers.config.home.root / "services")
    return environment


def pytest(arguments: Sequence[str], environment: dict[str, str]) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "pytest", *BESIDE_EACH_OTHER, *arguments]
    inherited = {name: value for name, value in os.environ.items() if name not in INNER_PORTS}
    return subprocess.Popen(command, cwd=TOP, env=inherited | environment, preexec_fn=accept_signals)


def accept_signals() -> None:
    """In the child: a shell's background job ignores SIGINT, by which pytest is asked to end."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, [])


def follow(process: subprocess.Popen[bytes], *supervisors: Supervisor) -> int:
    """Wait for pytest while the servers are watched; somebody's wish to stop is passed on, and pytest tidies up."""
    while process.poll() is None:
        if watch.stop_asked(watch.LOOK_EVERY):
            process.send_signal(signal.SIGINT)
        for supervisor in supervisors:
            supervisor.look()
    return process.returncode


def lint(_: Sequence[str]) -> int:
    """Run every check, say which failed; 1 where any did."""
    environment = os.environ | {"IOTPANEL_SECRET_KEY": "only-for-the-checks", "DJANGO_SETTINGS_MODULE": "iotpanel.settings"}
    failed = []
    for name, command in CHECKS.items():
        say(f"checking: {name}")
        if subprocess.run(command, cwd=TOP, env=environment, check=False).returncode:
            failed.append(name)
    if failed:
        raise Trouble(f"these checks failed: {', '.join(failed)}")
    return 0
