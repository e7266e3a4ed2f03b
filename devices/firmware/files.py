"""Images on disk, below the platform's files: written and read piece by piece, never whole in memory."""

import hashlib
import os
import time
import uuid
from collections.abc import Generator, Iterable
from pathlib import Path
from typing import NamedTuple

from django.conf import settings
from django.utils.translation import gettext as _

from .refusals import refuse

PIECE = 64 * 1024  # bytes
LEFT_ALONE = 3_600.0  # seconds: a file without a row may be one whose transaction is not committed yet


class Stored(NamedTuple):
    """An image that is on the disk, and what was counted on the way."""

    name: str
    size: int
    sha256: str


def path_of(name: str) -> Path:
    """Where an image is. Names are ours (hex), never a person's."""
    return Path(settings.FIRMWARE_DIR) / name


def write(pieces: Iterable[bytes], limit: int) -> Stored:
    """Keep an image; it is on the disk when this returns. Raises ApiError `too_large`, and leaves nothing behind then."""
    folder = Path(settings.FIRMWARE_DIR)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    name, size, digest = uuid.uuid4().hex, 0, hashlib.sha256()
    part = folder / f"{name}.part"
    try:
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            for piece in pieces:
                size += len(piece)
                if size > limit:
                    raise refuse("too_large", _("An image has at most %(limit)d MB.") % {"limit": limit // 1_000_000}, "file")
                digest.update(piece)
                file.write(piece)
            file.flush()
            os.fsync(file.fileno())
        part.rename(folder / name)
    finally:
        part.unlink(missing_ok=True)
    return Stored(name, size, digest.hexdigest())


def remove(name: str) -> None:
    path_of(name).unlink(missing_ok=True)


def pieces(name: str, start: int = 0, length: int | None = None) -> Generator[bytes]:
    """Bytes of an image from `start` on, piece by piece. Raises FileNotFoundError at the first."""
    with path_of(name).open("rb") as file:
        file.seek(start)
        left = length
        while left is None or left > 0:
            piece = file.read(PIECE if left is None else min(PIECE, left))
            if not piece:
                return
            left = None if left is None else left - len(piece)
            yield piece


def read(name: str, start: int, length: int) -> bytes:
    """A few bytes of an image; empty where it cannot be read: who sends pieces sends those of other images all the same."""
    try:
        return b"".join(pieces(name, start, length))
    except OSError:
        return b""


def sweep(known: set[str]) -> int:
    """Remove files that no row names, such as those of a deleted product or a killed upload; how many there were."""
    folder, gone = Path(settings.FIRMWARE_DIR), 0
    for path in folder.iterdir() if folder.is_dir() else ():
        if path.name not in known and time.time() - path.stat().st_mtime > LEFT_ALONE:
            path.unlink(missing_ok=True)
            gone += 1
    return gone
