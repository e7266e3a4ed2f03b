"""The application's own processes: web, uplink, tasks, beat, and the simulated fleet."""

import http.client
import os
import sys
from collections.abc import Mapping
from pathlib import Path

from iotpanel.local.config import Config
from iotpanel.local.part import Part

TOP = Path(__file__).resolve().parents[2]
"""The folder that holds manage.py."""
PYTHON = sys.executable
CELERY = (PYTHON, "-m", "celery", "-A", "iotpanel")


def manage(*arguments: str) -> tuple[str, ...]:
    """The command line of one of Django's commands."""
    return (PYTHON, str(TOP / "manage.py"), *arguments)


def front(config: Config, environment: Mapping[str, str]) -> list[Part]:
    """What devices and people talk to. Their state is in the servers, so that the kernel may kill them with their supervisor."""
    return [web(config, environment), uplink(environment)]


def background(environment: Mapping[str, str]) -> list[Part]:
    """What nobody waits for at the start. Each process costs seconds of a core to start, so these come after the front."""
    return [
        Part("tasks", (*CELERY, "worker", "-n", "tasks@%h", "--pool", "threads", "-c", "4", "-l", "INFO", *QUIET), env=environment),
        Part("beat", (*CELERY, "beat", "-l", "INFO"), env=environment),
    ]


QUIET = ("--without-gossip", "--without-mingle")
"""Workers of one platform have nothing to tell each other."""


def uplink(environment: Mapping[str, str]) -> Part:
    argv = (*CELERY, "worker", "--uplink", "-n", "uplink@%h", "-Q", "uplink", "--pool", "solo", "-l", "INFO", *QUIET)
    return Part("uplink", argv, env=environment)


def web(config: Config, environment: Mapping[str, str]) -> Part:
    argv = (PYTHON, "-m", "daphne", "-b", config.bind, "-p", str(config.port), "--no-server-name", "-v", "0", "iotpanel.asgi:application")
    return Part("web", argv, lambda: answers(config.reach, config.port), env=environment)


def fleet(environment: Mapping[str, str]) -> Part:
    return Part("fleet", manage("simulate"), env=environment)


def answers(host: str, port: int) -> bool:
    """True once the web server says that it can serve."""
    connection = http.client.HTTPConnection(host, port, timeout=5)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == http.client.OK
    except OSError:
        return False
    finally:
        connection.close()


def base_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """What every process of the application gets on top of the supervisor's own environment."""
    return {
        **environment,
        "DJANGO_SETTINGS_MODULE": os.environ.get("DJANGO_SETTINGS_MODULE", "iotpanel.settings"),
        "PYTHONPATH": os.pathsep.join(filter(None, (str(TOP), os.environ.get("PYTHONPATH")))),
        "PYTHONUNBUFFERED": "1",
    }
