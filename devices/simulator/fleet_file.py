"""The fleet's secrets, in a file that only its owner can read."""

import json
import os
from pathlib import Path
from typing import Any

Entry = dict[str, Any]  # {"kind", "number", "secret", "history": whether the past was sent}


def read(path: Path) -> dict[str, Entry]:
    """By device key; empty where there is no file or it is damaged: secrets can be made anew."""
    try:
        found = json.loads(path.read_text())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def write(path: Path, fleet: dict[str, Entry]) -> None:
    """In one step, so that a crash leaves the old file or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_suffix(".new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        json.dump(fleet, file, indent=1)
    fresh.replace(path)
