"""Which worker runs which tests: a pytest plugin, loaded before the settings are."""

import gc
import json
import os
from pathlib import Path
from typing import Any

import pytest
from xdist.scheduler import EachScheduling

# What needs the whole product in processes (without a browser, or with one), and one half of what needs the suite's servers;
# the other half is the last worker's. Each has servers of its own, so that none can disturb another.
GROUPS: dict[str, tuple[str, ...]] = {
    "gw0": ("tests/flows", "tests/local/test_foreground.py"),
    "gw1": ("tests/browser", "tests/local", "tests/devices/codecs", "tests/flows/test_example_client.py", "tests/flows/test_sketch.py"),
    "gw2": ("tests/pages", "tests/telemetry", "tests/contracts", "tests/tenants", "tests/devices/downlink"),
}
# `make test-forwarders`: two processes, which share its tests by server (tests/rules/forwarders/real/conftest.py).
if BY_SERVER := "IOTPANEL_COUNTERPARTS" in os.environ:
    GROUPS = {"gw0": ()}
REST = f"gw{len(GROUPS)}"
WORKER = os.environ.get("PYTEST_XDIST_WORKER")

if WORKER == REST:
    os.environ.update(json.loads(os.environ["IOTPANEL_SERVERS_BESIDE"]))


class Groups(EachScheduling):
    """Each worker runs all that it has collected, in pytest's order."""

    def schedule(self) -> None:
        plugin: Any = self.config.pluginmanager.get_plugin("dsession")
        plugin._session.testscollected = sum(map(len, self.node2collection.values()))  # it knows the last worker's alone
        super().schedule()


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Groups:
    if len(config.option.tx) != len(GROUPS) + 1:
        raise pytest.UsageError(f"tests run in {len(GROUPS) + 1} processes (-n {len(GROUPS) + 1}) or in one (-n 0)")
    return Groups(config, log)


def is_mine(path: Path, config: pytest.Config) -> bool:
    """Whether this process runs these tests: it alone all of them, a worker those of its group; the narrower name decides."""
    if BY_SERVER:
        return True
    owners = {folder: worker for worker, folders in GROUPS.items() for folder in folders if path.is_relative_to(config.rootpath / folder)}
    return WORKER in (None, owners[max(owners, key=len)] if owners else REST)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """What others run is not even loaded."""
    return True if collection_path.suffix == ".py" and not is_mine(collection_path, config) else None


def pytest_collection_modifyitems(items: list[pytest.Item], config: pytest.Config) -> None:
    """What the command line names is loaded in any case."""
    items[:] = [item for item in items if is_mine(item.path, config)]


def pytest_collection_finish() -> None:
    """What has been loaded stays until the end, so that the collector of garbage need not look through it again and again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)
