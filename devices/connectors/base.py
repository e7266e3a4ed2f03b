"""What a connector is: it turns what a protocol brings into uplinks, and forgets them only when told so."""

from collections.abc import Iterable, Sequence
from typing import Any, Protocol

from devices.messages import Uplink


class Delivery(Protocol):
    """The ack of messages that came together, which travels beside them."""

    def __call__(self) -> None:
        """The messages are safe: the other side may forget them."""
        ...

    @property
    def stale(self) -> bool:
        """Whether the connection they came on is gone, so that the other side will send them again."""
        ...


class Emit(Protocol):
    """Where a connector puts what it receives: one message, or several that came together, in order, under one ack.

    Blocks where more comes in than can be taken.
    """

    def __call__(self, uplinks: Sequence[Uplink], ack: Delivery | None, /) -> None: ...


class Connector(Protocol):
    SETTINGS: dict[str, Any]  # JSON Schema of the settings

    def __init__(self, settings: dict[str, Any], emit: Emit) -> None: ...

    def start(self) -> None:
        """Connect in the background, and again whenever the connection is lost."""
        ...

    def hold(self) -> None:
        """Take nothing more; acks of what was taken are still delivered."""
        ...

    def stop(self) -> None:
        """Deliver the acks that are under way, and disconnect."""
        ...

    def subscribe(self, topics: Iterable[str]) -> None:
        """Take these topics too, and no longer those that are missing."""
        ...

    def heal(self) -> None:
        """Called once a second: mend what ended by itself."""
        ...

    def lag(self) -> float | None:
        """For how many seconds, at least, the other side has been keeping something that is not committed; None where nobody knows."""
        ...

    def figures(self) -> dict[str, Any]:
        """What `inspect` and the metrics show."""
        ...
