"""Each fault is tried with several seeds: FAULT_SEEDS of them, or the few that a fault names for the quick suite."""

import os

import pytest

SEEDS = int(os.environ.get("FAULT_SEEDS", "0"))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "seed" in metafunc.fixturenames:
        metafunc.parametrize("seed", range(1, max(SEEDS, 1) + 1))
