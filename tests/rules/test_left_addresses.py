"""Queues of addresses that rules no longer call: they go once nothing is kept of them, and no promise is lost on the way."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone

from iotpanel.tenants.models import Tenant
from rules.delivery import lease, old
from rules.models import Delivery, OutboxItem, Rule, Target
from rules.outbox import Promise, promise
from rules.outside.lanes import lane_of
from rules.rules import delete_rule, update_rule
from tests.make import make_tenant
from tests.rules.make import make_freezer, make_rule

KEPT, LEFT = "https://hooks.example.org/kept", "https://hooks.example.org/left"


def call(rule: Rule, url: str) -> None:
    promise([Promise(rule.tenant_id, "webhook", rule.pk, 7, {"url": url, "body": ""}, lane=lane_of(url))])


def addresses() -> set[str]:
    lanes = {lane_of(url): url for url in (KEPT, LEFT)}
    return {lanes[lane] for lane in Target.objects.filter(kind="webhook").values_list("lane", flat=True)}


def make_caller(tenant: Tenant) -> Rule:
    """A rule that has called two addresses, and has one of them no more; nothing waits."""
    make_freezer(tenant, f"freezer-of-{tenant.key}")
    hooks = [{"kind": "webhook", "url": url} for url in (KEPT, LEFT)]
    rule = make_rule(tenant, actions=hooks)
    for url in (KEPT, LEFT):
        call(rule, url)
    OutboxItem.objects.all().delete()
    scene = {"kind": "scene", "steps": [{"wait": "5s"}, hooks[0]]}
    return update_rule(rule, body={**rule.body, "actions": [scene]})


@pytest.mark.django_db
class TestWhichGo:
    def test_an_address_that_no_rule_calls(self, tenant: Tenant) -> None:
        make_caller(tenant)
        assert addresses() == {KEPT, LEFT}
        assert old.drop() == 1
        assert addresses() == {KEPT}
        assert old.drop() == 0

    @pytest.mark.parametrize("state", ["waiting", "dead", "delivered"])
    def test_not_one_of_which_something_is_kept(self, tenant: Tenant, state: str) -> None:
        call(make_caller(tenant), LEFT)
        OutboxItem.objects.update(state=state)
        assert old.drop() == 0
        assert addresses() == {KEPT, LEFT}

    def test_not_one_whose_history_is_shown(self, tenant: Tenant) -> None:
        rule = make_caller(tenant)
        about = {"tenant": tenant, "kind": "webhook", "target": rule.pk, "lane": lane_of(LEFT)}
        Delivery.objects.create(**about, at=timezone.now(), ok=True, answer="200 OK")
        assert old.drop() == 0
        assert (addresses(), Delivery.objects.count()) == ({KEPT, LEFT}, 1)

    def test_those_of_a_rule_that_is_gone_and_nobody_elses(self, tenant: Tenant, other_tenant: Tenant) -> None:
        rule, theirs = make_caller(tenant), make_caller(other_tenant)
        promise([Promise(tenant.pk, "mqtt", rule.pk, 7, {})])
        OutboxItem.objects.all().delete()
        delete_rule(rule)
        assert old.drop() == 3
        assert set(Target.objects.filter(kind="webhook").values_list("tenant", "target")) == {(other_tenant.pk, theirs.pk)}
        assert Target.objects.filter(kind="mqtt").count() == 1

    def test_a_switched_off_rule_keeps_its_addresses(self, tenant: Tenant) -> None:
        Rule.objects.filter(pk=make_caller(tenant).pk).update(enabled=False)
        old.drop()
        assert addresses() == {KEPT}


def elsewhere(work: Callable[[], Any]) -> threading.Thread:
    """On a connection of its own."""

    def run() -> None:
        try:
            work()
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    return thread


@pytest.mark.django_db(transaction=True)
class TestAtTheSameMoment:
    """What is promised while targets are looked through is delivered all the same."""

    def test_a_promise_that_is_not_committed_yet_keeps_its_target(self) -> None:
        rule = make_caller(make_tenant())
        promised, looked = threading.Event(), threading.Event()

        def batch() -> None:
            with transaction.atomic():
                call(rule, LEFT)
                promised.set()
                assert looked.wait(20)

        thread = elsewhere(batch)
        assert promised.wait(20)
        target = Target.objects.get(kind="webhook", lane=lane_of(KEPT))
        call(rule, KEPT)
        assert (old.drop(), lease.take()) == (0, target)
        looked.set()
        thread.join()
        found = lease.take([target.pk])
        assert found is not None
        assert found.lane == lane_of(LEFT)

    def test_nor_does_it_keep_anybody_from_delivering(self) -> None:
        rule = make_caller(make_tenant())
        call(rule, LEFT)
        promised, looked = threading.Event(), threading.Event()

        def batch() -> None:
            with transaction.atomic():
                call(rule, LEFT)
                promised.set()
                assert looked.wait(20)

        thread = elsewhere(batch)
        assert promised.wait(20)
        assert lease.take() is not None
        looked.set()
        thread.join()

    def test_a_promise_that_comes_while_its_target_goes_makes_it_anew(self) -> None:
        rule = make_caller(make_tenant())
        with transaction.atomic():
            assert old.drop() == 1
            thread = elsewhere(lambda: call(rule, LEFT))
            thread.join(0.5)
            assert thread.is_alive()
        thread.join()
        found = lease.take()
        assert found is not None
        assert found.lane == lane_of(LEFT)
