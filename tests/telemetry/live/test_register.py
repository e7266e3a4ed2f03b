"""Who watches what, in Valkey."""

import asyncio
from collections.abc import Iterator

import pytest

from iotpanel import valkey
from telemetry.live import register
from telemetry.live.register import Audience, Interest


@pytest.fixture(autouse=True)
def nobody_else() -> Iterator[None]:
    valkey.client().delete(register.WATCHERS)
    yield
    valkey.client().delete(register.WATCHERS)


def enter(watcher: str, interest: Interest) -> None:
    async def write() -> None:
        async with valkey.async_client() as client:
            await register.write(client, watcher, interest, announce=True)

    asyncio.run(write())


def test_what_is_written_is_read_with_its_union() -> None:
    one, two = Interest(frozenset({1, 2}), frozenset({1}), frozenset({9})), Interest(frozenset({2, 3}))
    enter("one", one)
    enter("two", two)
    audience = register.read(valkey.client())
    assert audience.watchers == {"one": one, "two": two}
    assert (audience.devices, audience.frames, audience.tenants) == ({1, 2, 3}, {1}, {9})


def test_nobody_watches_at_first() -> None:
    assert register.read(valkey.client()) == Audience.of({})


def test_who_stops_renewing_is_forgotten() -> None:
    """A web process that was killed: its entry expires, and the set of names is tidied."""
    enter("killed", Interest(frozenset({1})))
    assert valkey.client().pttl(f"{valkey.PREFIX}live:watcher:killed") in range(1, int(register.LIFETIME * 1000) + 1)
    valkey.client().delete(f"{valkey.PREFIX}live:watcher:killed")  # as if its time were up
    assert register.read(valkey.client()).devices == frozenset()
    assert not valkey.client().sismember(register.WATCHERS, "killed")


def test_leaving_removes_the_entry() -> None:
    enter("one", Interest(frozenset({1})))

    async def leave() -> None:
        async with valkey.async_client() as client:
            await register.remove(client, "one")

    asyncio.run(leave())
    assert register.read(valkey.client()).watchers == {}


def test_a_recorder_wants_frames_kept_but_is_not_sent_any() -> None:
    register.watch_frames(valkey.client(), 5, seconds=60)
    audience = register.read(valkey.client())
    assert audience.frames == {5}
    assert audience.listening() == []
