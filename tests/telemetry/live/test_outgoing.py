"""Long messages are split; nothing is lost in silence."""

import json
from typing import Any

from telemetry.live.outgoing import LONGEST, texts


def read(message: dict[str, Any]) -> list[dict[str, Any]]:
    parts = list(texts(message))
    assert all(len(part.encode()) <= LONGEST for part in parts)
    return [json.loads(part) for part in parts]


def test_a_short_message_is_one_text() -> None:
    message = {"type": "readings", "data": [["freezer", "名称", 1, "é"]], "skipped": 2}
    assert read(message) == [message]


def test_a_long_message_is_split_and_keeps_its_order_and_count() -> None:
    data = [["freezer", f"p{number}", 1, "x" * 10_000] for number in range(200)]
    parts = read({"type": "readings", "data": data, "skipped": 5})
    assert len(parts) > 3
    assert [row for part in parts for row in part["data"]] == data
    assert [part.get("skipped", 0) for part in parts] == [5] + [0] * (len(parts) - 1)


def test_one_value_that_is_too_long_for_any_message_is_counted() -> None:
    data = [["freezer", "short", 1, 1], ["freezer", "long", 1, "x" * LONGEST]]
    parts = read({"type": "readings", "data": data})
    assert [row for part in parts for row in part["data"]] == data[:1]
    assert sum(part.get("skipped", 0) for part in parts) == 1
