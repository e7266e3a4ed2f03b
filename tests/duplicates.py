"""Blocks of the product's code that stand twice: `python -m tests.duplicates` names them, and fails where there are any.

A block is LINES lines in a row, compared without indentation, blank lines, comments, decorators, imports and lines of brackets.
Names count: code of the same shape about other things is two things. Shorter runs are how Django's classes begin, and say nothing.
"""

import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping

from tests.test_architecture import short, sources

LINES = 7
NOT_CODE = ("#", "import ", "from ", '"""', "@")
THIN = 3
"""A line with fewer letters is a bracket or a comma."""

Place = tuple[str, int]


def code(text: str) -> list[tuple[int, str]]:
    """Number and text of each line that counts."""
    lines = ((number, " ".join(line.split())) for number, line in enumerate(text.splitlines(), 1))
    return [(number, line) for number, line in lines if sum(map(str.isalpha, line)) >= THIN and not line.startswith(NOT_CODE)]


def blocks(texts: Mapping[str, str]) -> dict[tuple[str, ...], list[Place]]:
    """Every run of so many lines, and where it stands."""
    found = defaultdict(list)
    for name, text in texts.items():
        lines = code(text)
        for start in range(len(lines) - LINES + 1):
            run = lines[start : start + LINES]
            found[tuple(line for _, line in run)].append((name, run[0][0]))
    return found


def repeated(texts: Mapping[str, str]) -> Iterator[str]:
    """The places of what stands more than once, as ``a.py:10 = b.py:20``; of the same files the first block only."""
    told: set[tuple[str, ...]] = set()
    for places in sorted(places for places in blocks(texts).values() if len(places) > 1):
        names = tuple(name for name, _ in places)
        if names not in told:
            told.add(names)
            yield " = ".join(f"{name}:{number}" for name, number in places)


def of_the_product() -> list[str]:
    return list(repeated({short(path): path.read_text() for path in sources()}))


if __name__ == "__main__":
    sys.exit("\n".join(of_the_product()) or 0)
