"""Rate limits: token buckets in memory, for devices and tenants that have one.

A message is taken or refused before it is decoded, and pays afterwards for the reports that it turned out to hold: who
sends a list goes into debt. A batch draws on copies, which count once it is committed: one that is tried again pays once.
The clock is the time of arrival, so a message that waited for us is judged by when it came. After an outage of ours,
what piled up at the broker meanwhile is allowed on top: a limit never turns our outage into loss.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from devices.directory import DeviceEntry
from iotpanel.tenants.limits import Limit

SECOND = 1_000_000
UNLIMITED = frozenset({"replay", "broker"})  # sources that are no device
LONGEST_OUTAGE = 86_400 * SECOND
MOST_BUCKETS = 200_000
Key = tuple[str, int]  # ("device" or "tenant", its id)


class Outage(NamedTuple):
    """How long we took nothing (µs), and until when that is made up for."""

    length: int = 0
    until: int = 0


class Bucket:
    """Tokens of one device or tenant. `level` may be a debt; `extra` is what an outage left."""

    __slots__ = ("at", "extra", "level", "limit", "outage")

    def __init__(self, limit: Limit, at: int) -> None:
        self.limit, self.at, self.level = limit, at, limit.burst
        self.extra, self.outage = 0.0, Outage()

    def copy(self) -> "Bucket":
        twin = Bucket(self.limit, self.at)
        twin.level, twin.extra, twin.outage = self.level, self.extra, self.outage
        return twin

    def fill(self, limit: Limit, now: int, outage: Outage) -> float:
        """What is there at `now` (µs since 1970)."""
        if limit != self.limit:
            self.limit, self.level = limit, min(self.level, limit.burst)
        if now > self.at:
            self.level = min(limit.burst, self.level + (now - self.at) * limit.rate / SECOND)
            self.at = now
        if outage != self.outage:
            self.outage, self.extra = outage, limit.rate * outage.length / SECOND
        elif self.extra and now > outage.until:
            self.extra = 0.0
        return self.level + self.extra

    def take(self, amount: int) -> None:
        used = min(self.extra, max(amount, 0))
        self.extra -= used
        self.level -= amount - used


class Drawn:
    """What one batch has admitted so far: the buckets as they will be, and the messages by device."""

    __slots__ = ("admitted", "buckets")

    def __init__(self) -> None:
        self.buckets: dict[Key, Bucket] = {}
        self.admitted: dict[int, tuple[DeviceEntry, int]] = {}


class Limiter:
    """The buckets of one process."""

    def __init__(self) -> None:
        self._buckets: dict[Key, Bucket] = {}
        self._gone_since: int | None = None
        self._outage = Outage()

    def admits(self, device: DeviceEntry, now: int, kind: str, drawn: Drawn) -> bool:
        """Whether a message of a limited device, received at `now` (µs), is taken. A reply may go into debt: we asked for it."""
        held = self._held(device, now, drawn)
        for bucket, limit in held:
            least = -limit.burst if kind == "reply" else 1.0
            if bucket.fill(limit, now, self._outage) < least:
                return False
        for bucket, _limit in held:
            bucket.take(1)
        drawn.admitted[device.id] = device, drawn.admitted.get(device.id, (device, 0))[1] + 1
        return True

    def settle(self, drawn: Drawn, counts: Mapping[tuple[str, int], Sequence[int]]) -> None:
        """A batch is committed: pay for all that its messages held. `counts` as in Findings."""
        self._gone_since = None
        if not drawn.admitted:
            return
        sent: dict[int, int] = {}
        for (source, device_id), (received, _, _, rejected, _, heartbeats) in counts.items():
            if source not in UNLIMITED:
                sent[device_id] = sent.get(device_id, 0) + received - rejected + heartbeats
        for device_id, (device, admitted) in drawn.admitted.items():
            for bucket, _limit in self._held(device, 0, drawn):
                bucket.take(max(0, sent.get(device_id, 0) - admitted))
        if len(self._buckets) >= MOST_BUCKETS:
            self._buckets.clear()
        self._buckets.update(drawn.buckets)

    def absent(self, since: int) -> None:
        """Nothing is taken since then (µs): the next batch may hold all that piled up. Called as often as one likes."""
        if self._gone_since is None:
            self._gone_since = since

    def back(self, now: int) -> None:
        """A batch begins: where we were away, allow what the broker kept for us."""
        if self._gone_since is not None and now > self._gone_since:
            away = min(now - self._gone_since, LONGEST_OUTAGE)
            self._outage = Outage(away, now + 2 * away + 60 * SECOND)

    def forget(self) -> None:
        """As at the start."""
        self._buckets.clear()
        self._gone_since, self._outage = None, Outage()

    def _held(self, device: DeviceEntry, now: int, drawn: Drawn) -> list[tuple[Bucket, Limit]]:
        """The batch's copies of the buckets that limit a device."""
        limits = device.limits
        if limits is None:
            return []
        held = []
        for name, number, limit in (("device", device.id, limits.device), ("tenant", device.tenant_id, limits.tenant)):
            if limit is not None:
                bucket = drawn.buckets.get((name, number))
                if bucket is None:
                    known = self._buckets.get((name, number))
                    bucket = drawn.buckets[name, number] = known.copy() if known else Bucket(limit, now)
                held.append((bucket, limit))
        return held


LIMITER = Limiter()
