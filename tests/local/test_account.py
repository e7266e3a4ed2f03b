"""Whose rights root's database gets, and where it lives when that account cannot enter root's own folder."""

import os
import pwd
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from iotpanel.local import account as accounts
from iotpanel.local.account import ONESELF, Account, database_account, database_place, namespaces_allowed
from iotpanel.local.config import from_environment
from iotpanel.local.home import Home
from iotpanel.local.ports import free_port
from iotpanel.local.postgres import Postgres
from iotpanel.local.say import Trouble
from iotpanel.local.tree import Tree, server_tree

STRANGER = Account(uid=65534, gid=65534)


@pytest.fixture
def as_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)


@pytest.fixture
def private() -> Iterator[Path]:
    """A home as root's: nobody else may pass. Below a folder that everybody may, which pytest's own is not."""
    folder = Path(tempfile.mkdtemp(prefix="iotpanel-account-", dir="/var/tmp"))
    folder.chmod(0o755)
    (folder / "root").mkdir(mode=0o700)
    yield folder / "root"
    shutil.rmtree(folder)


@pytest.fixture
def outside(private: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What stands for /var/lib."""
    place = private.parent / "lib"
    place.mkdir(mode=0o755)
    monkeypatch.setattr(accounts, "OUTSIDE", place)
    return place


def test_an_ordinary_user_runs_it_as_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setattr(accounts, "namespaces_allowed", lambda: pytest.fail("asked"))

    assert database_account() == ONESELF


def test_root_takes_a_namespace_where_that_is_allowed(as_root: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(accounts, "namespaces_allowed", lambda: True)

    assert database_account() == Account(namespace=True)


def test_else_an_account_that_every_machine_has(as_root: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """IOTPANEL_NO_NAMESPACE stands for a container that forbids them."""
    monkeypatch.setenv("IOTPANEL_NO_NAMESPACE", "1")
    assert not namespaces_allowed()
    nobody = pwd.getpwnam("nobody")

    monkeypatch.setattr(accounts, "account_entry", lambda name: nobody if name == "nobody" else None)

    assert database_account() == Account(uid=nobody.pw_uid, gid=nobody.pw_gid)


def test_a_machine_without_such_an_account_is_told_what_to_do(as_root: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(accounts, "namespaces_allowed", lambda: False)
    monkeypatch.setattr(accounts, "account_entry", lambda _: None)

    with pytest.raises(Trouble, match=r"may not run as root.*postgres or nobody.*DATABASE_URL") as trouble:
        database_account()

    assert "\n" not in str(trouble.value)


@pytest.mark.parametrize("account", [ONESELF, Account(namespace=True)], ids=["oneself", "namespace"])
def test_who_owns_its_files_stays_in_its_home(private: Path, outside: Path, account: Account) -> None:
    assert database_place(private, account) == private


def test_an_account_that_cannot_enter_gets_a_folder_outside(private: Path, outside: Path) -> None:
    below = private / "checkout/.iotpanel"
    below.mkdir(parents=True)

    place = database_place(below, STRANGER)

    assert place.parent == outside
    assert place != database_place(private, STRANGER), "each home has its own"


def test_an_account_that_can_enter_stays_too(private: Path, outside: Path) -> None:
    private.chmod(0o711)

    assert database_place(private, STRANGER) == private


def test_where_neither_can_be_used_one_line_says_what_to_do(private: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(accounts, "OUTSIDE", private / "not there")

    with pytest.raises(Trouble, match=r"may not run as root.*cannot enter.*IOTPANEL_HOME") as trouble:
        database_place(private, STRANGER)

    assert "\n" not in str(trouble.value)


def possible() -> list[Account]:
    """How a database can be run unprivileged by whoever runs these tests."""
    if os.geteuid() != 0:
        return [ONESELF]
    return [*([Account(namespace=True)] if namespaces_allowed() else []), STRANGER]


@pytest.mark.parametrize("account", possible(), ids=str)
def test_a_real_database_is_made_below_a_folder_that_only_root_enters(private: Path, outside: Path, tree: Tree, account: Account) -> None:
    home = Home(private / "checkout/.iotpanel")
    home.make()
    place = database_place(home.root, account)
    if account.uid is not None and not accounts.can_enter(tree.root, account.uid):
        tree = server_tree(place / "servers", from_environment().packages)

    database = Postgres(tree, home, place, account, free_port())
    database.prepare()

    assert (database.data / "PG_VERSION").exists()
    owner = account.uid if account.uid is not None else os.geteuid()
    assert {path.stat().st_uid for path in (database.data, database.data / "global", database.data / "postgresql.conf")} == {owner}
    assert database.data.stat().st_mode & 0o777 == 0o700
