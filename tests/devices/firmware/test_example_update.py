"""The example client's own judgement of an image: what it was told, and what it was signed with."""

import hashlib
import importlib.util
import io
import sys
import time
import urllib.error
import urllib.request
from email.message import Message
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


class Web:
    """A web server's answers, one after the other; numbers are refusals."""

    def __init__(self, *answers: bytes | int) -> None:
        self.answers = list(answers)
        self.asked: list[str] = []

    def __call__(self, request: urllib.request.Request, timeout: float) -> Any:
        self.asked.append(request.get_header("Range", ""))
        answer = self.answers.pop(0)
        if isinstance(answer, int):
            raise urllib.error.HTTPError(request.full_url, answer, "", Message(), None)
        body: Any = io.BytesIO(answer)
        body.status = 206 if self.asked[-1] else 200
        return body


@pytest.fixture
def run(update: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Offers IMAGE to an updater that fetches it from such a server; what it said, and what it asked for."""
    monkeypatch.setattr(time, "sleep", lambda _: None)
    said: list[Any] = []
    updater = update.Updater(tmp_path, lambda kind, body: said.append(body))

    def offered(*answers: bytes | int) -> tuple[list[Any], list[str]]:
        web = Web(*answers)
        monkeypatch.setattr(urllib.request, "urlopen", web)
        said.clear()
        updater._run(offer(IMAGE))
        return [each.get("error") or each.get("state") for each in said if each.get("state") != "downloading"], web.asked

    return offered


def test_a_server_that_is_busy_is_asked_again_and_so_is_the_rest_of_what_was_cut_short(run: Any) -> None:
    assert run(503, 429, IMAGE[:2_000], 503, IMAGE[2_000:]) == (
        ["verifying", "installing", "succeeded"],
        ["", "", "", "bytes=2000-", "bytes=2000-"],
    )


def test_an_address_that_has_expired_is_no_failure_a_new_one_is_asked_for(run: Any) -> None:
    assert run(IMAGE[:2_000], 403) == ([None], ["", "bytes=2000-"])
    assert run(IMAGE[2_000:]) == (["verifying", "installing", "succeeded"], ["bytes=2000-"])


def test_a_damaged_image_is_fetched_anew_when_it_is_offered_again(run: Any) -> None:
    assert run(b"!" + IMAGE[1:])[0] == ["verifying", "the SHA-256 differs"]
    assert run(IMAGE) == (["verifying", "installing", "succeeded"], [""])


def test_a_server_that_is_never_ready_and_an_image_that_is_gone_end_the_update(run: Any) -> None:
    assert run(*[503] * 10)[0] == ["the image could not be fetched"]
    assert run(404)[0] == ["the image cannot be had: HTTP 404"]
