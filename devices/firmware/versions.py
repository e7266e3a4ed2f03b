"""Which version is newer: semantic versions, and their looser relatives such as `v1.2` and `1.2.3.4`. Pure."""

import re
from typing import NamedTuple

LONGEST = 64
_PART = r"[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*"
_FORM = re.compile(rf"[vV]?([0-9]{{1,9}}(?:\.[0-9]{{1,9}}){{0,3}})(?:-({_PART}))?(?:\+({_PART}))?")
_NUMBERS = 4
Identifier = tuple[int, int, str]


class Version(NamedTuple):
    """Compared by `order` alone: numbers, whether it is released, what stands behind the hyphen. `build` orders nothing."""

    order: tuple[tuple[int, ...], int, tuple[Identifier, ...]]
    build: str


def parse(text: str) -> Version:
    """Raises ValueError where the text is no version."""
    found = _FORM.fullmatch(text) if len(text) <= LONGEST else None
    if found is None:
        raise ValueError(text[:LONGEST])
    numbers = [int(number) for number in found[1].split(".")]
    padded = tuple(numbers + [0] * (_NUMBERS - len(numbers)))
    identifiers = tuple(_identifier(each) for each in found[2].split(".")) if found[2] else ()
    return Version((padded, 0 if identifiers else 1, identifiers), found[3] or "")


def is_version(text: object) -> bool:
    return isinstance(text, str) and len(text) <= LONGEST and _FORM.fullmatch(text) is not None


def is_older(one: str, other: str) -> bool:
    """Whether `one` comes before `other`; False where either is no version, because nobody can tell."""
    return is_version(one) and is_version(other) and parse(one).order < parse(other).order


def are_same(one: str, other: str) -> bool:
    """Whether both name one version: `v1.2` is `1.2.0`, another build is another version."""
    return one == other or (is_version(one) and is_version(other) and parse(one) == parse(other))


def _identifier(text: str) -> Identifier:
    """Numbers come before words, and are compared as numbers."""
    return (0, int(text), "") if text.isdigit() else (1, 0, text)
