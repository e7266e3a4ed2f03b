"""What a rule says when it changes its mind about a device: the input of every action."""

from typing import Any, Final, NamedTuple

RAISED: Final = "raised"
CLEARED: Final = "cleared"
REPEATED: Final = "repeated"  # the condition held again while it was raised already
ESCALATED: Final = "escalated"  # its alarm was not acknowledged in time


class Firing(NamedTuple):
    """One change of one rule for one device. Instants are µs since 1970; `hops` counts rules that led to it.

    `value` is what the rule compared first, `computed` what its formulas came to. While
    `muted` (a maintenance window) nobody is called.
    """

    tenant_id: int
    rule_id: int
    rule_name: str
    device_id: int
    device_key: str
    at: int
    change: str
    values: dict[str, Any]
    hops: int = 0
    device_name: str = ""
    value: Any = None
    muted: bool = False
    computed: dict[str, float] = {}
