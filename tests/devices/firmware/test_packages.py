"""Packages: kept whole, signed, in order; everything wrong is refused with its code and leaves nothing behind."""

import hashlib
import os
import time
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.exceptions import ValidationError
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings

from devices import products
from devices.firmware import files, packages
from devices.firmware.refusals import CODES
from devices.models import Firmware, Job, Product
from devices.tasks import drop_lost_images
from iotpanel.api.errors import ApiError
from iotpanel.tenants.models import Tenant
from tests.devices.firmware.conftest import Maker
from tests.make import make_firmware, make_product

pytestmark = pytest.mark.django_db
IMAGE = b"\x7fELF" + bytes(range(256)) * 40


def refused(code: str, product: Product, folder: Path, **given: Any) -> None:
    """Checks that it is refused with this code, and that neither row nor file is left."""
    before = Firmware.objects.count(), len(list(folder.iterdir())) if folder.exists() else 0
    with pytest.raises(ApiError) as caught:
        make_firmware(product, **{"image": IMAGE, "version": "1.5.0"} | given)
    assert (caught.value.code, caught.value.code in CODES) == (code, True)
    assert before == (Firmware.objects.count(), len(list(folder.iterdir())) if folder.exists() else 0)


def test_an_image_is_kept_whole_and_private(pump: Product, folder: Path) -> None:
    made = make_firmware(pump, IMAGE, version="1.0.0", size=len(IMAGE), sha256=hashlib.sha256(IMAGE).hexdigest().upper(), notes="First")
    assert (made.size, made.sha256, made.tenant) == (len(IMAGE), hashlib.sha256(IMAGE).hexdigest(), pump.tenant)
    assert b"".join(files.pieces(made.file)) == IMAGE
    assert files.read(made.file, 4, 3) == b"\x00\x01\x02"
    path = folder / made.file
    assert (path.stat().st_mode & 0o777, folder.stat().st_mode & 0o777) == (0o600, 0o700)


@pytest.mark.parametrize(
    ("code", "given"),
    [
        ("empty", {"image": b""}),
        ("size_mismatch", {"size": len(IMAGE) + 1}),
        ("sha256_mismatch", {"sha256": hashlib.sha256(IMAGE[:-1]).hexdigest()}),
        ("sha256_mismatch", {"sha256": "none"}),
        ("bad_version", {"version": "../../etc/passwd"}),
        ("bad_version", {"version": ""}),
        ("no_public_key", {"signature": "AAAA"}),
        ("version_taken", {"version": "1.4.0"}),
        ("version_taken", {"version": "v1.4"}),
        ("older_version", {"version": "1.3.9"}),
        ("older_version", {"version": "1.4.0-rc.1"}),
    ],
)
def test_bad_input_is_refused(pump: Product, folder: Path, code: str, given: dict[str, Any]) -> None:
    make_firmware(pump, version="1.4.0")
    refused(code, pump, folder, **given)


def test_one_that_is_too_large_is_not_read_to_its_end(pump: Product, folder: Path, settings: Settings) -> None:
    settings.FIRMWARE_MAX_BYTES = 5_000
    refused("too_large", pump, folder)


def test_an_older_one_is_taken_for_a_rollback_and_stands_in_its_place(pump: Product) -> None:
    for version in ("1.9.0", "1.10.0"):
        make_firmware(pump, version=version)
    make_firmware(pump, version="1.9.5", rollback=True)
    assert [each.version for each in packages.in_order(Firmware.objects.all())] == ["1.10.0", "1.9.5", "1.9.0"]
    newest = packages.newest(pump)
    assert newest is not None
    assert newest.version == "1.10.0"


def test_signed_packages(pump: Product, folder: Path, maker: Maker) -> None:
    products.update_product(pump, firmware_key=maker.pem)
    assert pump.firmware_key == maker.public
    made = make_firmware(pump, IMAGE, version="1.0.0", signature=maker.sign(IMAGE))
    assert made.signature == maker.sign(IMAGE)

    refused("signature_missing", pump, folder)
    refused("bad_signature", pump, folder, signature=maker.sign(IMAGE + b"!"))
    refused("bad_signature", pump, folder, signature=Maker().sign(IMAGE))
    for text in ("AAAA", "<script>", "é", "0" * 127):
        refused("bad_signature", pump, folder, signature=text)


@pytest.mark.parametrize("key", ["x", "A" * 44, "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----", 5, "0" * 3_000])
def test_what_is_no_public_key(tenant: Tenant, key: Any) -> None:
    with pytest.raises(ValidationError) as caught:
        make_product(tenant, firmware_key=key)
    assert "firmware_key" in caught.value.message_dict


def test_a_stranger_s_product_is_as_unknown_as_none(pump: Product, other_tenant: Tenant) -> None:
    for key in ("pump", "nothing", "\0", 1):
        with pytest.raises(ApiError) as caught:
            packages.product_of(other_tenant, key)
        assert caught.value.code == "unknown_product"
    assert make_firmware(make_product(other_tenant, key="pump"), version="1.0.0").tenant == other_tenant


def test_deleting_takes_the_image_too(
    pump: Product, folder: Path, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    made = make_firmware(pump)
    with django_capture_on_commit_callbacks(execute=True):
        packages.delete_package(made)
    assert list(folder.iterdir()) == []


def test_one_that_a_job_gives_out_stays(pump: Product) -> None:
    made = make_firmware(pump)
    job = Job.objects.create(tenant=pump.tenant, name="n", kind="firmware", spec={"firmware": made.pk})
    with pytest.raises(ApiError) as caught:
        packages.delete_package(made)
    assert caught.value.code == "in_use"
    Job.objects.filter(pk=job.pk).update(state="finished")
    packages.delete_package(made)


def test_images_that_nobody_names_are_swept_once_they_are_old(pump: Product, folder: Path) -> None:
    kept = make_firmware(pump)
    for name in ("lost", "fresh", "upload.part"):
        (folder / name).write_bytes(b"x")
    for name in ("lost", "upload.part", kept.file):
        os.utime(folder / name, (time.time() - 7_200,) * 2)
    drop_lost_images()
    assert {path.name for path in folder.iterdir()} == {kept.file, "fresh"}


def test_every_refusal_is_explained() -> None:
    told = (settings.BASE_DIR / "docs/devices.md").read_text()
    assert {code for code in CODES if f"`{code}`" not in told} == set()
