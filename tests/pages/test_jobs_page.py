"""The pages of jobs: the list, the picture, steering; and the page that claims a device."""

from typing import Any
from xml.etree import ElementTree

import pytest
from django.core.cache import cache
from django.utils import timezone
from pytest_django import Settings

from devices.downlink import moves
from devices.enrolment import claims
from devices.jobs import engine, verbs
from devices.models import Device, DevicePresence, Job
from iotpanel.pages.jobs.views import picture
from iotpanel.tenants.models import Role, Tenant, User
from tests.make import make_device, make_devices, make_group, make_member, make_product
from tests.pages.people import browser, links, words

pytestmark = pytest.mark.django_db
MODEL = {"commands": [{"key": "restart", "name": "Restart"}]}


@pytest.fixture
def job(tenant: Tenant) -> Job:
    """Ten devices that are there, a canary of two."""
    product = make_product(tenant, key="pump", thing_model=MODEL)
    devices = make_devices(tenant, product, [f"pump-{number}" for number in range(10)])
    DevicePresence.objects.filter(device__in=devices).update(online=True, last_seen=timezone.now())
    rollout = {"canary_percent": 20, "abort_percent": 50}
    return verbs.start(
        tenant, name="<b>Restart</b>", kind="command", spec={"command": "restart"}, target={"product": "pump"}, rollout=rollout
    )


def test_a_canary_that_stops_is_seen_on_the_page(job: Job, viewer: User) -> None:
    page = browser(viewer)
    engine.step(job.pk, timezone.now())
    seen = words(page.get(job.get_absolute_url()).content)
    assert "Running" in seen
    assert "1 of 2 canary" in seen

    moves.finish("true", "failed", timezone.now(), reason="broken", error="no power", wait=True)
    engine.step(job.pk, timezone.now())
    html = page.get(job.get_absolute_url()).content
    seen = words(html)
    assert "Aborted the canary reached its limit of failures" in seen
    assert "Failed 2" in seen
    assert "Cancelled 8" in seen
    assert "no power" in seen
    assert b"every 2s" not in html, "nothing moves any more"
    assert b"<b>Restart" not in html


def test_the_picture_is_as_wide_as_the_devices_are_many(job: Job) -> None:
    engine.step(job.pk, timezone.now())
    drawn = picture(verbs.counts(job))
    assert sum(part["width"] for part in drawn["parts"]) == 1000
    assert {part["state"]: part["width"] for part in drawn["parts"] if part["width"]} == {"working": 200, "pending": 800}
    assert (drawn["total"], drawn["percent"]) == (10, 0)


def test_the_list_draws_each_job(job: Job, viewer: User) -> None:
    html = browser(viewer).get("/jobs/").content.decode()
    bar = ElementTree.fromstring(html[html.index('<svg class="job-bar') : html.index("</svg>", html.index('<svg class="job-bar')) + 6])
    assert bar.attrib["aria-label"].strip() == "Not started: 10."
    assert job.get_absolute_url() in links(html.encode())


def test_htmx_gets_the_live_part_alone(job: Job, viewer: User) -> None:
    answer = browser(viewer).get(job.get_absolute_url(), {"state": "pending"}, headers={"HX-Request": "true"})
    assert b"<html" not in answer.content
    assert b"every 2s" in answer.content


def test_an_operator_steers_and_a_viewer_does_not(job: Job, tenant: Tenant, viewer: User) -> None:
    operator, url = browser(make_member(tenant, Role.OPERATOR)), job.get_absolute_url()
    assert browser(viewer).post(f"{url}pause/").status_code == 403
    assert "Pause" not in words(browser(viewer).get(url).content)

    for verb, state in (("pause", "paused"), ("resume", "running"), ("abort", "aborted"), ("retry", "running")):
        assert operator.post(f"{url}{verb}/").status_code == 302
        job.refresh_from_db()
        assert job.state == state
    assert operator.post(f"{url}delete/").status_code == 404
    assert "The job is Running." in words(operator.post(f"{url}resume/", follow=True).content)


def test_a_stranger_finds_no_job(job: Job, stranger: User) -> None:
    assert browser(stranger).get(job.get_absolute_url()).status_code == 404
    assert browser(stranger).post(f"{job.get_absolute_url()}abort/").status_code == 404
    assert "Restart" not in words(browser(stranger).get("/jobs/").content)


def claim(user: User, **sent: Any) -> Any:
    return browser(user).post("/devices/-/claim/", sent)


def test_a_qr_code_leads_to_the_form_and_the_form_to_the_device(tenant: Tenant) -> None:
    operator = make_member(tenant, Role.OPERATOR)
    _claim, code = claims.prepare(make_device(tenant, key="pump-1"))
    make_group(tenant, key="hall")
    form = browser(operator).get("/devices/-/claim/", {"code": code})
    assert f'value="{code}"' in form.content.decode()

    answer = claim(operator, code=code.lower(), name="In the hall", group="hall")
    assert (answer.status_code, answer["Location"]) == (302, "/devices/pump-1/")
    device = Device.objects.get()
    assert (device.name, device.enabled, device.groups.get().key) == ("In the hall", True, "hall")
    assert device.claim.claimed_by == operator
    assert "has been claimed already" in words(claim(operator, code=code).content)


@pytest.mark.parametrize("code", ["", "wrong", "<script>", "\0", "x" * 5000])
def test_a_wrong_code_is_said_beside_the_field(tenant: Tenant, owner: User, code: str) -> None:
    answer = claim(owner, code=code, group="\0")
    assert answer.status_code == 422
    assert "No device waits for this code." in words(answer.content)
    assert b'<script>"' not in answer.content


def test_a_viewer_claims_nothing_and_nobody_guesses(tenant: Tenant, viewer: User, owner: User, settings: Settings) -> None:
    _claim, code = claims.prepare(make_device(tenant))
    assert claim(viewer, code=code).status_code == 403
    settings.THROTTLE = True
    cache.clear()
    assert claim(owner, code="guess").status_code == 422
    assert 429 in {claim(owner, code="guess").status_code for _ in range(21)}
    cache.clear()
