"""Firmware campaigns, desired states and new secrets by jobs: devices say how it goes, as they would in the uplink's batch."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest
from django.core.exceptions import ValidationError
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from devices.downlink import errand_outbox, progress, reports, wake
from devices.exceptions import Invalid
from devices.firmware import packages
from devices.jobs import KINDS, engine, verbs
from devices.models import ChunkRequest, Device, DevicePresence, Errand, Job, RunningFirmware, Shadow
from devices.provisioning import verify_secret
from iotpanel.api.errors import ApiError
from iotpanel.tenants.models import Role, Tenant, User
from tests.make import make_device, make_device_with_secret, make_devices, make_firmware, make_member, make_product
from tests.rest import Rest, results

pytestmark = pytest.mark.django_db
IMAGE = bytes(range(256)) * 40


class Fleet:
    """Ten pumps with firmware 1.0.0, nine of them there; versions 1.0.0 and 1.1.0 can be had."""

    def __init__(self, tenant: Tenant, count: int = 10, away: int = 1) -> None:
        self.tenant = tenant
        self.product = make_product(tenant, key="pump")
        self.old, self.new = (make_firmware(self.product, IMAGE, version=version) for version in ("1.0.0", "1.1.0"))
        self.devices = make_devices(tenant, self.product, [f"pump-{number}" for number in range(count)])
        self.ids = [device.pk for device in self.devices]
        self.there = self.ids[: count - away]
        self.now = timezone.now()
        DevicePresence.objects.filter(device__in=self.there).update(online=True, last_seen=self.now)
        self.say(*self.ids, version="1.0.0")

    def start(self, kind: str = "firmware", spec: Any = None, target: Any = None, **rollout: Any) -> Job:
        what = {"product": "pump", "version": "1.1.0"} if spec is None else spec
        return verbs.start(self.tenant, name="Job", kind=kind, spec=what, target=target or {"product": "pump"}, rollout=rollout)

    def step(self, job: Job, seconds: float = 2) -> Job:
        self.now += timedelta(seconds=seconds)
        engine.step(job.pk, self.now)
        job.refresh_from_db()
        return job

    def send(self) -> list[errand_outbox.ReadyErrand]:
        """As the dispatcher does, with a broker that takes everything."""
        found = errand_outbox.ready(self.ids)
        errand_outbox.mark_sent(found, self.now)
        return found

    def say(self, *ids: int, kind: str = "ota", **body: Any) -> list[Any]:
        self.now += timedelta(milliseconds=1)
        at = int(self.now.timestamp() * 1_000_000)
        return progress.apply([progress.read(pk, kind, body, at) for pk in ids])


@pytest.fixture
def fleet(tenant: Tenant, settings: Settings, tmp_path: Path) -> Fleet:
    settings.FIRMWARE_DIR = tmp_path / "firmware"
    return Fleet(tenant)


def numbers(job: Job) -> dict[str, int]:
    return {state: number for state, number in verbs.counts(job).items() if number}


def reasons(job: Job) -> set[str]:
    return set(job.targets.exclude(reason="").values_list("reason", flat=True))


def test_a_campaign_goes_from_the_offer_to_the_proof(fleet: Fleet) -> None:
    job = fleet.step(fleet.start())
    assert numbers(job) == {"working": 10}
    sent = fleet.send()
    assert {each.device_id for each in sent} == set(fleet.there), "the one that is away is waited for"
    offer = orjson.loads(sent[0].payload())
    assert (offer["version"], offer["size"], offer["sha256"]) == ("1.1.0", len(IMAGE), fleet.new.sha256)
    assert set(offer) == {"version", "size", "sha256", "url"}
    assert fleet.send() == [], "once is enough"

    for state, percent in (("downloading", 40), ("verifying", 0), ("installing", 100)):
        fleet.say(*fleet.there, version="1.1.0", state=state, progress=percent)
        assert KINDS[job.kind]().steps(fleet.step(job)) == {state: 9, "queued": 1}
    fleet.say(*fleet.there, version="1.1.0", state="succeeded")
    job = fleet.step(job)
    assert (job.state, numbers(job)) == ("running", {"succeeded": 9, "working": 1})
    assert RunningFirmware.objects.filter(version="1.1.0", before="1.0.0").count() == 9

    DevicePresence.objects.update(online=True, last_seen=fleet.now)
    assert len(fleet.send()) == 1
    fleet.say(fleet.ids[-1], version="1.1.0")
    assert (fleet.step(job).state, numbers(job)) == ("finished", {"succeeded": 10})


def test_what_a_device_says_after_a_start_tells_what_came_of_it(fleet: Fleet) -> None:
    job = fleet.step(fleet.start(abort_percent=100))
    fleet.send()
    back, again, proof, liar = fleet.there[:4]
    fleet.say(back, version="1.1.0", state="installing")
    fleet.say(back, version="1.0.0")
    fleet.say(again, version="1.1.0", state="downloading", progress=90)
    fleet.say(again, version="1.0.0")
    fleet.say(proof, version="1.1.0", state="idle")
    fleet.say(liar, version="1.0.9", state="succeeded")
    job = fleet.step(job)
    found = {target.device_id: (target.state, target.reason) for target in job.targets.all()}
    assert found[back] == ("failed", "not_installed")
    assert found[again] == ("working", ""), "it lost its power and begins anew"
    assert [each.device_id for each in fleet.send()] == [again], "so it is told again"
    assert found[proof] == ("succeeded", "")
    assert found[liar] == ("failed", "wrong_version")


def test_a_canary_that_fails_stops_it_and_withdraws_what_was_offered(fleet: Fleet) -> None:
    job = fleet.step(fleet.start(canary_percent=30, abort_percent=50))
    ids = [each.device_id for each in fleet.send()]
    assert len(ids) == 3
    fleet.say(ids[0], version="1.1.0", state="downloading", progress=5)
    fleet.say(*ids[1:], version="1.1.0", state="failed", error="<b>no room</b>")
    job = fleet.step(job)
    assert (job.state, job.reason, numbers(job)) == ("aborted", "canary_failed", {"failed": 2, "cancelled": 8})
    assert set(job.targets.filter(state="failed").values_list("error", flat=True)) == {"<b>no room</b>"}
    assert Errand.objects.filter(finished_at=None).count() == 0
    assert isinstance(fleet.say(ids[0], kind="chunk", version="1.1.0", offset=0)[0], Invalid)
    assert fleet.say(ids[0], version="1.1.0", state="succeeded") == [None]
    assert fleet.step(job).state == "aborted"
    assert RunningFirmware.objects.get(device=ids[0]).version == "1.1.0", "but what it runs is known"


def test_silence_ends_it_and_it_is_tried_again(fleet: Fleet) -> None:
    spec = {"product": "pump", "version": "1.1.0", "timeout": 60}
    job = fleet.step(fleet.start(spec=spec, retries=1, retry_after=10, abort_percent=100, wait_offline=500))
    fleet.send()
    fleet.say(fleet.ids[0], version="1.1.0", state="downloading", progress=5)
    job = fleet.step(job, 61)
    assert numbers(job) == {"pending": 9, "working": 1}
    job = fleet.step(job, 11)
    assert (numbers(job), Errand.objects.count()) == ({"working": 10}, 10)
    fleet.send()
    job = fleet.step(job, 500)
    assert numbers(job) == {"failed": 10}
    assert reasons(job) == {"no_progress", "not_sent"}
    assert set(job.targets.filter(reason="not_sent").values_list("attempts", flat=True)) == {1}


def test_devices_that_need_or_may_not_have_it(fleet: Fleet, tenant: Tenant) -> None:
    make_device(tenant, key="other", product=make_product(tenant, key="valve"))
    fleet.say(fleet.ids[0], version="1.1.0")
    fleet.say(fleet.ids[1], version="2.0.0")
    Device.objects.filter(pk=fleet.ids[2]).update(enabled=False)
    expected = {"already_there": 1, "older_version": 1, "device_disabled": 1, "wrong_product": 1}
    spec, everybody = {"product": "pump", "version": "1.1.0"}, {"devices": ["other", *(device.key for device in fleet.devices)]}
    assert verbs.dry_run(tenant, kind="firmware", spec=spec, target=everybody)["problems"] == expected
    job = fleet.step(fleet.start(target=everybody, abort_percent=100))
    assert numbers(job) == {"succeeded": 1, "failed": 3, "working": 7}
    assert reasons(job) == set(expected)
    with pytest.raises(ApiError) as caught:
        packages.delete_package(fleet.new)
    assert caught.value.code == "in_use"

    second = fleet.step(fleet.start(target={"devices": ["pump-1", "pump-3"]}, spec=spec | {"rollback": True}, abort_percent=100))
    assert numbers(second) == {"working": 1, "failed": 1}
    assert reasons(second) == {"update_under_way"}


def test_a_rollback_takes_each_device_to_its_version_before(fleet: Fleet) -> None:
    job = fleet.step(fleet.start(target={"devices": ["pump-0", "pump-1", "pump-2"]}))
    fleet.send()
    fleet.say(*fleet.ids[:2], version="1.1.0")
    fleet.say(fleet.ids[2], version="1.1.0", state="failed")
    job = fleet.step(job)
    assert numbers(job) == {"succeeded": 2, "failed": 1}

    back = fleet.step(fleet.start(spec={"previous": True}, target={"job": job.pk}))
    assert numbers(back) == {"working": 2}
    assert {each.version for each in fleet.send()} == {"1.0.0"}
    fleet.say(*fleet.ids[:2], version="1.0.0", state="succeeded")
    assert (fleet.step(back).state, numbers(back)) == ("finished", {"succeeded": 2})

    third = fleet.step(fleet.start(spec={"previous": True}, target={"job": job.pk}, abort_percent=100))
    assert reasons(third) == {"no_previous_version"}, "going back twice does not go forward"


def test_pieces_for_devices_without_http(fleet: Fleet) -> None:
    fleet.step(fleet.start())
    fleet.send()
    pk = fleet.ids[0]
    assert fleet.say(pk, kind="chunk", version="1.1.0", offset=0) == [None]
    fleet.say(pk, kind="chunk", version="1.1.0", offset=5120, length=1000)
    wishes = errand_outbox.wishes(fleet.ids)
    assert [(each.offset, each.length, each.payload()) for each in wishes] == [(5120, 1000, IMAGE[5120:6120])]
    assert wishes[0].levels == ["ota", "chunk", fleet.new.sha256[:8], "5120"]
    errand = Errand.objects.get(device=pk)
    assert (errand.state, errand.progress) == ("downloading", 50)
    errand_outbox.grant(wishes)
    assert not ChunkRequest.objects.exists()
    fleet.say(pk, kind="chunk", version="1.1.0", offset=len(IMAGE) - 10)
    assert errand_outbox.wishes(fleet.ids)[0].payload() == IMAGE[-10:]

    for body, code in (
        ({"version": "1.0.0", "offset": 0}, "unexpected_reply"),
        ({"version": "1.1.0", "offset": len(IMAGE)}, "out_of_range"),
    ):
        refused = fleet.say(pk, kind="chunk", **body)[0]
        assert isinstance(refused, Invalid)
        assert refused.code == code


@pytest.mark.parametrize(
    ("kind", "body", "code"),
    [
        ("ota", [], "bad_shape"),
        ("ota", {"version": "1", "extra": 1}, "bad_shape"),
        ("ota", {"state": "succeeded"}, "bad_value"),
        ("ota", {"version": "1", "state": "happy"}, "bad_value"),
        ("ota", {"version": "1", "state": []}, "bad_value"),
        ("ota", {"version": "x" * 65}, "bad_value"),
        ("ota", {"version": "1\n"}, "bad_value"),
        ("ota", {"version": "1", "progress": 101}, "bad_value"),
        ("ota", {"version": "1", "progress": True}, "bad_value"),
        ("ota", {"version": "1", "error": "\0"}, "bad_value"),
        ("chunk", {"version": "1"}, "bad_shape"),
        ("chunk", {"version": "1", "offset": -1}, "bad_value"),
        ("chunk", {"version": "1", "offset": 2**60}, "bad_value"),
        ("chunk", {"version": "1", "offset": 0, "length": 65_537}, "bad_value"),
        ("chunk", {"version": "1", "offset": 1.5}, "bad_value"),
        ("credentials", {"id": 1}, "bad_shape"),
        ("credentials", {"id": 1, "status": "yes"}, "bad_shape"),
        ("credentials", {"id": "1", "status": "ok"}, "bad_value"),
    ],
)
def test_words_that_are_none(kind: str, body: Any, code: str) -> None:
    with pytest.raises(Invalid) as caught:
        progress.read(1, kind, body, 0)
    assert caught.value.code == code


def test_a_device_that_comes_back_without_a_word_is_told_again(fleet: Fleet) -> None:
    fleet.step(fleet.start())
    fleet.send()
    wake.came({fleet.ids[0]})
    assert [each.device_id for each in fleet.send()] == [fleet.ids[0]]
    fleet.say(fleet.ids[1])
    assert [each.device_id for each in fleet.send()] == [fleet.ids[1]], "`{}` asks for the offer"
    assert errand_outbox.wanted_devices() == set()


def test_what_another_device_s_update_is_stays_its_own(fleet: Fleet) -> None:
    fleet.step(fleet.start(target={"devices": ["pump-0"]}))
    fleet.send()
    fleet.say(fleet.ids[1], version="1.1.0", state="failed")
    assert Errand.objects.get().state == "sent"


@pytest.mark.parametrize(
    "spec",
    [
        *[{}, [], {"version": "1.1.0"}, {"product": "pump", "version": "9"}, {"product": "pump\0", "version": "1.1.0"}],
        *[{"product": "pump", "version": "1.1.0", "rollback": 1}, {"product": "pump", "version": "1.1.0", "timeout": 0}],
        *[{"product": "foreign", "version": "1.0.0"}, {"previous": "yes"}, {"product": "pump", "version": "1.1.0", "url": "http://x"}],
    ],
)
def test_a_bad_firmware_spec_is_refused(fleet: Fleet, other_tenant: Tenant, spec: Any) -> None:
    make_firmware(make_product(other_tenant, key="foreign"), version="1.0.0")
    with pytest.raises(ValidationError):
        fleet.start(spec=spec)


def test_a_target_of_a_stranger_s_job_is_refused(fleet: Fleet, other_tenant: Tenant) -> None:
    theirs = Job.objects.create(tenant=other_tenant, name="n", kind="firmware")
    for pk in (theirs.pk, "1", True, -1, 2**70, None):
        with pytest.raises(ValidationError):
            fleet.start(target={"job": pk})


def report(fleet: Fleet, *ids: int, **reported: Any) -> None:
    at = int(fleet.now.timestamp() * 1_000_000)
    reports.apply([reports.read(pk, {"reported": reported}, at) for pk in ids])


def told(fleet: Fleet, at: datetime) -> None:
    Shadow.objects.filter(device__in=fleet.there).update(wanted="", sent_at=at)


def test_a_desired_state_for_many_is_done_when_they_report_it(fleet: Fleet) -> None:
    report(fleet, fleet.ids[0], interval=60, mode={"eco": True})
    spec = {"desired": {"interval": 60, "mode": {"eco": True}}}
    job = fleet.step(fleet.start("shadow", spec, wait_offline=5_000, abort_percent=100))
    assert numbers(job) == {"working": 9, "succeeded": 1}
    assert set(Shadow.objects.exclude(device=fleet.ids[0]).values_list("wanted", flat=True)) == {"delta"}
    told(fleet, fleet.now)
    report(fleet, *fleet.there[1:5], interval=60, mode={"eco": True, "speed": 3})
    report(fleet, fleet.there[5], interval=60)
    job = fleet.step(job)
    assert numbers(job) == {"working": 5, "succeeded": 5}, "half of it is not all of it"

    job = fleet.step(job, 301)
    assert (numbers(job), reasons(job)) == ({"succeeded": 5, "failed": 3, "working": 2}, {"not_reported"}), "one is told again"
    assert (fleet.step(job, 5_000).state, numbers(job)) == ("finished", {"succeeded": 5, "failed": 5})
    assert reasons(job) == {"not_reported", "not_sent"}


def test_a_desired_state_need_not_be_confirmed(fleet: Fleet) -> None:
    job = fleet.step(fleet.start("shadow", {"desired": {"a": None, "b": 1}, "confirm": False}))
    assert numbers(job) == {"succeeded": 10}
    assert set(Shadow.objects.values_list("wanted", flat=True)) == {"delta"}
    assert fleet.devices[0].shadow_steps.get().patch == {"a": None, "b": 1}


@pytest.mark.parametrize("spec", [{}, {"desired": {}}, {"desired": []}, {"desired": {"a": 1}, "confirm": "no"}, {"desired": {"a": "\0"}}])
def test_a_bad_desired_state_is_refused(fleet: Fleet, spec: Any) -> None:
    with pytest.raises(ValidationError):
        fleet.start("shadow", spec)


def test_a_new_secret_replaces_the_old_one_once_the_device_has_it(fleet: Fleet, tenant: Tenant) -> None:
    device, old = fleet.devices[0], "wrong"
    child = make_device(tenant, key="child", product=fleet.product)
    child.credentials.all().delete()
    job = fleet.step(fleet.start("credentials", {}, target={"devices": ["pump-0", "pump-1", "child"]}, abort_percent=100))
    assert (numbers(job), reasons(job)) == ({"working": 2, "failed": 1}, {"no_credentials"})
    offers = {each.device_id: orjson.loads(each.payload()) for each in fleet.send()}
    offer = offers[device.pk]
    assert verify_secret(device.key, offer["secret"]) is None
    assert offer["secret"] not in Errand.objects.get(device=device).sealed, "it is kept encrypted"

    fleet.say(device.pk, kind="credentials", id=offer["id"], status="ok")
    assert verify_secret(device.key, offer["secret"]) is None, "it has not said that it stored it"
    fleet.say(fleet.ids[1], kind="credentials", id=offer["id"], status="stored")
    assert verify_secret(device.key, offer["secret"]) is None, "another device's word is none"
    fleet.say(device.pk, kind="credentials", id=offer["id"], status="stored")
    assert verify_secret(device.key, offer["secret"]) == device
    assert verify_secret(device.key, old) is None
    assert Errand.objects.get(device=device).sealed == ""

    fleet.say(device.pk, kind="credentials", id=offer["id"], status="ok")
    fleet.say(fleet.ids[1], kind="credentials", id=offers[fleet.ids[1]]["id"], status="error", error="flash is worn out")
    job = fleet.step(job)
    assert numbers(job) == {"succeeded": 1, "failed": 2}
    assert verify_secret("pump-1", offers[fleet.ids[1]]["secret"]) is None
    assert Errand.objects.exclude(sealed="").count() == 0


def test_an_errand_that_cannot_be_read_holds_up_nobody(fleet: Fleet, settings: Settings) -> None:
    secrets = fleet.step(fleet.start("credentials", {}, target={"devices": ["pump-0"]}, abort_percent=100))
    settings.SECRET_KEY = "another one, and no fallback"
    job = fleet.step(fleet.start(target={"devices": ["pump-1", "pump-2"]}))
    Errand.objects.filter(device=fleet.ids[1]).update(firmware=None)
    assert [each.device_id for each in fleet.send()] == [fleet.ids[2]]
    assert reasons(fleet.step(secrets)) == reasons(fleet.step(job)) == {"package_gone"}


def test_new_secrets_are_for_administrators(fleet: Fleet, owner: User) -> None:
    operator = Rest(make_member(fleet.tenant, Role.OPERATOR))
    body = {"name": "Secrets", "kind": "credentials", "spec": {}, "target": {"product": "pump"}}
    for path in ("jobs/", "jobs/?dry_run=1"):
        assert operator.post(path, body).status_code == 403
    made = Rest(owner).post("jobs/", body)
    assert made.status_code == 201
    assert operator.post(f"jobs/{made.json()['id']}/retry/").status_code == 403


def test_progress_over_rest(fleet: Fleet, viewer: User) -> None:
    job = fleet.step(fleet.start())
    fleet.send()
    fleet.say(fleet.ids[0], version="1.1.0", state="downloading", progress=40)
    api = Rest(viewer)
    assert api.get(f"jobs/{job.pk}/").json()["steps"] == {"downloading": 1, "sent": 8, "queued": 1}
    rows = {row["device"]: (row["step"], row["progress"]) for row in results(api.get(f"jobs/{job.pk}/devices/"))}
    assert rows["pump-0"] == ("downloading", 40)
    assert api.get("devices/pump-0/").json()["firmware"]["version"] == "1.0.0"


def test_a_campaign_over_many_takes_few_queries(
    tenant: Tenant, settings: Settings, tmp_path: Path, django_assert_max_num_queries: Any
) -> None:
    settings.FIRMWARE_DIR = tmp_path / "firmware"
    fleet = Fleet(tenant, count=1)
    rows = [Device(tenant=tenant, product=fleet.product, key=f"many-{number}", name="n") for number in range(600)]
    fleet.ids = [device.pk for device in Device.objects.bulk_create(rows)]
    DevicePresence.objects.bulk_create(DevicePresence(device_id=pk, online=True, last_seen=fleet.now) for pk in fleet.ids)
    job = fleet.start(target={"search": "many"})
    with django_assert_max_num_queries(45):
        fleet.step(job)
        fleet.send()
        fleet.say(*fleet.ids, version="1.1.0", state="succeeded")
        fleet.step(job)
    assert numbers(job) == {"succeeded": 600}


def test_a_device_that_talks_http_fetches_its_offer(fleet: Fleet) -> None:
    device, secret = make_device_with_secret(product=fleet.product, key="board")
    client, headers = Client(), {"Authorization": f"Bearer board:{secret}"}
    assert client.get("/api/v1/device/ota", headers=headers).status_code == 204
    job = fleet.step(fleet.start(target={"devices": ["board"]}))
    offer = client.get("/api/v1/device/ota", headers=headers)
    assert (offer.status_code, offer.json()["version"]) == (200, "1.1.0")
    path = offer.json()["url"].partition("/api/")[2]
    assert b"".join(client.get(f"/api/{path}").streaming_content) == IMAGE  # type: ignore[attr-defined]
    assert Errand.objects.get(device=device).state == "sent"
    said = client.post("/api/v1/device/ota", {"version": "1.1.0", "state": "succeeded"}, content_type="application/json", headers=headers)
    assert (said.status_code, said.json()["heartbeats"]) == (200, 1)
    assert fleet.step(job).state == "finished"
    assert client.get("/api/v1/device/ota").status_code == 401
