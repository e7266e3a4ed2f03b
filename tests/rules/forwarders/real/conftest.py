"""Each process of the run has some of the servers; at the end stands which server each kind has met."""

import os
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings

from .kinds import SERVERS, UNMET, Real, mine
from .running import Running

WORKER = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
WORKERS = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
met: dict[str, str] = {}
seconds: dict[str, float] = defaultdict(float)
tests: dict[str, int] = defaultdict(int)
passed: dict[str, int] = defaultdict(int)

settings.ALLOWED_NETWORKS = ["127.0.0.0/8"]


def kind_of(item: pytest.Item) -> str:
    """The kind that a test needs the server of; nothing where it needs none."""
    called = getattr(item, "callspec", None)
    return str(called.params.get("server", "")) if called else ""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What needs no server is the first process's."""
    here = {*mine(list(SERVERS), WORKER, WORKERS), *([""] if WORKER == 0 else [])}
    items[:] = [item for item in items if kind_of(item) in here]


@pytest.fixture(scope="session")
def running(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    kinds = dict.fromkeys(kind for item in request.session.items if (kind := kind_of(item)))
    found = Running(tmp_path_factory.mktemp("servers"), kinds)
    yield found
    found.stop()


@pytest.fixture(scope="session", autouse=True)
def early(running: Running) -> None:
    """The servers start before the database is made."""


@pytest.fixture(scope="session")
def server(request: pytest.FixtureRequest, running: Running) -> Iterator[Real]:
    yield running[request.param]
    running.over(request.param)


@pytest.fixture
def counterpart(request: pytest.FixtureRequest, server: Real) -> Real:
    if server.kind not in met:
        met[server.kind] = server.maker()
        request.node.user_properties.append(("met", [server.kind, met[server.kind]]))
    return server


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """In the process that tells: what the others have noted."""
    met.update(said for name, said in report.user_properties if name == "met")  # type: ignore[misc]
    kind = report.nodeid.rpartition("[")[2].rstrip("]")
    if kind in SERVERS and (report.when == "call" or report.failed):
        seconds[kind] += report.duration
        tests[kind] += 1
        passed[kind] += report.passed


def pytest_terminal_summary(terminalreporter: Any) -> None:
    terminalreporter.section("forwarders and the servers that they met")
    for kind in SERVERS:
        if tests[kind]:
            terminalreporter.line(f"{kind:12}{met.get(kind, 'NONE'):40}{passed[kind]:3} of {tests[kind]} tests in {seconds[kind]:.1f} s")
    for kind, reason in UNMET.items():
        terminalreporter.line(f"{kind:12}NOT TESTED: {reason}")
