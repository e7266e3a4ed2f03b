"""The keeper of the broker's accounts: awake for changes, and alive after whatever the database does."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from django.db import connection

from devices import broker_accounts, products, provisioning
from devices.broker_accounts import AccountsKeeper
from tests.make import make_device, make_product, make_tenant

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def keeper(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[AccountsKeeper]:
    monkeypatch.setattr(broker_accounts, "SETTLE", 0.01)
    monkeypatch.setattr(broker_accounts, "RETRY", 0.05)
    running = AccountsKeeper(
        tmp_path,
        lambda topics: (tmp_path / "topics").write_text(" ".join(topics)),
        lambda ended: (tmp_path / "ended").write_text(" ".join(sorted(ended))),
    )
    running.start()
    yield running
    running.stop()


def until(condition: Callable[[], bool]) -> bool:
    end = time.monotonic() + 5
    while not condition() and time.monotonic() < end:
        time.sleep(0.01)
    return condition()


def passwords(folder: Path) -> str:
    file = folder / "passwords"
    return file.read_text() if file.exists() else ""


def test_a_new_device_and_a_revoked_one_are_written_when_they_change(keeper: AccountsKeeper, tmp_path: Path) -> None:
    device = make_device(product=make_product(make_tenant()), key="awake-1")
    assert until(lambda: "awake-1:" in passwords(tmp_path))
    provisioning.revoke_credentials(device)
    assert until(lambda: "awake-1:" not in passwords(tmp_path))
    assert until(lambda: (tmp_path / "ended").exists() and (tmp_path / "ended").read_text() == "awake-1")


def test_topics_of_a_product_are_subscribed_when_they_change(keeper: AccountsKeeper, tmp_path: Path) -> None:
    products.update_product(make_product(make_tenant()), topics=[{"topic": "tele/{key}/A", "kind": "telemetry"}])
    assert until(lambda: (tmp_path / "topics").exists() and (tmp_path / "topics").read_text() == "tele/+/A")


def test_it_goes_on_after_its_connection_was_cut(keeper: AccountsKeeper, tmp_path: Path) -> None:
    assert until(lambda: (tmp_path / "acl").exists())
    parameters = connection.get_connection_params()
    with psycopg.connect(**{name: parameters[name] for name in ("host", "port", "user", "password", "dbname")}) as other:
        mine = other.execute("SELECT pg_backend_pid()").fetchone()
        assert mine is not None
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            test = cursor.fetchone()[0]
        others = "datname = current_database() AND usename = current_user AND backend_type = 'client backend' AND pid NOT IN (%s, %s)"
        cut = other.execute(f"SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE {others}", (mine[0], test)).fetchone()
        assert cut != (0,)
    make_device(product=make_product(make_tenant()), key="after-1")
    assert until(lambda: "after-1:" in passwords(tmp_path))
