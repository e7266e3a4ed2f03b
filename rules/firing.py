"""What a rule says when it changes its mind about a device: the input of every action."""

from typing import Any, Final, NamedTuple

RAISED: Final = "raised"
CLEARED: Final = "cleared"
REPEATED: Final = "repeated"  # the condition held again while it was raised already


class Firing(NamedTuple):
    """One change of one rule for one device. Instants are µs since 1970; `hops` counts rules that led to it."""

    tenant_id: int
    rule_id: int
    rule_name: str
    device_id: int
    device_key: str
    at: int
    change: str
    values: dict[str, Any]
    hops: int = 0
