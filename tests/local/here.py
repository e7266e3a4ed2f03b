"""The command line in the tests' own process: a process of its own takes a second to begin, and what it says is the same."""

import sys
from collections.abc import Callable
from typing import NamedTuple

import pytest

from iotpanel.local.__main__ import main


class Said(NamedTuple):
    """How a command ended, and what it said."""

    returncode: int
    stdout: str
    stderr: str


Here = Callable[..., Said]


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Here:
    """`here("restore", "file", NAME="value")`; None takes a name out of the environment."""

    def run(*arguments: str, **environ: str | None) -> Said:
        for name, value in environ.items():
            monkeypatch.delenv(name, raising=False) if value is None else monkeypatch.setenv(name, value)
        monkeypatch.setattr(sys, "argv", ["iotpanel.local", *arguments])
        capsys.readouterr()
        try:
            code = main()
        except SystemExit as asked:  # how argparse ends
            code = int(asked.code or 0)
        return Said(code, *capsys.readouterr())

    return run
