"""Firmware over REST: uploaded as a form, listed, given out by signed addresses that end."""

import hashlib
from pathlib import Path
from typing import Any

import pytest
from django.core import signing
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from knox.models import AuthToken
from pytest_django import Settings

from devices.firmware import addresses, files, sending
from devices.models import Errand, Firmware, Product
from iotpanel.tenants.models import Role, Tenant, User
from tests.make import make_device, make_firmware, make_member, make_product
from tests.rest import Rest, refused, results

pytestmark = pytest.mark.django_db
IMAGE = bytes(range(256)) * 1_000


def upload(user: User, image: bytes = IMAGE, **given: Any) -> Any:
    headers = {"Authorization": f"Bearer {AuthToken.objects.create(user)[1]}"}
    form = {"product": "pump", "version": "1.0.0", "file": SimpleUploadedFile("<b>../x.bin", image)} | given
    return Client().post("/api/v1/firmware/", form, headers=headers)


def body(answer: Any) -> bytes:
    return b"".join(answer.streaming_content) if answer.streaming else answer.content


def given_out(firmware: Firmware) -> tuple[str, Errand]:
    """The address that a device of the product has, while its update runs."""
    device = make_device(product=firmware.product)
    job = firmware.tenant.jobs.create(name="n", kind="firmware")
    target = job.targets.create(device=device, wave=0)
    errand = Errand.objects.create(target=target, device=device, kind="ota", firmware=firmware, timeout=60, due_at=device.created_at)
    return addresses.make(firmware.pk, device.pk), errand


def path(address: str) -> str:
    return address[address.index("/api/") :]


def test_upload_list_notes_and_delete(pump: Product, owner: User, viewer: User) -> None:
    answer = upload(owner, size=len(IMAGE), sha256=hashlib.sha256(IMAGE).hexdigest(), notes="<b>First</b>\nof all")
    assert answer.status_code == 201, answer.content
    made = answer.json()
    assert (made["product"], made["version"], made["size"], made["uploaded_by"]) == ("pump", "1.0.0", len(IMAGE), "olga")
    assert made["notes"] == "<b>First</b>\nof all"

    assert [row["id"] for row in results(Rest(viewer).get("firmware/", product="pump"))] == [made["id"]]
    assert Rest(viewer).get(f"firmware/{made['id']}/").json()["sha256"] == hashlib.sha256(IMAGE).hexdigest()
    assert Rest(owner).patch(f"firmware/{made['id']}/", {"notes": "Later"}).json()["notes"] == "Later"
    assert Rest(owner).delete(f"firmware/{made['id']}/").status_code == 204
    assert results(Rest(viewer).get("firmware/")) == []


def test_refusals_have_one_shape_with_a_code(pump: Product, owner: User, settings: Settings) -> None:
    upload(owner, version="2.0.0")
    assert "size" in refused(upload(owner, version="2.1.0", size=5), 400, "size_mismatch")
    refused(upload(owner, version="2.1.0", sha256="0" * 64), 400, "sha256_mismatch")
    refused(upload(owner, version="1.0.0"), 409, "older_version")
    refused(upload(owner, version="2.0.0"), 409, "version_taken")
    refused(upload(owner, version="2.1.0", product="valve"), 400, "unknown_product")
    refused(upload(owner, version="two"), 400, "bad_version")
    refused(upload(owner, version="2.1.0", image=b""), 400, "empty")
    refused(upload(owner, version="2.1.0", signature="AAAA"), 400, "no_public_key")
    settings.FIRMWARE_MAX_BYTES = 1_000
    refused(upload(owner, version="2.1.0"), 413, "too_large")
    refused(Rest(owner).post("firmware/", {"product": "pump"}), 400, "invalid")
    assert upload(owner, version="1.0.0", rollback="true", image=b"small").status_code == 201


def test_roles(pump: Product, tenant: Tenant, viewer: User, stranger: User) -> None:
    made, operator = make_firmware(pump, IMAGE), make_member(tenant, Role.OPERATOR)
    for user in (viewer, operator):
        assert upload(user).status_code == 403
    assert Rest(viewer).get(f"firmware/{made.pk}/image/").status_code == 403
    assert body(Rest(operator).get(f"firmware/{made.pk}/image/")) == IMAGE
    assert Rest(stranger).get(f"firmware/{made.pk}/image/").status_code == 404
    refused(upload(stranger), 400, "unknown_product")


