"""Each fault is tried with FAULT_SEEDS seeds; without that, in the quick suite, with one, and those marked `long` not at all."""

import os

import pytest

SEEDS = int(os.environ.get("FAULT_SEEDS", "0"))


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "long: a fault that only `make faults` has time for")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "seed" in metafunc.fixturenames:
        metafunc.parametrize("seed", range(1, max(SEEDS, 1) + 1))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if not SEEDS:
        long = [item for item in items if item.get_closest_marker("long")]
        config.hook.pytest_deselected(items=long)
        items[:] = [item for item in items if item not in long]
