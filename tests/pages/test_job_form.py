"""The form that starts a job: what it would meet, each kind, roles, and what somebody types wrongly."""

from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import Settings

from devices.jobs import engine
from devices.models import DevicePresence, Errand, Job, JobTarget, Product
from iotpanel.pages.jobs.words import REASONS
from iotpanel.tenants.models import Role, Tenant, User
from tests.admin_client import Admin
from tests.make import WITH_COMMANDS, make_devices, make_firmware, make_group, make_member, make_product
from tests.pages.people import browser, links, words

pytestmark = pytest.mark.django_db
FORM, PREVIEW = "/jobs/-/new/", "/jobs/-/preview/"


@pytest.fixture
def pump(tenant: Tenant, settings: Settings, tmp_path: Path) -> Product:
    """Ten devices, eight of which are there, and firmware 1.1.0."""
    settings.FIRMWARE_DIR = tmp_path / "firmware"
    product = make_product(tenant, key="pump", name="<b>Pump</b>", thing_model=WITH_COMMANDS)
    devices = make_devices(tenant, product, [f"pump-{number}" for number in range(10)])
    DevicePresence.objects.filter(device__in=devices[:8]).update(online=True, last_seen=timezone.now())
    make_firmware(product, version="1.1.0")
    make_group(tenant, key="hall")
    return product


@pytest.fixture
def operator(tenant: Tenant) -> User:
    return make_member(tenant, Role.OPERATOR)


def package(product: Product) -> str:
    return str(product.firmware.get().pk)


def test_the_preview_says_whom_it_would_meet_and_does_nothing(pump: Product, operator: User) -> None:
    sent = {"kind": "firmware", "package": package(pump), "product": "pump", "canary_percent": "10", "wave_percent": "50"}
    seen = words(browser(operator).post(PREVIEW, sent).content)
    assert "Devices 10 Online now 8 Offline 0 Never seen 2 Waves 1 · 5 · 4" in seen
    whole = browser(operator).post(FORM, sent | {"preview": "1"}).content
    assert "Online now 8" in words(whole), "also without scripts"
    assert b'value="50"' in whole
    assert b"<b>Pump" not in whole
    assert not Job.objects.exists()


def test_firmware_is_rolled_out_from_the_product_s_tab(pump: Product, operator: User) -> None:
    tab = browser(operator).get("/products/pump/firmware/").content
    link = next(link for link in links(tab) if link.startswith(FORM))
    form = browser(operator).get(link).content.decode()
    assert f'value="{package(pump)}" selected' in form
    assert 'value="pump" selected' in form

    sent = {"kind": "firmware", "package": package(pump), "product": "pump", "rollback": "on", "timeout": "90", "canary_percent": "5"}
    more = {"starts_at": "2030-01-02T03:04", "timezone": "Europe/Berlin", "from": "01:00", "to": "05:00", "days": ["5", "6"]}
    answer = browser(operator).post(FORM, sent | more | {"canary_confirm": "on", "name": ""})
    job = Job.objects.get()
    assert (answer.status_code, answer["Location"]) == (302, job.get_absolute_url())
    assert (job.name, job.person) == ("Bring firmware onto devices: pump 1.1.0", operator)
    assert (job.spec["version"], job.spec["rollback"], job.spec["timeout"]) == ("1.1.0", True, 90)
    assert (job.rollout["windows"], job.rollout["canary_confirm"]) == ([{"from": "01:00", "to": "05:00", "days": [5, 6]}], True)
    assert job.starts_at is not None
    assert job.starts_at.isoformat() == "2030-01-02T02:04:00+00:00"


