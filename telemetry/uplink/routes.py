"""Where a topic leads. Native topics are remembered, because a device says the same ones again and again."""

from devices import topics
from devices.directory import Directory
from devices.exceptions import Invalid

MAXROUTES = 200_000
ROUTES: dict[str, topics.Route] = {}


def route(topic: str, directory: Directory) -> topics.Route:
    """The route of a topic. Raises Invalid("unknown_topic")."""
    if known := ROUTES.get(topic):
        return known
    if not topic.startswith("devices/"):
        return _mapped(topic, directory)
    found = topics.parse(topic)
    if found.kind == "reply":  # names a command, so nobody says it again
        return found
    if len(ROUTES) >= MAXROUTES:
        ROUTES.clear()
    ROUTES[topic] = found
    return found


def _mapped(topic: str, directory: Directory) -> topics.Route:
    """The route of a topic that a product maps for itself; only its own devices may use it."""
    for pattern in directory.patterns():
        key = pattern.key_in(topic)
        device = directory.device(key) if key else None
        if key and device and pattern in device.product.patterns:
            return topics.parse_kind(key, pattern.rest)
    raise Invalid("unknown_topic", "no product of this device maps this topic")
