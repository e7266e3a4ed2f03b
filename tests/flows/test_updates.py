"""Firmware on the real servers: the example client takes it over HTTP with a kill on the way, and piece by piece over MQTT."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from devices.firmware.signatures import clean_key
from tests.devices.firmware.conftest import Maker
from tests.flows.platform import Account, Platform
from tests.flows.test_example_client import PROGRAM
from tests.services import eventually

IMAGE = bytes(range(256)) * 600  # 154 KB


@contextmanager
def running(platform: Platform, account: Account, folder: Path, *more: str) -> Iterator[subprocess.Popen[bytes]]:
    """The example, killed at the end."""
    command = [sys.executable, str(PROGRAM), "--port", str(platform.services.mqtt_port), "--key", account.key, "--secret", account.secret]
    folder.mkdir(exist_ok=True)
    with (folder / "output").open("a") as output:
        command += ["--memory", str(folder / "memory"), "--firmware", str(folder), *more]
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT)
    try:
        yield process
    finally:
        process.kill()
        process.wait(10)


def upload(platform: Platform, product: str, version: str, image: bytes, maker: Maker | None = None) -> None:
    form: dict[str, Any] = {"product": product, "version": version, "size": len(image)}
    if maker:
        form["signature"] = maker.sign(image)
    answer = platform.http.post("/api/v1/firmware/", data=form, files={"file": ("image.bin", image)})
    assert answer.status_code == 201, answer.text


def start(platform: Platform, product: str, version: str) -> int:
    body = {"name": version, "kind": "firmware", "spec": {"product": product, "version": version}, "target": {"product": product}}
    return int(platform.post("jobs/", {**body, "rollout": {"abort_percent": 100}})["id"])


def devices_of(platform: Platform, job: int) -> dict[str, Any]:
    return {row["device"]: row for row in platform.get(f"jobs/{job}/devices/")["results"]}


def test_over_http_and_over_mqtt_with_a_kill_and_a_bad_image(platform: Platform, tmp_path: Path) -> None:
    maker = Maker()
    product = platform.product(firmware_key=clean_key(maker.pem))
    web, radio = platform.device(product), platform.device(product)
    upload(platform, product, "1.1.0", IMAGE, maker)
    signed = ("--public-key", maker.public)
    with running(platform, radio, tmp_path / "radio", "--no-http", *signed):
        with running(platform, web, tmp_path / "web", "--rate", "50000", *signed):
            job = start(platform, product, "1.1.0")
            part = tmp_path / "web" / "image.part"
            eventually(lambda: part.exists() and part.stat().st_size > 30_000, 30)
        kept = part.stat().st_size
        assert 0 < kept < len(IMAGE), "it was killed on the way"
        with running(platform, web, tmp_path / "web", *signed):
            eventually(lambda: platform.get(f"jobs/{job}/")["state"] == "finished", 60)
        assert f"from byte {kept}" in (tmp_path / "web" / "output").read_text(), "only the rest was fetched"
    assert {row["state"] for row in devices_of(platform, job).values()} == {"succeeded"}
    for each in ("web", "radio"):
        assert (tmp_path / each / "image").read_bytes() == IMAGE

    # A disk that turns a bit: what comes is as long as announced, and not what was signed.
    upload(platform, product, "1.2.0", IMAGE[::-1], maker)
    folder = platform.services.config.home.root / "files" / "firmware"
    stored = max(folder.iterdir(), key=lambda path: path.stat().st_mtime)
    stored.write_bytes(b"!" + stored.read_bytes()[1:])
    with running(platform, radio, tmp_path / "radio", "--no-http", *signed), running(platform, web, tmp_path / "web", *signed):
        job = start(platform, product, "1.2.0")
        eventually(lambda: platform.get(f"jobs/{job}/")["state"] in ("finished", "aborted"), 60)
    found = devices_of(platform, job)
    assert {(row["state"], row["reason"], row["error"]) for row in found.values()} == {("failed", "device_error", "the SHA-256 differs")}
    assert (tmp_path / "web" / "version").read_text() == "1.1.0"

    # A secret of its own for the other one: it is told, keeps it, is thrown out, and comes back with it.
    with running(platform, web, tmp_path / "web", *signed):
        body = {"name": "secret", "kind": "credentials", "spec": {}, "target": {"devices": [web.key]}}
        job = int(platform.post("jobs/", body)["id"])
        eventually(lambda: platform.get(f"jobs/{job}/")["state"] == "finished", 60)
    assert devices_of(platform, job)[web.key]["state"] == "succeeded"
    assert not platform.may_sign_in(web), "the old one is worth nothing any more"
