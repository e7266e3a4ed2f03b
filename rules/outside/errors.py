"""The ways in which a delivery can fail; the caller decides by type. Their texts are the other side's words, for people."""

from collections.abc import Mapping

WORDS = 500  # characters kept of what the other side said


class Down(Exception):
    """The other side can't take anything now: not reached, overloaded, or it refuses us altogether (a wrong password).

    Nothing is wrong with the messages: they wait, uncounted, until it is back, and for the seconds that it asks for (`after`).
    """

    def __init__(self, words: str, *, after: float = 0.0) -> None:
        super().__init__(shortened(words))
        self.after = after


class Rejected(Exception):
    """The other side refuses these messages for what they say.

    With `by_position` all others of the batch were delivered; without it none was, and the batch is sent again in halves.
    """

    def __init__(self, words: str, by_position: Mapping[int, str] | None = None) -> None:
        super().__init__(shortened(words))
        self.by_position = {position: shortened(text) for position, text in (by_position or {}).items()}


class Gone(Exception):
    """There is nobody to deliver to any more: what waits for them is given up."""


def shortened(words: str) -> str:
    """One line of what the other side said, without what PostgreSQL could not keep."""
    return " ".join(words.replace("\0", " ").encode(errors="replace").decode().split())[:WORDS]
