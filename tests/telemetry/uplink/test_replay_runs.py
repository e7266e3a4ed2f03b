"""Replays of many letters: each is reached, once, in pieces; a run that dies goes on; another tenant's are never touched."""

from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.utils import timezone

from devices import products
from devices.exceptions import Unavailable
from devices.models import Device, Product
from iotpanel.tenants.models import Tenant
from telemetry import old_records, tasks
from telemetry.models import DeadLetterRecord, ReplayRun, ReportRow
from telemetry.models.run import RunState
from telemetry.uplink import dead_letters, replay_runs
from telemetry.uplink.memory import memory
from telemetry.uplink.replay_runs import Replayed, replay_all
from tests.make import make_device

from .talk import reasons, say, stored

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two letters a piece, and one piece in a request."""
    monkeypatch.setattr(replay_runs, "AT_ONCE", 2)
    monkeypatch.setattr(replay_runs, "IN_REQUEST", 0)


def widen(product: Product) -> None:
    products.update_product(product, thing_model={"properties": [{"key": "temperature", "type": "number"}]})
    memory().directory.forget()


def letters(device: Device, bad: int, good: int) -> None:
    """So many that no fix helps, and then so many that a wider range does."""
    for _ in range(bad):
        say(device, "telemetry", b"{")
    for number in range(good):
        say(device, "telemetry", {"temperature": 900 + number})


def everything() -> Any:
    return DeadLetterRecord.objects.all()


def the_run() -> ReplayRun:
    return ReplayRun.objects.get()


def test_refused_letters_at_the_front_hide_no_later_ones(product: Product, device: Device, tenant: Tenant) -> None:
    letters(device, bad=5, good=3)
    widen(product)

    done = replay_all(everything(), tenant=tenant)
    assert done == Replayed(replayed=0, failed=2, waiting=6, run=the_run().pk)
    tasks.replay_letters()
    run = the_run()
    assert (run.state, run.total, run.done, run.replayed, run.failed, run.letters) == (RunState.DONE, 8, 8, 3, 5, [])
    assert run.finished_at is not None
    assert [values["temperature"] for values in stored(device)] == [900, 901, 902]
    assert DeadLetterRecord.objects.open().count() == 5


def test_what_a_request_can_do_leaves_no_run(product: Product, device: Device, tenant: Tenant) -> None:
    letters(device, bad=1, good=1)
    widen(product)

    assert replay_all(everything(), tenant=tenant) == Replayed(1, 1)
    assert not ReplayRun.objects.exists()
    assert replay_all(everything().none(), tenant=tenant) == Replayed()


def test_each_letter_is_taken_once_and_the_oldest_first(device: Device, tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    letters(device, bad=5, good=0)
    said: list[int] = []
    uplink_of = dead_letters.uplink_of

    def note(record: DeadLetterRecord) -> Any:
        said.append(record.pk)
        return uplink_of(record)

    monkeypatch.setattr(dead_letters, "uplink_of", note)
    replay_all(everything(), tenant=tenant)
    tasks.replay_letters()
    tasks.replay_letters()
    assert said == sorted(everything().values_list("pk", flat=True))


def test_pressing_again_waits_for_what_waits_and_takes_what_was_refused(product: Product, device: Device, tenant: Tenant) -> None:
    letters(device, bad=2, good=4)
    first = replay_all(everything(), tenant=tenant)
    assert (first.failed, first.waiting) == (2, 4)
    widen(product)

    again = replay_all(everything(), tenant=tenant)
    assert (again.replayed, again.failed, again.waiting) == (0, 2, 4)
    assert ReplayRun.objects.latest("pk").total == 4  # those refused before, and those that the first may have in work
    tasks.replay_letters()
    assert ReportRow.objects.count() == 4
    assert DeadLetterRecord.objects.open().count() == 2
    assert not ReplayRun.objects.unfinished().exists()


def test_a_piece_that_dies_is_done_again_and_nothing_twice(
    product: Product, device: Device, tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    letters(device, bad=0, good=5)
    widen(product)
    replay_all(everything(), tenant=tenant)

    class Killed(BaseException):
        pass

    def dies(*_args: Any, **_kwargs: Any) -> None:
        raise Killed

    with monkeypatch.context() as during, pytest.raises(Killed):
        during.setattr(ReplayRun, "save", dies)
        tasks.replay_letters()
    assert (the_run().done, ReportRow.objects.count()) == (2, 2)

    tasks.replay_letters()
    run = the_run()
    assert (run.state, run.replayed, run.failed) == (RunState.DONE, 5, 0)
    assert [values["temperature"] for values in stored(device)] == [900, 901, 902, 903, 904]


def test_a_database_that_is_away_only_delays(product: Product, device: Device, tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    letters(device, bad=0, good=3)
    widen(product)

    def away(_ids: Any) -> None:
        raise Unavailable("gone")

    with monkeypatch.context() as during:
        during.setattr(replay_runs, "replay_chunk", away)
        assert replay_all(everything(), tenant=tenant) == Replayed(0, 0, 3, the_run().pk)
        tasks.replay_letters()
    tasks.replay_letters()
    assert the_run().replayed == 3


def test_one_letter_that_nobody_foresaw_costs_itself_only(device: Device, tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    letters(device, bad=3, good=0)
    worst = everything().earliest("pk").pk
    uplink_of = dead_letters.uplink_of

    def fails(record: DeadLetterRecord) -> Any:
        if record.pk == worst:
            raise RuntimeError("unforeseen")
        return uplink_of(record)

    monkeypatch.setattr(dead_letters, "uplink_of", fails)
    replay_all(everything(), tenant=tenant)
    tasks.replay_letters()
    assert (the_run().state, the_run().failed) == (RunState.DONE, 3)


def test_a_run_takes_what_there_was_and_nobody_elses(product: Product, device: Device, tenant: Tenant) -> None:
    theirs = make_device(key="theirs")
    letters(device, bad=0, good=4)
    letters(theirs, bad=1, good=0)
    widen(product)
    replay_all(DeadLetterRecord.objects.for_tenant(tenant), tenant=tenant)
    late = DeadLetterRecord.objects.create(
        tenant=tenant, device=device, topic="t", reason="not_json", payload=b"x", received_at=timezone.now()
    )
    everything().filter(pk__in=the_run().letters[-1:]).delete()
    tasks.replay_letters()

    assert (the_run().done, the_run().replayed, the_run().failed) == (4, 3, 0)
    late.refresh_from_db()
    assert late.reason == "not_json"  # not looked at, else it would be unknown_topic
    assert reasons().count("not_json") == 2


def test_a_cancelled_run_leaves_the_rest_alone(product: Product, device: Device, tenant: Tenant) -> None:
    letters(device, bad=0, good=4)
    widen(product)
    replay_all(everything(), tenant=tenant)
    replay_runs.cancel(the_run())
    tasks.replay_letters()

    assert (the_run().state, the_run().done, the_run().waiting, the_run().letters) == (RunState.CANCELLED, 2, 0, [])
    assert DeadLetterRecord.objects.open().count() == 2


def test_pieces_are_bounded_by_bytes_too(device: Device, tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replay_runs, "AT_ONCE", 100)
    monkeypatch.setattr(replay_runs, "BYTES_AT_ONCE", 250)
    for _ in range(4):
        say(device, "telemetry", b"x" * 100)

    assert replay_all(everything(), tenant=tenant).failed == 2


def test_ended_runs_are_dropped_with_letters_as_old(device: Device, tenant: Tenant) -> None:
    long_ago = timezone.now() - timedelta(days=settings.DEAD_LETTER_DAYS + 1)
    ReplayRun.objects.create(tenant=tenant, total=1, state=RunState.DONE, finished_at=long_ago)
    going = ReplayRun.objects.create(tenant=tenant, total=1)
    ReplayRun.objects.update(created_at=long_ago)
    old_records.drop()
    assert list(ReplayRun.objects.all()) == [going]
