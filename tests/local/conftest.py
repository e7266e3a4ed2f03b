"""A home of its own for each test (with a space in its path, as people have), and parts that are as small as a process can be."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from iotpanel.local.account import database_account, database_place
from iotpanel.local.home import Home
from iotpanel.local.supervisor import Supervisor
from iotpanel.local.tree import Tree
from tests.local.here import here

__all__ = ["here", "home", "supervisor", "tree"]


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    made = Home(tmp_path / "a home")
    made.make()
    yield made
    remove_outside(made)


def remove_outside(home: Home) -> None:
    """Where an unprivileged account has to run root's database, its folder is not below the home."""
    place = database_place(home.root, database_account())
    if place != home.root:
        shutil.rmtree(place, ignore_errors=True)


@pytest.fixture
def supervisor(home: Home) -> Iterator[Supervisor]:
    made = Supervisor(home)
    yield made
    made.stop()


@pytest.fixture(scope="session")
def tree() -> Tree:
    """The programs that the suite's own servers were started from."""
    return Tree(Path(os.environ["IOTPANEL_SERVERS"]))
