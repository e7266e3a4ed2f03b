"""What a thread that processes batches remembers between them; forgotten whenever a batch fails."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import local

from devices.directory import Directory
from devices.presence import Heard

_thread = local()


class Memory:
    """Who is who, and who was heard a moment ago."""

    def __init__(self) -> None:
        self.directory = Directory()
        self.heard = Heard()
        self.rollbacks = 0
        self.replaying = False  # whether what is processed came before, and was stored or refused then
        self.lasting = False  # whether this thread alone takes these devices' messages, one batch after the other

    def forget(self) -> None:
        """A batch was rolled back: what it taught us may not be true."""
        self.rollbacks += 1
        self.directory.forget()
        self.heard.forget()


def memory() -> Memory:
    """This thread's memory."""
    if not hasattr(_thread, "memory"):
        _thread.memory = Memory()
    found: Memory = _thread.memory
    return found


@contextmanager
def replaying() -> Iterator[None]:
    """What is processed meanwhile came before: sinks may see it with other eyes."""
    mine = memory()
    before, mine.replaying = mine.replaying, True
    try:
        yield
    finally:
        mine.replaying = before
