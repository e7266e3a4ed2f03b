"""The example client's own judgement of an image: what it was told, and what it was signed with."""

import hashlib
import importlib.util
import sys
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from tests.devices.firmware.conftest import Maker

IMAGE = b"image" * 1_000


@pytest.fixture(scope="module")
def update() -> Any:
    """The module, which is no part of any package."""
    spec = importlib.util.spec_from_file_location("update", settings.BASE_DIR / "examples/python/update.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert "update" not in sys.modules
    return module


def offer(image: bytes, **more: Any) -> dict[str, Any]:
    return {"version": "2.0.0", "size": len(image), "sha256": hashlib.sha256(image).hexdigest(), "url": "http://127.0.0.1:1/", **more}


@pytest.mark.parametrize("case", ["right", "cut", "changed", "unsigned", "foreign", "nonsense"])
def test_only_the_signed_image_is_installed(update: Any, maker: Maker, tmp_path: Path, case: str) -> None:
    said: list[Any] = []
    updater = update.Updater(tmp_path, lambda kind, body: said.append((kind, body)), public_key=maker.public)
    signature = {"unsigned": "", "foreign": Maker().sign(IMAGE), "nonsense": "<"}.get(case, maker.sign(IMAGE))
    came = {"cut": IMAGE[:-1], "changed": b"!" + IMAGE[1:]}.get(case, IMAGE)
    (tmp_path / "image.part").write_bytes(came)
    wanted = offer(IMAGE, signature=signature)
    if case == "right":
        updater._verify(tmp_path / "image.part", wanted)
        updater._install(tmp_path / "image.part", "2.0.0")
        assert (updater.version, (tmp_path / "image").read_bytes()) == ("2.0.0", IMAGE)
        return
    with pytest.raises(update.Bad):
        updater._verify(tmp_path / "image.part", wanted)
    assert updater.version == "1.0.0"
    assert (tmp_path / "image.part").exists() is (case not in ("cut", "changed")), "what is broken is fetched anew"


def test_an_address_that_is_none_and_a_version_that_runs_already(update: Any, tmp_path: Path) -> None:
    said: list[Any] = []
    updater = update.Updater(tmp_path, lambda kind, body: said.append((kind, body)))
    updater._run(offer(IMAGE) | {"url": "file:///etc/passwd"})
    updater._run(offer(IMAGE) | {"version": "1.0.0"})
    assert said == [
        ("ota", {"version": "2.0.0", "state": "failed", "error": "this is no address of an image"}),
        ("ota", {"version": "1.0.0", "state": "succeeded"}),
    ]
