"""Make unpacked programs run where they lie: their own loader and libraries, not the machine's."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

PROGRAM_DIRS = ("usr/bin", "usr/sbin", "usr/lib/postgresql/*/bin")
LOADERS = (
    "usr/lib64/ld-linux-*.so.*",
    "lib64/ld-linux-*.so.*",
    "usr/lib/ld-linux-*.so.*",
    "lib/ld-linux-*.so.*",
    "usr/lib/*-linux-gnu/ld-linux-*.so.*",
)


def loader(tree: Path) -> Path:
    """The tree's own dynamic loader."""
    found = [path for pattern in LOADERS for path in tree.glob(pattern)]
    if not found:
        raise FileNotFoundError(f"no dynamic loader below {tree}")
    return found[0].resolve()


def library_path(tree: Path) -> str:
    """The folders that hold the tree's shared libraries, as the loader wants them."""
    folders = [*tree.glob("usr/lib/*-linux-gnu*"), *tree.glob("lib/*-linux-gnu*")]
    return ":".join(str(folder) for folder in folders)


def programs(tree: Path) -> Iterator[Path]:
    """Every dynamically linked program of the tree; scripts and links are passed over."""
    for pattern in PROGRAM_DIRS:
        for folder in tree.glob(pattern):
            for path in folder.iterdir():
                if path.is_file() and not path.is_symlink() and path.open("rb").read(4) == b"\x7fELF":
                    yield path


def patch(tree: Path) -> None:
    """Set loader and library path of every program, with the tree's own patchelf.

    The path is written as RPATH, not RUNPATH, because only that holds for the libraries of libraries too.
    """
    libraries = library_path(tree)
    start = [str(loader(tree)), "--library-path", libraries, str(tree / "usr/bin/patchelf")]
    options = ["--set-interpreter", str(loader(tree)), "--force-rpath", "--set-rpath", libraries]
    for program in programs(tree):
        if program.name != "patchelf":
            subprocess.run([*start, *options, str(program)], check=True, capture_output=True)
