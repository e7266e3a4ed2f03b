"""Sketches, compiled for a board that is a process of this machine, and such boards."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Self

HERE = Path(__file__).resolve().parent
KINDS = ("esp32", "esp8266")
MAGIC = b"\xe9"  # the first byte of an image; on these boards a program is behind it
STRICT = ("-std=c++17", "-Wall", "-Wextra", "-Werror", "-fsanitize=undefined", "-fsanitize-trap=undefined")
SMALL = ("-s", "-nostdinc++", "-nostdlib++", "-fno-exceptions", "-fno-rtti")
WHERE_IT_BELONGS = {
    "HOST": 'getenv("BOARD_HOST")',
    "PORT": 'atoi(getenv("BOARD_PORT"))',
    "KEY": 'getenv("BOARD_KEY")',
    "SECRET": 'getenv("BOARD_SECRET")',
}
"""What a person writes into a sketch before it is compiled; one program serves many devices here."""


def compiled(sketch: Path, kind: str) -> Path:
    """The program beside the sketch. Raises AssertionError with what the compiler says, warnings too."""
    program = sketch.with_suffix(f".{kind}")
    command = [sys.executable, "-m", "ziglang", "c++", *STRICT, *SMALL, f"-D{kind.upper()}", f'-DSKETCH="{sketch}"']
    command += [f"-I{HERE / kind}", f"-I{HERE / 'libraries'}", str(HERE / "board.cpp"), "-o", str(program)]
    kept = str(Path(os.environ["IOTPANEL_PACKAGES"]) / "zig")  # the compiler makes parts of its own at its first run
    environment = os.environ | {"ZIG_GLOBAL_CACHE_DIR": kept, "ZIG_LOCAL_CACHE_DIR": str(sketch.parent / "made")}
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
    return program


def with_values(text: str, **values: str) -> str:
    """The sketch with other values of its constants; each has to be there once."""
    for name, value in values.items():
        text, count = re.subn(rf"(\b{name}(\[\d+\])? = )[^;]*;", lambda found, value=value: f"{found[1]}{value};", text)  # type: ignore[misc]
        assert count == 1, name
    return text


def image_of(program: Path) -> bytes:
    """What is uploaded as firmware."""
    return MAGIC + program.read_bytes()


class Board:
    """A board with its flash, which outlives its power."""

    def __init__(self, program: Path, flash: Path, **wired: str) -> None:
        flash.mkdir(exist_ok=True)
        self.program, self.flash, self.output = program, flash, flash / "output"
        self.environment = os.environ | wired | {"BOARD_FLASH": str(flash), "BOARD_PYTHON": sys.executable}
        self.process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.power_up()
        return self

    def __exit__(self, *_: object) -> None:
        self.lose_power()

    def power_up(self) -> None:
        with self.output.open("a") as output:
            self.process = subprocess.Popen([str(self.program)], stdout=output, stderr=subprocess.STDOUT, env=self.environment)

    def lose_power(self) -> None:
        """Raises AssertionError with its last words where it has ended by itself."""
        if self.process is None:
            return
        ended = self.process.poll()
        self.process.kill()
        self.process.wait(10)
        self.process = None
        assert ended is None, (ended, self.output.read_text()[-2000:])

    def sleep(self) -> None:
        """Stay connected, and be deaf until `wake`."""
        assert self.process
        self.process.send_signal(signal.SIGSTOP)

    def wake(self) -> None:
        assert self.process
        self.process.send_signal(signal.SIGCONT)

    def runs(self) -> Path:
        """The program that runs: the one it was made with, or what it has in its flash."""
        assert self.process
        return Path(f"/proc/{self.process.pid}/exe").resolve()

    def said(self, words: str) -> int:
        return self.output.read_text().count(words)
