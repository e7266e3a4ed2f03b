"""Delivery: in order per device, at least once, around what is refused, and patient with who is down."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from iotpanel.tenants.models import Tenant
from rules.carriers import CARRIERS, opened
from rules.delivery import lease, old, queue, run
from rules.models import Delivery, OutboxItem, Target
from rules.outside.errors import Down, Gone, Rejected
from tests.rules.fakes import Others, bundle, say


@pytest.fixture
def others(monkeypatch: pytest.MonkeyPatch) -> Others:
    found = Others()
    use(monkeypatch, found)
    return found


def use(monkeypatch: pytest.MonkeyPatch, others: Others, **overrides: Any) -> None:
    opened.close_idle(-1)
    monkeypatch.setitem(CARRIERS._found, "fake", others.carrier(**overrides))
    monkeypatch.setitem(CARRIERS.paths, "fake", "here:here")


def later(seconds: float = 1000) -> None:
    """As if that much time had gone by."""
    past = timezone.now() - timedelta(seconds=seconds)
    OutboxItem.objects.filter(state="waiting").update(due_at=past)
    Target.objects.update(paused_until=None)


def numbers(others: Others) -> list[Any]:
    return [each["n"] for each in others.took]


def test_what_was_promised_is_delivered_in_order_and_counted(tenant: Tenant, others: Others) -> None:
    say(tenant, 1, 2, 3)
    assert run.deliver() == 3
    assert numbers(others) == [1, 2, 3]
    target = Target.objects.get()
    assert (target.delivered, target.dead, target.failures, target.leased_until) == (3, 0, 0, None)
    assert target.last_ok_at is not None
    assert {item.state for item in OutboxItem.objects.all()} == {"delivered"}
    assert run.deliver() == 0


def test_batches_are_no_longer_than_the_other_side_takes(tenant: Tenant, others: Others, monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, others, batch=2)
    say(tenant, 1, 2, 3, 4, 5)
    run.deliver()
    assert (numbers(others), others.calls) == ([1, 2, 3, 4, 5], 3)


def test_what_waits_for_a_down_target_waits_uncounted_and_goes_in_order_after(tenant: Tenant, others: Others) -> None:
    def down(_: Sequence[Any]) -> None:
        raise Down("connection refused")

    others.judge = down
    say(tenant, 1, 2)
    for _ in range(10):
        run.deliver()
        later()
    target = Target.objects.get()
    assert target.failures == 10
    assert target.last_error == "connection refused"
    assert {(item.state, item.attempts) for item in OutboxItem.objects.all()} == {("waiting", 0)}
    others.judge = lambda _: None
    say(tenant, 3)
    run.deliver()
    assert numbers(others) == [1, 2, 3]
    assert Target.objects.get().failures == 0


def test_a_down_target_is_left_alone_longer_each_time(tenant: Tenant, others: Others) -> None:
    def down(_: Sequence[Any]) -> None:
        raise Down("no")

    others.judge = down
    say(tenant, 1)
    run.deliver()
    assert others.calls == 1
    run.deliver()
    assert others.calls == 1  # paused
    assert queue.pause(1) < queue.pause(4) < queue.pause(9)
    assert queue.pause(1_000) <= timedelta(seconds=360)


def test_the_first_thing_sent_to_who_was_down_is_one_message(tenant: Tenant, others: Others) -> None:
    say(tenant, 1, 2, 3)
    Target.objects.update(failures=3, paused_until=timezone.now() - timedelta(seconds=1))
    sizes: list[int] = []
    others.judge = lambda entries: sizes.append(len(entries))
    run.deliver()
    assert sizes == [1, 2]


def test_a_refused_message_costs_itself_and_what_is_behind_it_of_its_device(tenant: Tenant, others: Others) -> None:
    def judge(entries: Sequence[Any]) -> None:
        if any(each["n"] == "poison" for each in entries):
            raise Rejected("400 Bad Request: poison")

    others.judge = judge
    say(tenant, 1, "poison", 2, device=1)
    say(tenant, 3, 4, device=2)
    run.deliver()
    assert numbers(others) == [1, 3, 4]
    assert OutboxItem.objects.filter(state="waiting").count() == 2
    for _ in range(queue.TRIES):
        later()
        run.deliver()
    assert numbers(others) == [1, 3, 4, 2]
    dead = OutboxItem.objects.get(state="dead")
    assert (dead.payload, dead.attempts, dead.last_error) == ({"n": "poison"}, queue.TRIES, "400 Bad Request: poison")
    assert Target.objects.get().dead == 1


def test_of_a_bundle_only_the_refused_message_stays(tenant: Tenant, others: Others) -> None:
    def judge(entries: Sequence[Any]) -> None:
        if any("poison" in entry for entry in entries):
            raise Rejected("no")

    others.judge = judge
    bundle(tenant, ["a", 1], ["b", "poison"], ["c", 3], ["b", 4])
    bundle(tenant, ["b", 5], ["a", 6])
    run.deliver()
    assert others.took == [["a", 1], ["c", 3], ["a", 6]]
    for _ in range(queue.TRIES):
        later()
        run.deliver()
    assert others.took == [["a", 1], ["c", 3], ["a", 6], ["b", 4], ["b", 5]]
    dead = OutboxItem.objects.get(state="dead")
    assert dead.payload == {"entries": [["b", "poison"]]}
    assert not OutboxItem.objects.filter(state="waiting").exists()


def test_the_other_side_may_say_which_of_a_batch_it_refuses(tenant: Tenant, others: Others) -> None:
    def judge(entries: Sequence[Any]) -> None:
        others.took += [each for each in entries if each["n"] != 2]
        raise Rejected("some", {position: "two" for position, each in enumerate(entries) if each["n"] == 2})

    others.judge = judge
    promise_each = [(1, 1), (2, 2), (3, 3)]
    for number, device in promise_each:
        say(tenant, number, device=device)
    run.deliver()
    assert numbers(others) == [1, 3]
    assert OutboxItem.objects.get(state="waiting").last_error == "two"


def test_a_fault_of_a_client_library_loses_nothing(tenant: Tenant, others: Others) -> None:
    def fault(_: Sequence[Any]) -> None:
        raise ZeroDivisionError("in a library")

    others.judge = fault
    say(tenant, 1)
    run.deliver()
    assert Target.objects.get().last_error == "ZeroDivisionError: in a library"
    assert OutboxItem.objects.get().state == "waiting"


def test_what_waits_for_who_is_gone_is_given_up_with_the_reason(tenant: Tenant, others: Others) -> None:
    def gone(_: Sequence[Any]) -> None:
        raise Gone("it was deleted")

    others.judge = gone
    say(tenant, 1)
    run.deliver()
    item = OutboxItem.objects.get()
    assert (item.state, item.last_error) == ("dead", "it was deleted")


def test_a_kind_that_nobody_knows_is_given_up(tenant: Tenant) -> None:
    say(tenant, 1, kind="no-such-kind")
    run.deliver()
    assert "no-such-kind" in OutboxItem.objects.get(state="dead").last_error


def test_what_was_given_up_can_be_put_back_by_hand(tenant: Tenant, others: Others) -> None:
    say(tenant, 1)
    OutboxItem.objects.update(state="dead", attempts=6, last_error="no")
    assert queue.put_back(queue.of(Target.objects.get())) == 1
    run.deliver()
    assert numbers(others) == [1]


def test_one_worker_at_a_time_has_a_target(tenant: Tenant, others: Others) -> None:
    say(tenant, 1)
    mine = lease.take()
    assert mine is not None
    assert lease.take() is None
    assert run.deliver() == 0
    lease.release(mine)
    assert run.deliver() == 1


def test_the_lease_of_a_killed_worker_runs_out(tenant: Tenant, others: Others) -> None:
    say(tenant, 1)
    dead = lease.take()
    assert dead is not None
    Target.objects.update(leased_until=timezone.now() - timedelta(seconds=1))
    assert run.deliver() == 1
    assert not lease.renew(dead)


def test_an_idle_connection_that_ended_is_no_outage(tenant: Tenant, others: Others) -> None:
    say(tenant, 1)
    run.deliver()
    once = iter([True])

    def judge(_: Sequence[Any]) -> None:
        if next(once, False):
            raise Down("broken pipe")

    others.judge = judge
    say(tenant, 2)
    run.deliver()
    assert numbers(others) == [1, 2]
    assert Target.objects.get().last_error == ""


def test_what_is_delayed_waits(tenant: Tenant, others: Others) -> None:
    say(tenant, 1, delay=60)
    assert run.deliver() == 0
    later()
    assert run.deliver() == 1


def test_old_rows_are_dropped_and_late_promises_given_up(tenant: Tenant, others: Others) -> None:
    say(tenant, 1)
    run.deliver()
    say(tenant, 2)
    OutboxItem.objects.update(created_at=timezone.now() - timedelta(days=30))
    Delivery.objects.create(tenant=tenant, kind="fake", target=1, at=timezone.now() - timedelta(days=90), ok=True)
    assert old.drop() == 2
    late = OutboxItem.objects.get()
    assert (late.state, late.payload) == ("dead", {"n": 2})
    assert "7 days" in late.last_error


def test_words_of_the_other_side_are_cleaned(tenant: Tenant, others: Others) -> None:
    def down(_: Sequence[Any]) -> None:
        raise Down("no\0body\nhome \udc80 " + "x" * 10_000)

    others.judge = down
    say(tenant, 1)
    run.deliver()
    assert Target.objects.get().last_error.startswith("no body home ? xxx")
    assert len(Target.objects.get().last_error) == 500


def test_tenants_do_not_share_a_target(tenant: Tenant, other_tenant: Tenant, others: Others) -> None:
    say(tenant, 1)
    say(other_tenant, 2)
    run.deliver()
    assert sorted(numbers(others)) == [1, 2]
    assert [target.delivered for target in Target.objects.all()] == [1, 1]
