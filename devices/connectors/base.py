"""What a connector is: it turns what a protocol brings into uplinks, and forgets them only when told so."""

from collections.abc import Iterable
from typing import Any, Protocol

from devices.messages import Uplink


class Delivery(Protocol):
    """The ack of one message, which travels beside it."""

    def __call__(self) -> None:
        """The message is safe: the other side may forget it."""
        ...

    @property
    def stale(self) -> bool:
        """Whether the connection it came on is gone, so that the other side will send it again."""
        ...


class Emit(Protocol):
    """Where a connector puts what it receives. Blocks where more comes in than can be taken."""

    def __call__(self, uplink: Uplink, ack: Delivery | None, /) -> None: ...


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

    def figures(self) -> dict[str, Any]:
        """What `inspect` and the metrics show."""
        ...