def test_a_device_reads_its_image_whole_and_in_parts(pump: Product) -> None:
    made = make_firmware(pump, IMAGE)
    url, client = path(given_out(made)[0]), Client()
    whole = client.get(url)
    assert (whole.status_code, body(whole), whole["Accept-Ranges"]) == (200, IMAGE, "bytes")
    assert whole["Content-Length"] == str(len(IMAGE))

    part = client.get(url, headers={"Range": "bytes=100-199", "If-Range": whole["ETag"]})
    assert (part.status_code, body(part)) == (206, IMAGE[100:200])
    assert part["Content-Range"] == f"bytes 100-199/{len(IMAGE)}"
    rest = client.get(url, headers={"Range": "bytes=200-"})
    assert body(rest) == IMAGE[200:]
    changed = client.get(url, headers={"Range": "bytes=200-", "If-Range": '"other"'})
    assert (changed.status_code, body(changed)) == (200, IMAGE)
    none = client.get(url, headers={"Range": f"bytes={len(IMAGE)}-"})
    assert (none.status_code, none["Content-Range"]) == (416, f"bytes */{len(IMAGE)}")
    head = client.head(url, headers={"Range": "bytes=0-9"})
    assert (head.status_code, head.content, head["Content-Length"]) == (206, b"", "10")
    assert sending.DOORS.open == 0, "whoever came has left"


def test_an_address_is_for_one_device_and_ends(pump: Product, settings: Settings) -> None:
    made, client = make_firmware(pump, IMAGE), Client()
    address, errand = given_out(made)
    other = make_device(product=pump)
    forged = [path(addresses.make(made.pk, other.pk)), path(addresses.make(made.pk + 1, errand.device_id))]
    for url in forged:
        refused(client.get(url), 403, "withdrawn")
    wrong = signing.dumps("x", salt=addresses.SALT)
    for token in ("x", wrong, path(address).rsplit("/", 1)[1][:-1], signing.dumps([made.pk, errand.device_id], salt="other")):
        refused(client.get(f"/api/v1/device/firmware/{token}"), 401, "bad_address")

    errand.device.enabled = False
    errand.device.save()
    refused(client.get(path(address)), 403, "withdrawn")
    errand.device.enabled = True
    errand.device.save()
    assert client.get(path(address)).status_code == 200
    Errand.objects.update(finished_at=errand.due_at)
    refused(client.get(path(address)), 403, "withdrawn")
    settings.FIRMWARE_ADDRESS_SECONDS = -1
    refused(client.get(path(address)), 403, "address_expired")


def test_so_many_downloads_at_once_and_no_more(pump: Product, settings: Settings) -> None:
    settings.FIRMWARE_DOWNLOADS = 1
    url, client = path(given_out(make_firmware(pump, IMAGE))[0]), Client()
    first = client.get(url)
    begun = iter(first.streaming_content)  # type: ignore[attr-defined]
    next(begun)
    busy = client.get(url)
    refused(busy, 503, "unavailable")
    assert busy["Retry-After"] == "10"
    assert b"".join(begun)
    doors = sending.Doors()
    doors.enter()
    unread = sending.Leaving(files.pieces("none"), doors)
    unread.close()
    unread.close()
    assert doors.open == 0, "who reads nothing of it leaves too, and once"


def test_an_image_that_is_gone_is_said(pump: Product, folder: Path, owner: User) -> None:
    made = make_firmware(pump, IMAGE)
    (folder / made.file).unlink()
    refused(Rest(owner).get(f"firmware/{made.pk}/image/"), 400, "image_lost")


@pytest.mark.parametrize(
    ("given", "address"),
    [
        ({"PUBLIC_URL": "https://panel.example.org/"}, "https://panel.example.org"),
        ({"HTTPS": True, "ALLOWED_HOSTS": ["*", ".panel.example.org"]}, "https://panel.example.org"),
        ({"MQTT_HOST": "10.0.0.7", "PORT": 8080}, "http://10.0.0.7:8080"),
        ({"BIND": "127.0.0.1", "PORT": 8000}, "http://127.0.0.1:8000"),
        ({"BIND": "192.168.1.9", "PORT": 80, "ALLOWED_HOSTS": ["*"]}, "http://192.168.1.9:80"),
    ],
)
def test_the_address_that_devices_are_told(pump: Product, settings: Settings, given: dict[str, Any], address: str) -> None:
    plain = {"PUBLIC_URL": "", "HTTPS": False, "MQTT_HOST": "", "ALLOWED_HOSTS": ["localhost"], "BIND": "127.0.0.1"}
    for name, value in (plain | given).items():
        setattr(settings, name, value)
    assert addresses.make(1, 1).startswith(f"{address}/api/v1/device/firmware/")


def test_another_product_s_packages_are_not_shown(pump: Product, tenant: Tenant, owner: User) -> None:
    make_firmware(make_product(tenant, key="valve"))
    assert results(Rest(owner).get("firmware/", product="pump")) == []
    refused(Rest(owner).get("firmware/", product="none"), 400, "invalid")
