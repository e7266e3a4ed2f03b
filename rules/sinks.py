"""Streams to forwarders: what a batch stored becomes promises in its transaction, a row per forwarder and not per reading.

Called in the writer's transaction by the settings `UPLINK_SINKS` and `CHANGE_SINKS`, and by the alarms. Where nobody listens, nothing
is done.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

from devices.messages import EventReport, Presence, Report
from rules.outbox import Promise, promise
from rules.routes import Listener, routes

BUNDLE = 500  # messages of a row


class AlarmChange(NamedTuple):
    """An alarm that was raised, cleared, acknowledged ...; `alarm` is what the API shows of it. `at` is in µs."""

    device_id: int
    at: int
    alarm: dict[str, Any]


def uplink(stored: Sequence[Any]) -> None:
    """Everything of a batch that was stored: reports, attribute objects, events."""
    _stream("readings", stored, Report, lambda report: [report.at, report.values])
    _stream("events", stored, EventReport, lambda event: [event.at, event.name, event.params])


def changed(changes: Sequence[Any]) -> None:
    """What changed outside of a batch; here: who came and went."""
    _stream("presence", changes, Presence, lambda word: [word.at, word.online, word.cause])


def alarms(some: Sequence[Any], *, at: int, change: str, show: Callable[[Any], dict[str, Any]]) -> None:
    """Alarms that changed, in the transaction that changed them; `show` makes what the API shows of one. `at` is in µs."""
    if some and routes().listeners("alarms"):
        changes = [AlarmChange(alarm.device_id, at, show(alarm) | {"change": change}) for alarm in some]
        _stream("alarms", changes, AlarmChange, lambda each: [each.at, each.alarm])


def _stream(name: str, items: Sequence[Any], kind: type, said: Callable[[Any], list[Any]]) -> None:
    """Bundle what each listener of the stream takes."""
    known = routes()
    listeners = known.listeners(name) if items else []
    if not listeners:
        return
    items = [item for item in items if isinstance(item, kind)]
    known.resolve(listeners, (item.device_id for item in items))
    taken = [(listener, _taken(listener.keys, items, said)) for listener in listeners]
    promise([each for listener, entries in taken for each in _bundles(listener, name, entries)])


def _taken(keys: dict[int, str | None], items: Iterable[Any], said: Callable[[Any], list[Any]]) -> list[list[Any]]:
    return [[key, *said(item)] for item in items if (key := keys.get(item.device_id))]


def _bundles(listener: Listener, stream: str, entries: list[list[Any]]) -> list[Promise]:
    return [
        Promise(listener.tenant_id, "forwarder", listener.id, None, {"stream": stream, "entries": entries[start : start + BUNDLE]})
        for start in range(0, len(entries), BUNDLE)
    ]
