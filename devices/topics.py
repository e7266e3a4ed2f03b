"""The topics of the native contract, and the ones that products map for themselves. Pure Python."""

import re
from typing import NamedTuple

from .exceptions import Invalid

KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
RESERVED_PREFIX = "iotpanel-"
PLACEHOLDER = "{key}"
SUBSCRIPTION = "devices/+/up/#"
# What a child may say through its gateway; `events` takes a name behind it, `commands` an id and `reply`.
CHILD_KINDS = frozenset({"telemetry", "attributes", "events", "status", "raw", "shadow", "commands", "ota"})
PLAIN_KINDS = frozenset({"telemetry", "attributes", "status", "shadow", "ota", "credentials"})


class Route(NamedTuple):
    """Where a topic leads. `name` is the event's name or the command's id, `port` belongs to `raw`."""

    key: str
    kind: str
    name: str = ""
    port: int | None = None
    gateway: bool = False


def up(key: str, *rest: str) -> str:
    """The topic of an uplink, such as up("pump-1", "events", "started")."""
    return "/".join(("devices", key, "up", *rest))


def down(key: str, *rest: str) -> str:
    """The topic of a downlink."""
    return "/".join(("devices", key, "down", *rest))


def is_device_key(key: str) -> bool:
    """Whether a device may be called so."""
    return KEY.fullmatch(key) is not None and not key.lower().startswith(RESERVED_PREFIX)


def parse(topic: str) -> Route:
    """The route of a native uplink topic. Raises Invalid("unknown_topic")."""
    levels = topic.split("/")
    if len(levels) < 4 or levels[0] != "devices" or levels[2] != "up":
        raise Invalid("unknown_topic", "not below devices/{key}/up/")
    key, rest = levels[1], levels[3:]
    if rest[0] == "gateway":
        route = parse_kind(key, rest[1:])
        if route.kind not in {"telemetry", "attributes", "event", "status", "raw", "reply", "shadow", "ota"} or route.port is not None:
            raise Invalid("unknown_topic", f"a gateway says {', '.join(sorted(CHILD_KINDS))} for its children")
        return route._replace(gateway=True)
    return parse_kind(key, rest)


def speaker(topic: str) -> str:
    """The key of the device that a topic belongs to, also where no route leads from it; empty where it is nobody's."""
    levels = topic.split("/", 3)
    return levels[1] if len(levels) > 2 and levels[0] == "devices" and levels[2] == "up" else ""


def parse_kind(key: str, rest: list[str]) -> Route:
    """The route of what stands behind `up/`, such as ["events", "started"]. Raises Invalid("unknown_topic")."""
    match rest:
        case [kind] if kind in PLAIN_KINDS:
            return Route(key, kind)
        case ["ota", "chunk"]:
            return Route(key, "chunk")
        case ["raw"]:
            return Route(key, "raw")
        case ["raw", port] if port.isascii() and port.isdigit() and len(port) <= 9:
            return Route(key, "raw", port=int(port))
        case ["events", name] if KEY.fullmatch(name):
            return Route(key, "event", name=name)
        case ["commands", command, "reply"] if command:
            return Route(key, "reply", name=command)
    raise Invalid("unknown_topic", f"“{'/'.join(rest)[:200]}” is none of the contract's topics")


def pattern_problem(pattern: str) -> str | None:
    """What is wrong with a product's own topic, or None. Its place among the broker's permissions makes it security."""
    levels = pattern.split("/")
    if not pattern or len(pattern) > 200 or not pattern.isprintable():
        return "must have 1 to 200 printable characters"
    if levels.count(PLACEHOLDER) != 1 or pattern.count("{") != 1:
        return "must contain {key} exactly once, as a whole level"
    if any(character in pattern for character in "+#%\\ ") or "$" in pattern[0]:
        return "must not contain wildcards, %, backslashes or blanks, or begin with $"
    if levels[0] in ("devices", PLACEHOLDER) or "" in levels:
        return "must begin with a word of its own that is not “devices”, and have no empty level"
    return None


class Pattern(NamedTuple):
    """A product's own topic, such as tele/{key}/SENSOR, with the place it leads to (`telemetry`, `events/started`, ...)."""

    prefix: str
    suffix: str
    rest: list[str]

    @classmethod
    def of(cls, topic: str, kind: str) -> "Pattern":
        prefix, _, suffix = topic.partition(PLACEHOLDER)
        return cls(prefix, suffix, kind.split("/"))

    def key_in(self, topic: str) -> str | None:
        """The device key that stands in `topic`, or None where the topic is another one."""
        if not topic.startswith(self.prefix) or not topic.endswith(self.suffix):
            return None
        key = topic[len(self.prefix) : len(topic) - len(self.suffix)]
        return key if KEY.fullmatch(key) else None

    @property
    def subscription(self) -> str:
        return f"{self.prefix}+{self.suffix}"

    @property
    def goes_down(self) -> bool:
        """Whether the platform publishes here and the device listens."""
        return self.rest[0] == "down"

    @property
    def acl(self) -> str:
        """The broker's permission: each device its own level only."""
        return f"pattern {'read' if self.goes_down else 'write'} {self.prefix}%u{self.suffix}"
