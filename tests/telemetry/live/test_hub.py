"""The web process's end: one subscription for all its connections, and what it survives."""

import asyncio
from collections.abc import Iterator

import pytest
from pytest_django import Settings

from iotpanel import valkey
from telemetry.live import register, wire
from telemetry.live.hub import Hub, Listener, hub
from telemetry.live.mailbox import Mailbox
from telemetry.live.wire import Reading, Status

from .sockets import until

AT = 1_767_225_600_000_000


@pytest.fixture(autouse=True)
def nobody_else() -> Iterator[None]:
    client = valkey.client()
    client.delete(register.WATCHERS)
    yield
    client.delete(register.WATCHERS)


class Connection:
    """A listener that remembers how often it was told to catch up."""

    def __init__(self, device_id: int, key: str = "freezer") -> None:
        self.mailbox = Mailbox()
        self.mailbox.names[device_id] = key
        self.mailbox.filters[device_id] = None
        self.caught_up = 0
        self.listener = Listener(self.mailbox, self._catch_up)

    def _catch_up(self) -> None:
        self.caught_up += 1

    def values(self) -> list[object]:
        return [row[3] for message in self.mailbox.take() for row in message["data"]]


def publish(to: Hub, reading: Reading) -> None:
    valkey.client().publish(register.channel(to.id), wire.pack([reading], [], []))


def interests() -> list[register.Interest]:
    return list(register.read(valkey.client()).watchers.values())


def test_connections_share_one_entry_and_each_gets_its_own() -> None:
    async def scenario() -> None:
        shared, one, two = Hub(), Connection(1), Connection(2)
        shared.join(one.listener)
        shared.join(two.listener)
        await shared.watch(one.listener, devices=[1])
        await shared.watch(two.listener, devices=[2], tenants=[9])
        assert interests() == [register.Interest(frozenset({1, 2}), frozenset(), frozenset({9}))]
        publish(shared, Reading(1, "t", AT, "for one"))
        await asyncio.wait_for(one.mailbox.wait(), 10)
        assert (one.values(), two.values()) == (["for one"], [])
        await shared.leave(one.listener)
        assert interests() == [register.Interest(frozenset({2}), frozenset(), frozenset({9}))]
        await shared.leave(two.listener)
        assert interests() == []

    asyncio.run(scenario())


def test_a_device_that_two_watch_is_watched_until_both_have_gone() -> None:
    async def scenario() -> None:
        shared, one, two = Hub(), Connection(1), Connection(1)
        for connection in (one, two):
            shared.join(connection.listener)
            await shared.watch(connection.listener, devices=[1])
        await shared.unwatch(one.listener, devices=[1])
        assert interests()[0].devices == {1}
        await shared.unwatch(two.listener, devices=[1, 7])
        assert interests()[0].devices == frozenset()
        await shared.leave(one.listener)
        await shared.leave(two.listener)

    asyncio.run(scenario())


def test_who_comes_while_the_last_one_leaves_gets_a_hub_that_works() -> None:
    async def scenario() -> None:
        first, one = hub(), Connection(1)
        first.join(one.listener)
        leaving = asyncio.create_task(first.leave(one.listener))
        await asyncio.sleep(0)
        second, two = hub(), Connection(2)
        second.join(two.listener)
        await second.watch(two.listener, devices=[2])
        await leaving
        assert second is not first
        assert [interest.devices for interest in interests()] == [{2}]
        await second.leave(two.listener)

    asyncio.run(scenario())


def test_a_cut_connection_to_valkey_is_made_again_and_everybody_catches_up() -> None:
    async def scenario() -> None:
        shared, one = Hub(), Connection(1)
        shared.join(one.listener)
        await shared.watch(one.listener, devices=[1])
        valkey.client().execute_command("CLIENT", "KILL", "TYPE", "pubsub")
        await until(lambda: one.caught_up == 1)
        publish(shared, Reading(1, "t", AT, "again"))
        await asyncio.wait_for(one.mailbox.wait(), 10)
        assert one.values() == ["again"]
        await shared.leave(one.listener)

    asyncio.run(scenario())


def test_without_valkey_watching_returns_and_leaving_ends(settings: Settings) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"

    async def scenario() -> None:
        shared, one = Hub(), Connection(1)
        shared.join(one.listener)
        await shared.watch(one.listener, devices=[1])
        await shared.leave(one.listener)
        assert len(shared) == 0

    asyncio.run(scenario())


def test_a_batch_that_is_not_understood_harms_nobody() -> None:
    async def scenario() -> None:
        shared, one = Hub(), Connection(1)
        shared.join(one.listener)
        await shared.watch(one.listener, devices=[1])
        for nonsense in (b"", b"[]", b"{}", b'{"readings": [[1]], "status": [], "frames": []}', b"\xff"):
            valkey.client().publish(register.channel(shared.id), nonsense)
        publish(shared, Reading(1, "t", AT, "fine"))
        await asyncio.wait_for(one.mailbox.wait(), 10)
        assert one.values() == ["fine"]
        await shared.leave(one.listener)

    asyncio.run(scenario())


def test_status_goes_to_watchers_of_the_device_and_of_the_tenant_once_each() -> None:
    async def scenario() -> None:
        shared, both, neither = Hub(), Connection(1), Connection(2)
        for connection in (both, neither):
            shared.join(connection.listener)
        await shared.watch(both.listener, devices=[1], tenants=[9])
        await shared.watch(neither.listener, devices=[2])
        shared.dispatch({"readings": [], "status": [list(Status(1, "freezer", 9, True, AT))], "frames": [], "notices": []})
        assert both.mailbox.take() == [{"type": "status", "data": [["freezer", True, 1_767_225_600_000]]}]
        assert neither.mailbox.take() == []
        await shared.leave(both.listener)
        await shared.leave(neither.listener)

    asyncio.run(scenario())
