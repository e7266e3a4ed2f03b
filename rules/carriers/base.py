"""What a carrier is: it knows how the messages of one kind of promise get to their target."""

from collections.abc import Sequence
from typing import Protocol

from rules.delivery.parcels import Parcel
from rules.models import Target


class Carrier(Protocol):
    """Opened for one target, used by one thread at a time, kept open between batches while `stamp` stays the same."""

    keeps: bool  # whether delivered rows stay for the history
    batch: int  # messages sent at a time
    gathers: bool  # whether it takes what is not due yet along with what is
    recorded: bool  # whether each delivery is written down, and not failures only
    stamp: object
    sent: str  # what the last delivery said, for the record

    def __init__(self, target: Target) -> None:
        """Raises Gone where the target is no more, Down where it can't be used as it is set up."""
        ...

    @staticmethod
    def stamp_of(target: Target) -> object:
        """Changes whenever the carrier has to be opened anew; None where the target is gone."""
        ...

    def send(self, parcels: Sequence[Parcel]) -> str:
        """Deliver these, in order; what the other side answered. Raises Down, Rejected."""
        ...

    def rest(self) -> float:
        """Seconds for which the target is left alone after a delivery."""
        ...

    def close(self) -> None: ...