@pytest.mark.parametrize(
    ("sent", "spec", "target"),
    [
        (
            {"kind": "command", "command": "set-level", "params": '{"level": 4}', "search": "pump"},
            {"command": "set-level", "params": {"level": 4}, "timeout": None},
            {"search": "pump"},
        ),
        (
            {"kind": "shadow", "desired": '{"interval": 60}', "confirm": "on", "devices": "pump-1, pump-2\npump-3"},
            {"desired": {"interval": 60}, "confirm": True, "timeout": 300},
            {"devices": ["pump-1", "pump-2", "pump-3"]},
        ),
        ({"kind": "credentials", "product": "pump"}, {"timeout": 300}, {"product": "pump"}),
    ],
)
def test_every_kind(pump: Product, owner: User, sent: dict[str, str], spec: Any, target: Any) -> None:
    assert browser(owner).post(FORM, sent).status_code == 302
    job = Job.objects.get()
    assert (job.spec, job.target) == (spec, target)
    engine.step(job.pk, timezone.now())
    assert browser(owner).get(job.get_absolute_url()).status_code == 200


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        ({"kind": "firmware", "package": "", "product": "pump"}, "Choose a firmware."),
        ({"kind": "firmware", "package": "99999999999", "product": "pump"}, "Choose a firmware."),
        ({"kind": "firmware", "package": "²", "product": "pump"}, "Choose a firmware."),
        ({"kind": "dance", "product": "pump"}, "Choose what is done."),
        ({"kind": "command", "command": "reboot"}, "at least one of"),
        ({"kind": "command", "command": "reboot", "product": "pump", "params": "{"}, "is not JSON"),
        ({"kind": "command", "command": "reboot", "product": "none"}, "There is no “none”."),
        ({"kind": "command", "command": "reboot", "group": "hall"}, "Between 1 and"),
        ({"kind": "command", "command": "reboot", "devices": "pump-1 <script>"}, "There is no “<script>”."),
        ({"kind": "command", "command": "reboot", "product": "pump", "canary_percent": "many"}, "is not a number"),
        ({"kind": "command", "command": "reboot", "product": "pump", "canary_percent": "99"}, "Between 0 and 50."),
        ({"kind": "command", "command": "reboot", "product": "pump", "from": "01:00"}, "such as 01:30"),
        ({"kind": "command", "command": "reboot", "product": "pump", "timezone": "Mars"}, "no such time zone"),
        ({"kind": "command", "command": "reboot", "product": "pump", "starts_at": "soon"}, "This is no time."),
        ({"kind": "command", "command": "reboot", "labels": "a", "job": "x"}, "is not a number"),
        ({"kind": "shadow", "product": "pump", "desired": "[]"}, "An object with “desired”"),
        ({"kind": "shadow", "product": "pump", "desired": '{"a": "\\u0000"}'}, "contains a NUL character"),
        ({"kind": "credentials", "product": "pump", "timeout": "-1"}, "a number of seconds"),
    ],
)
def test_what_is_wrong_is_said_and_what_was_typed_stays(pump: Product, owner: User, sent: dict[str, str], said: str) -> None:
    answer = browser(owner).post(FORM, sent | {"name": "<i>Mine</i>"})
    assert (answer.status_code, Job.objects.count()) == (400, 0)
    assert said.lower() in words(answer.content).lower()
    assert b"&lt;i&gt;Mine" in answer.content
    assert b"<i>" not in answer.content
    assert b"<script>&" not in answer.content
    if "Between 1" not in said:  # that no device fits is no fault of the form
        assert said.lower() in words(browser(owner).post(PREVIEW, sent).content).lower()


def test_roles_and_strangers(pump: Product, tenant: Tenant, viewer: User, operator: User, stranger: User) -> None:
    sent = {"kind": "firmware", "package": package(pump), "product": "pump"}
    for path in (FORM, PREVIEW):
        assert browser(viewer).post(path, sent).status_code == 403
        assert "Choose a firmware." in words(browser(stranger).post(path, sent).content)
    assert browser(viewer).get(FORM).status_code == 403
    assert "1.1.0" not in words(browser(stranger).get(FORM).content)
    assert browser(operator).post(FORM, {"kind": "credentials", "product": "pump"}).status_code == 403
    assert "Give new secrets" not in words(browser(operator).get(FORM).content)
    assert FORM not in links(browser(viewer).get("/jobs/").content)
    assert not Job.objects.exists()


def test_the_page_shows_waves_and_each_device_s_progress_and_the_way_back(pump: Product, operator: User, viewer: User) -> None:
    browser(operator).post(FORM, {"kind": "firmware", "package": package(pump), "product": "pump", "canary_percent": "20"})
    job = Job.objects.get()
    engine.step(job.pk, timezone.now())
    Errand.objects.filter(target__job=job).update(state="downloading", progress=40)
    html = browser(operator).get(job.get_absolute_url()).content
    seen = words(html)
    assert "canary 0% 2 Wave 2 – 8" in seen
    assert "Under way Downloading 2" in seen
    assert "Downloading 40%" in seen
    assert "Roll back" not in seen, "there is nothing to take back yet"
    JobTarget.objects.filter(pk=JobTarget.objects.filter(job=job, wave=0).first().pk).update(state="succeeded")  # type: ignore[union-attr]
    html = browser(operator).get(job.get_absolute_url()).content
    link = next(link for link in links(html) if "previous=1" in link)
    back = browser(operator).get(link).content.decode()
    assert 'value="previous" selected' in back
    assert f'name="job" value="{job.pk}"' in back
    assert "Roll back" not in words(browser(viewer).get(job.get_absolute_url()).content)

    JobTarget.objects.filter(job=job, wave=0).update(state="failed", reason="wrong_version", error="0.9")
    assert "the device runs another version: 0.9" in words(browser(viewer).get(job.get_absolute_url()).content)
    assert "pump 1.1.0" in words(browser(viewer).get("/jobs/").content)


def test_codes_have_words() -> None:
    assert {"no_progress", "not_installed", "already_there", "no_credentials", "update_under_way"} <= set(REASONS)


def test_the_admin_shows_jobs_and_changes_none(pump: Product, owner: User, stranger: User) -> None:
    browser(owner).post(FORM, {"kind": "command", "command": "reboot", "product": "pump", "name": "<b>Reboot</b>"})
    job = Job.objects.get()
    for user in (owner, stranger):
        user.is_staff = True
        user.save()
    admin = Admin(owner)
    assert "Reboot" in words(admin.list(Job).content)
    html = admin.open(job).content
    assert "pending: 10" in words(html)
    assert b"<b>Reboot" not in html
    assert admin.change(job, name="Other").status_code == 403
    assert Admin(stranger).open(job).status_code == 404
