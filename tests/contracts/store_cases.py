"""What the suites of stores share: the stores, and short ways to say what is in them."""

from collections.abc import Sequence
from typing import Any

from devices.exceptions import Invalid
from devices.messages import Report
from telemetry.stores.base import Store, Verdict

T0 = 1_767_225_600_000_000  # 2026-01-01T00:00:00Z, µs
SECOND = 1_000_000
FOREVER = 1 << 61


def report(at: int = T0, device_id: int = 1, **values: Any) -> Report:
    return Report(device_id, at, values, at)


def everything(store: Store, device_id: int = 1) -> dict[int, dict[str, Any]]:
    """All rows of a device by their instant."""
    rows: dict[int, dict[str, Any]] = {}
    for name, at, value in store.readings(device_id, [], -FOREVER, FOREVER, False, 100_000, None):
        rows.setdefault(at, {})[name] = value
    return rows


def codes(verdicts: Sequence[Verdict]) -> list[str]:
    return [verdict.code if isinstance(verdict, Invalid) else verdict.value for verdict in verdicts]
