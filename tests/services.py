"""The product as real processes, for the flows: every part can be killed, restarted, and asked for its log."""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

import httpx
import redis

from iotpanel.local import app, prepare
from iotpanel.local.config import Config, from_environment
from iotpanel.local.part import Part
from iotpanel.local.supervisor import Supervisor
from tests.homes import begin_anew, environment_for, pour, started

# Forwarders of the flows send to servers of the tests on this machine; a killed worker's lease and an image's address end soon.
OUTSIDE = {"IOTPANEL_ALLOWED_NETWORKS": "127.0.0.0/8", "IOTPANEL_OUTBOX_LEASE": "3", "IOTPANEL_FIRMWARE_ADDRESS_SECONDS": "3"}
T = TypeVar("T")


@dataclass(frozen=True)
class Stack:
    """The servers of the suite; no fixture may fall back to anything else."""

    database_url: str
    redis_url: str
    mqtt_url: str
    mqtt_port: int
    broker_dir: Path

    @classmethod
    def from_environment(cls) -> "Stack":
        """Raises KeyError, naming the variable, where the suite was not started by ``make test``."""
        return cls(
            database_url=os.environ["DATABASE_URL"],
            redis_url=os.environ["REDIS_URL"],
            mqtt_url=os.environ["MQTT_URL"],
            mqtt_port=int(os.environ["IOTPANEL_MQTT_PORT"]),
            broker_dir=Path(os.environ["IOTPANEL_BROKER_DIR"]),
        )


class Services:
    """A whole iotpanel on ports, servers and a database of its own: postgres, valkey, mosquitto, uplink, tasks, beat, web."""

    def __init__(self, config: Config, environment: Mapping[str, str], supervisor: Supervisor, password: str) -> None:
        self.config = config
        self.environment = environment
        self.supervisor = supervisor
        self.password = password
        self.url = f"http://127.0.0.1:{config.port}"
        self.mqtt_port = config.mqtt_port
        self.database_url = environment["DATABASE_URL"]
        self.stopped: dict[str, Part] = {}
        self.lock = threading.RLock()

    @classmethod
    @contextmanager
    def running(cls, root: Path, mould: Path | None = None) -> Iterator["Services"]:
        """Start everything below ``root``, and stop all of it at the end.

        With ``mould`` the database, first user and static files are copies of what is made there once for a state of the code.
        """
        begin_anew(root)
        if mould:
            pour(mould, root)
        config = from_environment(environment_for(root))
        with started(config) as (servers, supervisor):
            # Flows ask again and again until something is so, which is more often than a person may.
            environment = app.base_environment(servers.environment()) | {"IOTPANEL_THROTTLE": "off"} | OUTSIDE
            if mould:  # whose tables are in a database of another address
                prepare.note(config.home, "tables", prepare.tables_state(environment))
            prepare.prepare(config.home, environment, time.sleep)
            supervisor.start(*app.front(config, environment), *app.background(environment))
            services = cls(config, environment, supervisor, prepare.admin_password(config.home))
            with services.watched():
                yield services

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Let the supervisor look after its parts, as ``make run`` does, while the tests run."""
        over = threading.Event()

        def watch() -> None:
            while not over.wait(0.2):
                with self.lock:
                    self.supervisor.look()

        thread = threading.Thread(target=watch, name="supervisor")
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()

    def log(self, part: str) -> str:
        """Everything that the part has said so far."""
        return self.config.home.log_file(part).read_text(errors="replace")

    def pid(self, part: str) -> int:
        return int(self.config.home.pid_file(part).read_text())

    def memory(self, part: str) -> float:
        """MB that a part's process holds in memory."""
        pages = int(Path(f"/proc/{self.pid(part)}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 1e6

    def kill(self, part: str, number: signal.Signals = signal.SIGKILL) -> int:
        """Kill a part, which the supervisor then starts again; the id of the killed process."""
        pid = self.pid(part)
        os.kill(pid, number)
        return pid

    def kill_whole(self, part: str) -> None:
        """Kill a part and every process that it started, at once."""
        os.killpg(self.pid(part), signal.SIGKILL)

    @contextmanager
    def stalled(self, part: str) -> Iterator[None]:
        """A part that is there and does nothing."""
        os.kill(self.pid(part), signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(self.pid(part), signal.SIGCONT)

    def cache(self) -> redis.Redis:
        """A client of the cache."""
        return redis.Redis.from_url(self.environment["REDIS_URL"], socket_timeout=5)

    def await_end(self, pid: int, seconds: float) -> None:
        """Wait until a process that the supervisor started is gone, and taken note of."""
        eventually(lambda: all(running.process.pid != pid for running in self.supervisor.running.values()), seconds)

    def forgive(self) -> None:
        """Forget earlier deaths, so that parts that many tests kill still come back at once."""
        with self.lock:
            for running in self.supervisor.running.values():
                running.failures = 0

    def stop(self, part: str) -> None:
        """End a part cleanly and keep it ended until ``start``."""
        with self.lock:
            self.stopped[part] = self.supervisor.stop_part(part)

    def start(self, part: str) -> None:
        """Start a stopped part and wait until it serves."""
        with self.lock:
            self.supervisor.start(self.stopped.pop(part))

    def restart(self, part: str) -> None:
        self.stop(part)
        self.start(part)

    def client(self, **options: object) -> httpx.Client:
        """A plain HTTP client of the web part."""
        return httpx.Client(base_url=self.url, timeout=10, **options)  # type: ignore[arg-type]

    @property
    def database(self) -> str:
        """Name of the database."""
        return urlsplit(self.database_url).path.strip("/")


def eventually(ask: Callable[[], T], seconds: float = 30.0) -> T:
    """Ask until the answer is true, as a person who waits would; raises AssertionError with the last answer."""
    until = time.monotonic() + seconds
    while not (answer := ask()):
        assert time.monotonic() < until, f"still {answer!r} after {seconds:g} s"
        time.sleep(0.05)
    return answer
