"""Messages as text, none longer than a server lets through: Daphne refuses to send what it would refuse to receive."""

from collections.abc import Iterator
from typing import Any

import orjson

LONGEST = 512 * 1024  # bytes; half of Daphne's limit, so that compression never matters


def texts(message: dict[str, Any]) -> Iterator[str]:
    """The message in as many texts as it needs; one piece of data that is too long by itself is counted as skipped."""
    encoded = orjson.dumps(message)
    if len(encoded) <= LONGEST:
        yield encoded.decode()
        return
    data = message["data"]
    if len(data) < 2:
        yield orjson.dumps({**message, "data": [], "skipped": message.get("skipped", 0) + 1}).decode()
        return
    middle = len(data) // 2
    yield from texts({**message, "data": data[:middle]})
    yield from texts({key: value for key, value in message.items() if key != "skipped"} | {"data": data[middle:]})
