"""The Firmware tab of a product, and the admin's record of a package."""

from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from pytest_django import Settings

from devices.models import Firmware, Product, RunningFirmware
from iotpanel.tenants.models import Role, Tenant, User
from tests.admin_client import Admin, errors_of
from tests.make import make_device, make_firmware, make_product, make_tenant
from tests.pages.people import browser, words

pytestmark = pytest.mark.django_db
PAGE = "/products/pump/firmware/"


@pytest.fixture
def pump(tenant: Tenant, settings: Settings, tmp_path: Path) -> Product:
    settings.FIRMWARE_DIR = tmp_path / "firmware"
    return make_product(tenant, key="pump")


def upload(user: User, image: bytes = b"image", **given: Any) -> Any:
    return browser(user).post(f"{PAGE}upload/", {"version": "1.0.0", "file": SimpleUploadedFile("x.bin", image)} | given)


def test_a_version_is_uploaded_and_seen_with_who_runs_it(pump: Product, owner: User, viewer: User) -> None:
    answer = upload(owner, notes="<b>Quieter</b>")
    assert (answer.status_code, answer["Location"]) == (302, PAGE)
    for version in ("1.0.0", "0.8"):
        device = make_device(product=pump)
        RunningFirmware.objects.create(device=device, version=version, since=device.created_at, at=device.created_at)
    html = browser(viewer).get(PAGE).content
    seen = words(html)
    assert "1.0.0 <b>Quieter</b> 1 5 bytes" in seen.replace("\xa0", " ")
    assert b"<b>Quieter" not in html
    assert "Devices also run: 0.8 (1)" in seen
    assert "Upload a version" not in seen, "viewers only read"


@pytest.mark.parametrize(
    ("given", "status", "said"),
    [
        ({"sha256": "0" * 64}, 400, "The image has another SHA-256"),
        ({"version": "<script>"}, 400, "A version is numbers"),
        ({"version": "0.1"}, 409, "which is newer"),
        ({"version": "0.9"}, 409, "has this version already"),
        ({"file": ""}, 400, "Choose a file."),
        ({"notes": "\x00"}, 400, "Control characters are not allowed."),
    ],
)
def test_what_was_wrong_stands_at_its_field(pump: Product, owner: User, given: dict[str, Any], status: int, said: str) -> None:
    make_firmware(pump, version="0.9")
    answer = upload(owner, **given)
    assert (answer.status_code, Firmware.objects.count()) == (status, 1)
    assert said in words(answer.content)
    assert b"<script>&" not in answer.content
    assert b'value="<script>' not in answer.content


def test_only_administrators_upload_and_delete(pump: Product, owner: User, viewer: User, stranger: User) -> None:
    made = make_firmware(pump, version="1.0.0")
    assert upload(viewer).status_code == 403
    assert upload(stranger).status_code == 404
    assert browser(stranger).get(PAGE).status_code == 404
    gone = f"{PAGE}{made.pk}/delete/"
    assert browser(viewer).post(gone).status_code == 403
    assert browser(stranger).post(gone).status_code == 404
    assert browser(owner).post(gone).status_code == 302
    assert not Firmware.objects.exists()


def test_the_admin_uploads_and_says_what_is_wrong(pump: Product, owner: User, stranger: User) -> None:
    owner.is_staff = stranger.is_staff = True
    owner.save()
    stranger.save()
    admin = Admin(owner)
    given: dict[str, Any] = {"product": pump.pk, "version": "1.0.0"}
    bad = admin.add(Firmware, **given, image=SimpleUploadedFile("x", b"image"), sha256="0" * 64)
    assert "another SHA-256" in errors_of(bad)["sha256"][0]
    assert admin.add(Firmware, **given, image=SimpleUploadedFile("x", b"image")).status_code == 302
    taken = admin.add(Firmware, **given, image=SimpleUploadedFile("x", b"image"))
    assert "already" in errors_of(taken)["version"][0]

    made = Firmware.objects.get()
    assert (made.version, made.person) == ("1.0.0", owner)
    assert admin.change(made, notes="Later").status_code == 302
    made.refresh_from_db()
    assert made.notes == "Later"
    assert b"1.0.0" in admin.list(Firmware).content
    assert Admin(stranger).open(made).status_code == 404
    assert reverse("admin:devices_firmware_changelist").encode() in admin.list(Firmware).content
    assert admin.delete(made).status_code == 302
    assert not Firmware.objects.exists()


def test_who_only_looks_at_a_product_uploads_nothing_for_it(pump: Product, viewer: User) -> None:
    """An administrator of one tenant who is a viewer of another."""
    make_tenant().memberships.create(user=viewer, role=Role.ADMIN)
    answer = Admin(viewer).add(Firmware, product=pump.pk, version="1.0.0", image=SimpleUploadedFile("x", b"image"))
    assert "product" in errors_of(answer)
    assert not Firmware.objects.exists()
