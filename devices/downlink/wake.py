"""Word between processes, by PostgreSQL's NOTIFY: heard on commit, and lost where nobody listens, so nothing rests on it."""

from collections.abc import Collection, Iterable, Sequence
from typing import NamedTuple

from iotpanel.statements import prepared

DEVICES = "iotpanel_downlink"  # ids of devices that there is something for
ENDED = "iotpanel_command"  # ids of commands that have ended
EVERYTHING = "*"
COMMANDS = "c"  # before ids of devices that there are nothing but commands for
_LACKING = """
    WITH mine AS (
        SELECT device_id FROM devices_shadow WHERE device_id = ANY(%s) AND wanted = '' AND delta <> '{}' ORDER BY device_id FOR UPDATE
    )
    UPDATE devices_shadow shadow SET wanted = 'delta' FROM mine WHERE shadow.device_id = mine.device_id
"""
# Offers that the broker took while the device was not there, or that it lost before it had done anything.
_UNANSWERED = """
    WITH mine AS (
        SELECT id FROM devices_errand
        WHERE device_id = ANY(%s) AND finished_at IS NULL AND state = 'sent' AND NOT wanted ORDER BY id FOR UPDATE
    )
    UPDATE devices_errand errand SET wanted = true FROM mine WHERE errand.id = mine.id
"""
PORTION = 300  # ids of 20 digits that fit the 8,000 bytes of a notification


class Word(NamedTuple):
    """Devices that there is something for: commands only, or anything; `everything` where there may be more that nobody named."""

    commanded: frozenset[int] = frozenset()
    devices: frozenset[int] = frozenset()
    everything: bool = False

    @property
    def heard(self) -> frozenset[int]:
        """All devices that were named."""
        return self.commanded | self.devices

    def __or__(self, other: "Word") -> "Word":
        return Word(self.commanded | other.commanded, self.devices | other.devices, self.everything or other.everything)


def look_at(device_ids: Collection[int]) -> None:
    """Have the dispatcher look at these devices once the caller's transaction is committed."""
    _say(_portions(DEVICES, sorted(device_ids)))


def queued(device_ids: Collection[int], ended: Collection[int] = ()) -> None:
    """The same where commands are all that there may be for them; and tell those who wait for the commands that have ended."""
    _say([*_portions(DEVICES, sorted(device_ids), COMMANDS), *_portions(ENDED, ended)])


def came(device_ids: Collection[int]) -> None:
    """These devices have just connected: what waits for them goes now, and what their shadows lack is sent again."""
    if not device_ids:
        return
    prepared(_LACKING, [sorted(device_ids)])
    prepared(_UNANSWERED, [sorted(device_ids)])
    look_at(device_ids)


def read(payload: str) -> Word:
    """A notification about devices."""
    if payload == EVERYTHING:
        return Word(everything=True)
    first, *rest = payload.split()
    return Word(commanded=frozenset(map(int, rest))) if first == COMMANDS else Word(devices=frozenset(map(int, [first, *rest])))


def read_ended(payload: str) -> set[int]:
    """The commands that a notification says have ended."""
    return {int(each) for each in payload.split()}


def _portions(channel: str, ids: Iterable[int], before: str = "") -> list[tuple[str, str]]:
    texts = [str(each) for each in ids]
    head = [before] if before else []
    return [(channel, " ".join([*head, *texts[start : start + PORTION]])) for start in range(0, len(texts), PORTION)]


def _say(words: Sequence[tuple[str, str]]) -> None:
    """One statement for all, because each is a round trip."""
    if words:
        channels, payloads = zip(*words, strict=True)
        query = "SELECT pg_notify(channel, payload) FROM unnest(%s::text[], %s::text[]) AS word (channel, payload)"
        prepared(query, [list(channels), list(payloads)])
