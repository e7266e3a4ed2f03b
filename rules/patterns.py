"""Regular expressions that cannot run away: RE2 needs time in proportion to the text, whatever the pattern."""

from collections.abc import Callable
from typing import Final

import re2

from .problems import BadRule

LONGEST: Final = 500
READ: Final = 10_000  # characters of a text that are looked at


def compile_pattern(pattern: str, path: str) -> Callable[[str], bool]:
    """Whether a text contains a match. Raises BadRule; back references and look-around do not exist here."""
    options = re2.Options()
    options.log_errors = False
    options.max_mem = 1 << 20
    try:
        compiled = re2.compile(pattern[:LONGEST], options)
    except re2.error as error:
        text = error.args[0].decode(errors="replace") if isinstance(error.args[0], bytes) else str(error)
        raise BadRule(path, "no regular expression: %(why)s", why=text[:200]) from error
    return lambda text: compiled.search(text[:READ]) is not None
