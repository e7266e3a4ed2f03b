"""Jobs: targets, waves, the canary's limit, pause, abort, retry, windows; commands end as a device would end them."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.utils import timezone

from devices.downlink import commands, moves
from devices.jobs import engine, verbs
from devices.jobs.rollout import clean_rollout, is_open, sizes
from devices.models import Command, Device, DevicePresence, Job
from iotpanel.api.errors import Conflict
from iotpanel.tenants.models import Role, Tenant, User
from tests.make import make_device, make_devices, make_group, make_member, make_product
from tests.rest import Rest, refused, results

pytestmark = pytest.mark.django_db
MODEL = {"commands": [{"key": "restart", "name": "Restart", "params": [{"key": "delay", "type": "number", "max": 60}]}]}


class Fleet:
    """Twenty devices of one product, of which all but the last two are online, and a job that restarts them."""

    def __init__(self, tenant: Tenant, count: int = 20, away: int = 2) -> None:
        self.tenant = tenant
        self.product = make_product(tenant, key="pump", thing_model=MODEL)
        self.devices = make_devices(tenant, self.product, [f"pump-{number:02}" for number in range(count)])
        there = [device.pk for device in self.devices[: count - away]]
        DevicePresence.objects.filter(device__in=there).update(online=True, last_seen=timezone.now())
        self.now = timezone.now()

    def start(self, *, target: Any = None, spec: Any = None, starts_at: Any = None, **rollout: Any) -> Job:
        what = spec or {"command": "restart", "params": {"delay": 1}}
        asked = {"kind": "command", "spec": what, "target": target or {"product": "pump"}, "rollout": rollout, "starts_at": starts_at}
        return verbs.start(self.tenant, name="Restart all", **asked)

    def step(self, job: Job, seconds: float = 2) -> Job:
        self.now += timedelta(seconds=seconds)
        engine.step(job.pk, self.now)
        job.refresh_from_db()
        return job

    def end(self, state: str = "succeeded", count: int | None = None, reason: str = "") -> int:
        """As if so many devices had answered; those that are away wait."""
        there = Command.objects.filter(finished_at=None, device__presence__online=True).order_by("id").values_list("id", flat=True)
        ids = list(there[:count] if count is not None else there)
        moves.finish("id = ANY(%(ids)s)", state, timezone.now(), reason=reason, error="", wait=True, ids=ids)
        Command.objects.filter(finished_at=None, device__presence__online=False).update(waits="device")
        return len(ids)


@pytest.fixture
def fleet(tenant: Tenant) -> Fleet:
    return Fleet(tenant)


def numbers(job: Job) -> dict[str, int]:
    return {state: number for state, number in verbs.counts(job).items() if number}


def test_a_job_reaches_every_device_and_ends(tenant: Tenant) -> None:
    fleet = Fleet(tenant, away=0)
    job = fleet.step(fleet.start())
    assert numbers(job) == {"working": 20}
    assert set(Command.objects.values_list("name", flat=True)) == {"restart"}

    fleet.end()
    job = fleet.step(job)
    assert numbers(job) == {"succeeded": 20}
    assert (job.state, job.finished_at) == ("finished", fleet.now)
    assert fleet.step(job).state == "finished"
    assert Command.objects.count() == 20, "none is sent twice"


def test_the_canary_comes_first_and_is_made_of_devices_that_are_there(fleet: Fleet) -> None:
    job = fleet.step(fleet.start(canary_percent=10, wave_percent=50))
    assert numbers(job) == {"working": 2, "pending": 18}
    assert all(target.device.presence.online for target in job.targets.filter(wave=0).select_related("device__presence"))
    assert fleet.step(job).wave == 0, "it waits for the canary"

    fleet.end()
    job = fleet.step(job)
    assert (job.wave, numbers(job)) == (1, {"succeeded": 2, "working": 10, "pending": 8})


def test_a_canary_that_reaches_its_limit_stops_the_job(fleet: Fleet) -> None:
    job = fleet.step(fleet.start(canary_percent=20, abort_percent=50))
    assert numbers(job) == {"working": 4, "pending": 16}

    fleet.end("failed", count=1, reason="broken")
    assert fleet.step(job).state == "running", "a quarter is below the limit"
    fleet.end("failed", count=1, reason="broken")
    job = fleet.step(job)

    assert (job.state, job.reason) == ("aborted", "canary_failed")
    assert numbers(job) == {"failed": 2, "cancelled": 18}
    assert Command.objects.count() == 4, "nobody else was told"
    assert {command.state for command in Command.objects.all()} == {"failed", "cancelled"}


def test_too_many_failures_later_stop_it_too(fleet: Fleet) -> None:
    job = fleet.step(fleet.start(wave_percent=50, abort_percent=30, abort_after=5))
    fleet.end("failed", count=3)
    assert fleet.step(job).state == "running", "three have ended, five must have"
    fleet.end("succeeded", count=4)
    assert (fleet.step(job).state, job.reason) == ("aborted", "too_many_failures")


def test_somebody_may_have_to_say_go_on_after_the_canary(fleet: Fleet) -> None:
    job = fleet.step(fleet.start(canary_percent=10, canary_confirm=True))
    fleet.end()
    job = fleet.step(job)
    assert (job.state, job.reason) == ("paused", "canary_done")
    assert fleet.step(job).wave == 0

    job = fleet.step(verbs.go_on(job))
    assert (job.state, job.wave) == ("running", 1)


def test_devices_that_are_away_are_waited_for_and_hold_nobody_up(fleet: Fleet) -> None:
    job = fleet.step(fleet.start(wave_percent=50, wait_offline=3600))
    fleet.end()
    job = fleet.step(job)
    fleet.end()
    job = fleet.step(job)
    assert (job.state, numbers(job)) == ("running", {"succeeded": 18, "working": 2})

    moves.finish("finished_at IS NULL", "expired", fleet.now, reason="not_sent", error="", wait=True)
    job = fleet.step(job)
    assert (job.state, numbers(job)) == ("finished", {"succeeded": 18, "failed": 2})
    assert set(job.targets.filter(state="failed").values_list("reason", flat=True)) == {"not_sent"}


def test_so_many_at_once_and_no_more(tenant: Tenant) -> None:
    fleet = Fleet(tenant, away=0)
    job = fleet.step(fleet.start(parallel=3))
    assert numbers(job) == {"working": 3, "pending": 17}
    fleet.end(count=2)
    assert numbers(fleet.step(job)) == {"succeeded": 2, "working": 3, "pending": 15}


def test_a_failed_device_is_tried_again_after_a_while(tenant: Tenant) -> None:
    fleet = Fleet(tenant, count=1, away=0)
    job = fleet.step(fleet.start(retries=1, retry_after=60, abort_percent=100))
    fleet.end("timed_out", reason="no_reply")
    assert numbers(fleet.step(job)) == {"pending": 1}
    assert numbers(fleet.step(job, 61)) == {"working": 1}
    fleet.end("timed_out", reason="no_reply")
    job = fleet.step(job)
    assert numbers(job) == {"failed": 1}
    assert (Command.objects.count(), job.targets.get().attempts) == (2, 2)


def test_pausing_begins_with_nobody_and_notes_what_ends(tenant: Tenant) -> None:
    fleet = Fleet(tenant, away=0)
    job = verbs.pause(fleet.step(fleet.start(parallel=5)))
    fleet.end()
    job = fleet.step(job)
    assert (job.state, numbers(job)) == ("paused", {"succeeded": 5, "pending": 15})
    assert numbers(fleet.step(verbs.go_on(job))) == {"succeeded": 5, "working": 5, "pending": 10}


def test_aborting_takes_back_what_can_be_taken_back(fleet: Fleet) -> None:
    job = fleet.step(fleet.start(parallel=5))
    on_its_way = Command.objects.order_by("id")[0]
    Command.objects.filter(pk=on_its_way.pk).update(in_flight=True, state="sent")
    job = verbs.abort(job)

    assert numbers(job) == {"cancelled": 20}
    assert Command.objects.filter(state="cancelled", reason="job_aborted").count() == 4
    on_its_way.refresh_from_db()
    assert on_its_way.state == "sent"
    with pytest.raises(Conflict):
        verbs.go_on(job)


def test_the_failed_ones_are_tried_once_more_by_hand(tenant: Tenant) -> None:
    fleet = Fleet(tenant, away=0)
    job = fleet.step(fleet.start(abort_percent=100))
    fleet.end("failed", count=4)
    fleet.end()
    job = fleet.step(job)
    assert (job.state, numbers(job)) == ("finished", {"failed": 4, "succeeded": 16})

    job = fleet.step(verbs.retry(job))
    assert numbers(job) == {"working": 4, "succeeded": 16}
    fleet.end()
    assert (fleet.step(job).state, numbers(job)) == ("finished", {"succeeded": 20})
    with pytest.raises(Conflict) as caught:
        verbs.retry(job)
    assert caught.value.code == "nothing_failed"


def test_a_disabled_device_fails_alone(fleet: Fleet) -> None:
    Device.objects.filter(key="pump-00").update(enabled=False)
    job = fleet.step(fleet.start(abort_percent=100))
    assert numbers(job) == {"working": 19, "failed": 1}
    assert job.targets.get(state="failed").reason == "device_disabled"


def test_a_step_that_dies_leaves_nothing_behind(fleet: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
    job = fleet.start()
    made = commands.send_all

    def dies(orders: Any) -> Any:
        made(orders)
        raise RuntimeError

    monkeypatch.setattr(commands, "send_all", dies)
    assert engine.advance() == 1
    assert (Command.objects.count(), numbers(job)) == (0, {"pending": 20})
    monkeypatch.undo()
    assert numbers(fleet.step(job)) == {"working": 20}


def test_a_deleted_device_holds_nobody_up(tenant: Tenant) -> None:
    fleet = Fleet(tenant, count=2, away=0)
    job = fleet.step(fleet.start())
    fleet.devices[0].delete()
    fleet.end()
    assert (fleet.step(job).state, numbers(job)) == ("finished", {"succeeded": 1})


def test_a_job_begins_when_it_shall_and_within_its_windows(fleet: Fleet) -> None:
    job = fleet.start(starts_at=fleet.now + timedelta(hours=1))
    assert numbers(fleet.step(job)) == {"pending": 20}
    assert numbers(fleet.step(job, 3600)) == {"working": 20}

    hour = (fleet.now + timedelta(hours=2)).hour
    job = fleet.start(windows=[{"from": f"{hour:02}:00", "to": f"{(hour + 1) % 24:02}:00"}])
    assert numbers(fleet.step(job)) == {"pending": 20}
    assert numbers(fleet.step(job, 7200)) == {"working": 20}


@pytest.mark.parametrize(
    ("window", "at", "open_"),
    [
        ({"from": "01:00", "to": "05:00"}, "2026-11-23T00:30", True),  # 01:30 in Berlin, a Monday
        ({"from": "01:00", "to": "05:00"}, "2026-11-23T04:00", False),
        ({"from": "22:00", "to": "02:00"}, "2026-11-23T00:30", True),
        ({"from": "22:00", "to": "02:00", "days": [6]}, "2026-11-23T00:30", True),  # it began on Sunday
        ({"from": "22:00", "to": "02:00", "days": [0]}, "2026-11-23T00:30", False),
        ({"from": "00:00", "to": "00:00"}, "2026-11-23T12:00", True),
    ],
)
def test_windows(window: Any, at: str, open_: bool) -> None:
    rollout = clean_rollout({"windows": [window], "timezone": "Europe/Berlin"})
    assert is_open(rollout, datetime.fromisoformat(at).replace(tzinfo=UTC)) is open_


@pytest.mark.parametrize(
    ("rollout", "count", "waves"),
    [
        ({}, 10, [10]),
        ({"canary_percent": 5}, 10, [1, 9]),
        ({"canary_percent": 10, "wave_percent": 30}, 100, [10, 30, 30, 30]),
        ({"canary_percent": 10}, 1, [1]),
        ({"wave_percent": 1}, 3, [1, 1, 1]),
    ],
)
def test_waves(rollout: Any, count: int, waves: list[int]) -> None:
    assert sizes(clean_rollout(rollout), count) == waves


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *[("canary_percent", 51), ("canary_percent", True), ("wave_percent", 0), ("parallel", 0), ("abort_percent", 101), ("retries", -1)],
        *[("wait_offline", 0), ("canary_confirm", 1), ("timezone", "Mars"), ("timezone", 1), ("windows", {}), ("speed", 1)],
        *[
            ("windows", [{"from": "1:00", "to": "05:00"}]),
            ("windows", [{"from": "01:00"}]),
            ("windows", [{"from": "25:00", "to": "05:00"}]),
        ],
        *[("windows", [{"from": "01:00", "to": "05:00", "days": [7]}]), ("windows", [{"from": "01:00", "to": "05:00", "days": [True]}])],
    ],
)
def test_a_bad_rollout_is_refused(field: str, value: Any) -> None:
    with pytest.raises(ValidationError) as caught:
        clean_rollout({field: value})
    assert f"rollout.{field}" in caught.value.message_dict


@pytest.mark.parametrize(
    ("target", "count"),
    [
        ({"product": "pump"}, 20),
        ({"group": "site"}, 2),
        ({"labels": {"line": "4"}}, 1),
        ({"devices": ["pump-01", "pump-02", "pump-01"]}, 2),
        ({"search": "PUMP-1"}, 10),
        ({"product": "pump", "labels": {"line": "4"}, "search": "pump-07"}, 0),
    ],
)
def test_targets(fleet: Fleet, target: Any, count: int) -> None:
    site = make_group(fleet.tenant, key="site")
    for number, group in ((0, site), (1, make_group(fleet.tenant, key="hall", parent=site))):
        fleet.devices[number].groups.add(group)
    Device.objects.filter(key="pump-05").update(labels={"line": "4", "floor": "1"})
    found = verbs.dry_run(fleet.tenant, kind="command", spec={"command": "restart"}, target=target)
    assert found["devices"] == count


@pytest.mark.parametrize(
    "target",
    [
        *[{}, [], None, {"all": True}, {"product": "none"}, {"group": 1}, {"labels": {}}, {"labels": {"a": 1}}, {"devices": []}],
        *[{"devices": [1]}, {"devices": ["pump-00", "typo"]}, {"search": 1}, {"search": "a\0"}, {"product": "foreign"}],
        {"devices": ["foreign"]},
    ],
)
def test_a_bad_target_is_refused(fleet: Fleet, other_tenant: Tenant, target: Any) -> None:
    make_device(other_tenant, key="foreign", product=make_product(other_tenant, key="foreign"))
    with pytest.raises(ValidationError) as caught:
        verbs.start(fleet.tenant, name="n", kind="command", spec={"command": "restart"}, target=target)
    assert "target" in caught.value.message_dict


@pytest.mark.parametrize(
    "spec", [{}, [], {"command": ""}, {"command": "x", "shell": "y"}, {"command": "x", "params": []}, {"command": "x", "timeout": -1}]
)
def test_a_bad_command_is_refused(fleet: Fleet, spec: Any) -> None:
    with pytest.raises(ValidationError):
        verbs.start(fleet.tenant, name="n", kind="command", spec=spec, target={"product": "pump"})


def test_a_dry_run_says_what_the_job_would_meet_and_does_nothing(fleet: Fleet) -> None:
    Device.objects.filter(key="pump-00").update(enabled=False)
    make_device(fleet.tenant, key="other", product=make_product(fleet.tenant, key="other"))
    spec = {"command": "restart", "params": {"delay": 99}}
    found = verbs.dry_run(fleet.tenant, kind="command", spec=spec, target={"search": "o"}, rollout={"canary_percent": 10})
    assert found["problems"] == {"unknown_command": 1}

    found = verbs.dry_run(fleet.tenant, kind="command", spec=spec, target={"product": "pump"}, rollout={"canary_percent": 10})
    assert found == {
        "devices": 20,
        "online": 17,
        "offline": 0,
        "never_seen": 2,
        "waves": [2, 18],
        "checked": 20,
        "problems": {"out_of_range": 20},
    }
    assert (Job.objects.count(), Command.objects.count()) == (0, 0)


def test_thousands_of_devices_take_few_queries(tenant: Tenant, django_assert_max_num_queries: Any) -> None:
    fleet = Fleet(tenant, count=0, away=0)
    rows = [Device(tenant=tenant, product=fleet.product, key=f"many-{number}", name="n") for number in range(1_200)]
    Device.objects.bulk_create(rows)
    job = fleet.start()
    with django_assert_max_num_queries(60):
        fleet.step(job)
    assert numbers(job) == {"working": 1_200}
    with connection.cursor() as cursor:
        cursor.execute("UPDATE devices_command SET state = 'succeeded', finished_at = now()")
    with django_assert_max_num_queries(20):
        fleet.step(job)
    assert (job.state, numbers(job)) == ("finished", {"succeeded": 1_200})


def test_jobs_over_rest(fleet: Fleet, viewer: User, tenant: Tenant) -> None:
    api = Rest(make_member(tenant, Role.OPERATOR))
    body = {"name": "Restart", "kind": "command", "spec": {"command": "restart"}, "target": {"product": "pump"}}
    assert api.post("jobs/?dry_run=1", body).json()["online"] == 18
    assert Rest(viewer).post("jobs/", body).status_code == 403
    made = api.post("jobs/", body)
    assert (made.status_code, made.json()["counts"]["pending"]) == (201, 20)
    pk = made.json()["id"]

    engine.advance()
    assert {row["state"] for row in results(api.get(f"jobs/{pk}/devices/"))} == {"working"}
    assert api.post(f"jobs/{pk}/pause/").json()["state"] == "paused"
    refused(api.post(f"jobs/{pk}/pause/"), 409, "wrong_state")
    assert api.post(f"jobs/{pk}/resume/").json()["state"] == "running"
    assert api.post(f"jobs/{pk}/abort/").json()["counts"]["cancelled"] == 20
    assert results(Rest(viewer).get("jobs/", state="aborted"))[0]["id"] == pk
    assert "target" in refused(api.post("jobs/", body | {"target": {}}), 400, "invalid")
