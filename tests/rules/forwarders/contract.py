"""What every forwarder must do against its real server: delivery, order, batch, outage and recovery, poison, secrets.

A counterpart is the real server of a kind: it can be started and stopped, says what settings reach it, and what it has
received, as (device, number) pairs in the order in which it keeps them.
"""

import time
from datetime import timedelta
from typing import Any, Protocol

import pytest
from django.utils import timezone
from pytest_django import Settings

from iotpanel.tenants.models import Tenant
from rules.carriers import opened
from rules.delivery import run
from rules.forwarders.records import create_forwarder, update_forwarder
from rules.forwarders.trying import send_test
from rules.models import Delivery, Forwarder, OutboxItem, Target
from rules.outbox import Promise, promise
from tests.make import make_device, make_product

TEMPLATE = '{"device": "{{ device.key }}", "n": {{ values.n | plus(0) }}}'
WRONG = "a-wrong-password-nobody-may-see"
Received = list[tuple[str, float]]


class Counterpart(Protocol):
    kind: str
    secret: str  # the name of a setting that is a secret and may be wrong; empty where there is none

    def start(self) -> None: ...
    def stop(self) -> None: ...
    def settings(self) -> dict[str, Any]: ...
    def received(self) -> Received: ...


def in_order(received: Received) -> Received:
    """Each message once, where it came first: at least once is what is promised."""
    return list(dict.fromkeys(received))


class ForwarderContract:
    """Test classes inherit this, and have a fixture `counterpart`."""

    @pytest.fixture(autouse=True)
    def _around(self, settings: Settings, tenant: Tenant) -> Any:
        settings.ALLOWED_NETWORKS = ["127.0.0.0/8"]
        self.tenant = tenant
        product = make_product(tenant, key="meter")
        for key in ("a", "b"):
            make_device(tenant, key=key, product=product)
        opened.close_idle(-1)
        yield
        opened.close_idle(-1)

    @pytest.fixture
    def forwarder(self, counterpart: Counterpart) -> Forwarder:
        self.before = len(counterpart.received())
        return create_forwarder(self.tenant, name="Real", kind=counterpart.kind, settings=counterpart.settings(), template=TEMPLATE)

    def send(self, forwarder: Forwarder, *said: tuple[str, Any]) -> None:
        at = time.time_ns() // 1000
        entries = [[key, at + place, {"n": number}] for place, (key, number) in enumerate(said)]
        promise([Promise(self.tenant.pk, "forwarder", forwarder.pk, None, {"stream": "readings", "entries": entries})])

    def deliver(self, forwarder: Forwarder) -> Target:
        """As if the pauses were over."""
        past = timezone.now() - timedelta(seconds=1)
        Target.objects.update(paused_until=None)
        OutboxItem.objects.filter(state="waiting").update(due_at=past)
        run.deliver()
        return Target.objects.get(kind="forwarder", target=forwarder.pk)

    def fresh(self, counterpart: Counterpart) -> Received:
        return in_order(counterpart.received()[self.before :])

    def test_delivery(self, counterpart: Counterpart, forwarder: Forwarder) -> None:
        self.send(forwarder, ("a", 1))
        target = self.deliver(forwarder)
        assert (target.last_error, target.delivered) == ("", 1)
        assert self.fresh(counterpart) == [("a", 1)]
        assert not OutboxItem.objects.exists()

    def test_a_test_message_is_taken(self, counterpart: Counterpart, forwarder: Forwarder) -> None:
        update_forwarder(forwarder, template='{"device": "a", "n": 7}')
        tried = send_test(forwarder)
        assert tried.ok, tried
        assert self.fresh(counterpart) == [("a", 7)]

    def test_order(self, counterpart: Counterpart, forwarder: Forwarder) -> None:
        for number in range(0, 30, 3):
            self.send(forwarder, ("a", number), ("b", number + 1), ("a", number + 2))
        self.deliver(forwarder)
        received = self.fresh(counterpart)
        for key in ("a", "b"):
            assert [number for device, number in received if device == key] == [n for n in range(30) if (n % 3 == 1) is (key == "b")]

    def test_batch(self, counterpart: Counterpart, forwarder: Forwarder) -> None:
        self.send(forwarder, *[("a", number) for number in range(400)])
        assert self.deliver(forwarder).delivered == 400
        assert self.fresh(counterpart) == [("a", number) for number in range(400)]

    def test_outage_and_recovery(self, counterpart: Counterpart, forwarder: Forwarder) -> None:
        self.send(forwarder, ("a", 1))
        self.deliver(forwarder)
        counterpart.stop()
        try:
            self.send(forwarder, ("a", 2), ("b", 3))
            self.send(forwarder, ("a", 4))
            target = self.deliver(forwarder)
            assert target.failures == 1
            assert target.last_error
            assert {item.attempts for item in OutboxItem.objects.all()} == {0}
        finally:
            counterpart.start()
        target = self.deliver(forwarder)
        assert (target.failures, OutboxItem.objects.count()) == (0, 0), target.last_error
        assert [each for each in self.fresh(counterpart) if each[0] == "a"][-2:] == [("a", 2), ("a", 4)]
        assert ("b", 3) in self.fresh(counterpart)

    def test_poison(self, counterpart: Counterpart, forwarder: Forwarder) -> None:
        """A message that makes no text costs itself only, whatever kind it goes to."""
        self.send(forwarder, ("a", 1), ("b", "poison"), ("a", 2))
        for _ in range(6):
            self.deliver(forwarder)
        assert self.fresh(counterpart) == [("a", 1), ("a", 2)]
        dead = OutboxItem.objects.get()
        assert (dead.state, dead.payload["entries"][0][2]) == ("dead", {"n": "poison"})
        assert "no number" in dead.last_error

    def test_poison_of_its_own(self, counterpart: Counterpart, forwarder: Forwarder) -> None:
        """What this very server refuses, where it refuses anything for what it says."""
        if not (template := getattr(counterpart, "poison", "")):
            assert counterpart.kind in NOTHING_IS_REFUSED
            return
        update_forwarder(forwarder, template=template)
        self.send(forwarder, ("a", 1), ("b", 0), ("a", 2))
        for _ in range(6):
            target = self.deliver(forwarder)
        assert self.fresh(counterpart) == [("a", 1), ("a", 2)], target.last_error
        assert OutboxItem.objects.get().last_error != ""

    def test_secrets_are_never_shown(self, counterpart: Counterpart, forwarder: Forwarder, capfd: Any, caplog: Any) -> None:
        if not counterpart.secret:
            return
        update_forwarder(forwarder, settings=counterpart.settings() | {counterpart.secret: WRONG})
        self.send(forwarder, ("a", 1))
        target = self.deliver(forwarder)
        assert target.failures == 1, "a wrong secret is an outage, and nothing is lost"
        assert target.last_error
        tried = send_test(forwarder)
        assert not tried.ok
        said = [target.last_error, tried.answer, tried.sent, *Delivery.objects.values_list("answer", flat=True), caplog.text]
        out, err = capfd.readouterr()
        assert WRONG not in "\n".join([*said, out, err])
        assert OutboxItem.objects.get().state == "waiting"


# Kinds whose servers take any text: what they can't use is for their readers to find.
NOTHING_IS_REFUSED = {"http", "mqtt", "rabbitmq", "nats", "redis", "s3", "rocketmq", "kafka"}
