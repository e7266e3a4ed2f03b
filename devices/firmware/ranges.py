"""HTTP ranges (RFC 9110, section 14): which bytes of an image are asked for. Pure."""

import re
from typing import NamedTuple

_FORM = re.compile(r"bytes\s*=\s*([0-9]{0,18})\s*-\s*([0-9]{0,18})", re.IGNORECASE)


class Part(NamedTuple):
    """`length` bytes from `start` on; `is_whole` where the answer is a plain 200."""

    start: int
    length: int
    is_whole: bool = False


class Unsatisfiable(Exception):
    """416: nothing of what is asked for exists."""


def part_of(size: int, header: str | None, if_range: str | None, etag: str) -> Part:
    """Raises Unsatisfiable. What is no single range of bytes is answered as a whole, as is one of an image that has changed."""
    whole = Part(0, size, is_whole=True)
    found = _FORM.fullmatch(header.strip()) if header else None
    if found is None or (if_range is not None and if_range.strip() != etag):
        return whole
    first, last = found[1], found[2]
    if not first and not last:
        return whole
    if not first:  # the last so many bytes
        length = min(int(last), size)
        if not length:
            raise Unsatisfiable
        return Part(size - length, length)
    if last and int(last) < int(first):
        return whole
    if int(first) >= size:
        raise Unsatisfiable
    return Part(int(first), min(int(last), size - 1) - int(first) + 1 if last else size - int(first))
