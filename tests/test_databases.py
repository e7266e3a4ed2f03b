"""How processes hold their connections: shared by requests, kept by tasks, and ended where nobody else may have them."""

import socket
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any

import pytest
from celery.fixups.django import DjangoWorkerFixup
from django.core.cache import caches
from django.db import OperationalError, connection, connections
from pytest_django import Settings

from iotpanel import celery_app, databases
from iotpanel.local.ports import free_port
from iotpanel.processes import _beat_starts, _stops, _task_begins, _task_ends, _worker_starts
from telemetry.stores.backend.base import DatabaseWrapper, reach


@pytest.mark.django_db(transaction=True)
def test_threads_take_turns_with_the_same_session(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(connections.settings["default"], "OPTIONS", {})
    monkeypatch.setitem(databases.POOL, "max_size", 1)
    databases.share()
    try:
        first, second = in_a_thread(session), in_a_thread(session)
        assert first == second
        assert in_a_thread(ended_session) == first
        assert in_a_thread(session) != first
    finally:
        in_a_thread(end_pool)


def session() -> int:
    """The server's process that answers this thread, which gives the connection back."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            return int(cursor.fetchone()[0])
    finally:
        connection.close()


def session_beside(work: Callable[[], int]) -> int:
    """What another thread does while this one has a connection; other than this one's."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            return int(cursor.fetchone()[0] != in_a_thread(work))
    finally:
        connection.close()


def ended_session() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        pid = int(cursor.fetchone()[0])
    databases.hang_up()
    return pid


def end_pool() -> int:
    backend: Any = connection
    backend.close_pool()
    return 0


def in_a_thread(run: Callable[[], int]) -> int:
    with ThreadPoolExecutor(1) as one:
        return one.submit(run).result()


@pytest.mark.parametrize(("start", "kept"), [("uplink@here", 0), ("tasks@here", databases.KEPT), ("", databases.KEPT)])
def test_tasks_and_beat_keep_theirs(start: str, kept: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The uplink's threads keep theirs by themselves, and end them where they are of no use."""
    monkeypatch.setitem(connections.settings["default"], "CONN_MAX_AGE", 0)
    try:
        _worker_starts(start) if start else _beat_starts()
        assert connections.settings["default"]["CONN_MAX_AGE"] == kept
    finally:
        _stops()


@pytest.mark.django_db(transaction=True)
def test_a_task_uses_the_session_of_the_one_before_until_the_server_ends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(connections.settings["default"], "CONN_MAX_AGE", databases.KEPT)
    with ThreadPoolExecutor(1) as thread:
        first = thread.submit(session_of_a_task).result()
        assert thread.submit(session_of_a_task).result() == first
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [first])
        assert thread.submit(session_of_a_task).result() != first
        thread.submit(connections.close_all).result()


def session_of_a_task() -> int:
    """The server's process that answers a task, run as Celery does: with what it does around a task by itself."""
    task = SimpleNamespace(name="a task", request=SimpleNamespace(is_eager=False))
    celery = DjangoWorkerFixup(celery_app)
    celery.on_task_prerun(task)
    _task_begins("1", task)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        pid = int(cursor.fetchone()[0])
    _task_ends("1", task)
    celery.on_task_postrun(task)
    return pid


def test_threads_share_the_caches_connections(settings: Settings) -> None:
    found: list[object] = []
    for _ in range(2):
        thread = threading.Thread(target=lambda: found.append(getattr(caches["default"], "_cache")))  # noqa: B009 - not in the base's types
        thread.start()
        thread.join()

    assert found[0] is found[1]


@pytest.mark.django_db(transaction=True)
def test_a_server_that_is_gone_is_said_at_once_instead_of_after_the_pools_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(connections.settings["default"], "OPTIONS", {})
    monkeypatch.setitem(connections.settings["default"], "PORT", free_port())
    monkeypatch.setitem(databases.POOL, "timeout", 0.3)
    monkeypatch.setattr(DatabaseWrapper, "failures_before", 0)
    databases.share()
    try:
        with pytest.raises(OperationalError, match="couldn't get a connection"):  # this one has found out
            in_a_thread(session)
        with pytest.raises(OperationalError, match="cannot be reached"):
            in_a_thread(session)
    finally:
        in_a_thread(end_pool)


@pytest.mark.django_db(transaction=True)
def test_nobody_knocks_at_a_server_that_is_only_busy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(connections.settings["default"], "OPTIONS", {})
    monkeypatch.setattr(DatabaseWrapper, "failures_before", 0)
    monkeypatch.setattr("telemetry.stores.backend.base.reach", lambda *_: pytest.fail("it was knocked at"))
    databases.share()
    try:
        assert in_a_thread(lambda: session_beside(session))
    finally:
        in_a_thread(end_pool)


@pytest.mark.parametrize("host", ["", "/run/postgresql", "127.0.0.1,127.0.0.2"])
def test_what_is_no_single_address_is_left_to_the_driver(host: str) -> None:
    reach(host, free_port())


def test_a_door_that_opens_is_enough() -> None:
    with socket.create_server(("127.0.0.1", 0)) as door:
        reach("127.0.0.1", door.getsockname()[1])
