"""What a condition may look at: one device at one time. Pure Python; instants are µs of the device's clock."""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from .windows import Sliding, Tumbling

NOTHING: Final[Mapping[Any, Any]] = {}


class WindowKey(NamedTuple):
    """One window of a device; rules that want the same one share it. `edge` is the zone's name where it tumbles, else empty."""

    property: str
    length: int
    edge: str


class Facts:
    """Changed in place from report to report, because one is looked at by every rule that concerns the device."""

    __slots__ = (
        "at", "attributes", "device", "due", "fresh", "lua", "newest", "online", "others", "params",
        "previous", "silent_from", "times", "values", "windows",
    )  # fmt: skip

    def __init__(self, device: str = "") -> None:
        self.device = device
        self.at = 0
        self.newest = 0  # the latest report that was looked at
        self.values: dict[str, Any] = {}
        self.times: dict[str, int] = {}
        self.previous: dict[str, Any] = {}
        self.fresh: Mapping[str, Any] = NOTHING  # what the report itself says
        self.attributes: Mapping[str, Any] = NOTHING
        self.others: Mapping[tuple[str, str], Any] = NOTHING  # newest values of other devices, by key and property
        self.windows: dict[WindowKey, Sliding | Tumbling] = {}
        self.lua: Mapping[Any, Any] = NOTHING
        self.params: Mapping[str, Any] = NOTHING  # of an event, or of the alarm that triggered the rule
        self.online: bool | None = None
        self.silent_from = 0  # silence before this instant is ours, not the device's
        self.due = 0  # when to look again although nothing comes; 0: no need

    def wake(self, at: int) -> None:
        """Have this looked at again at an instant."""
        if at > self.at and (not self.due or at < self.due):
            self.due = at

    def take(self, at: int, values: Mapping[str, Any]) -> None:
        """A report. Values older than what is known stay out."""
        self.at = at
        self.fresh = values
        self.newest = max(self.newest, at)
        times, known = self.times, self.values
        for name, value in values.items():
            if times.get(name, 0) <= at:
                if name in known:
                    self.previous[name] = known[name]
                known[name] = value
                times[name] = at

    def put(self, windows: Mapping[str, tuple[WindowKey, ...]], at: int, values: Mapping[str, Any]) -> None:
        """Put a report's numbers into the windows that want them, by property."""
        for name, value in values.items():
            for key in windows.get(name, ()):
                number = number_of(value)
                if number is not None:
                    self.windows[key].add(at, number)


def number_of(value: Any) -> float | None:
    """A number, or a boolean as 0 or 1."""
    return float(value) if isinstance(value, int | float) else None
