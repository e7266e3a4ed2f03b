"""What the stack tells the person at the terminal: one line for each step, no line without a reason."""

import sys


class Trouble(Exception):
    """Something that only the person can put right; its text is one line that says what and how."""


def say(text: str) -> None:
    """Print one line at once, also where the output is a pipe."""
    print(text, flush=True)


def complain(text: str) -> None:
    """Print one line to the error output at once."""
    print(f"iotpanel: {text}", file=sys.stderr, flush=True)
