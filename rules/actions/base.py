"""What an action is: it runs in the transaction of the reading that caused it, and touches nothing but the database.

What has to happen in the world outside is promised (`rules/outbox.py`) and delivered after the commit.
"""

from collections.abc import Sequence
from typing import Any, Protocol

from rules.firing import Firing


class Action(Protocol):
    """One kind of action. `SETTINGS` is the JSON Schema of what a rule says about it, without `kind`."""

    SETTINGS: dict[str, Any]

    def __init__(self, settings: dict[str, Any]) -> None: ...

    def run(self, firings: Sequence[Firing]) -> None:
        """Do it for all firings of a batch, in the caller's transaction."""
        ...
