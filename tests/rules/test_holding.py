"""A person has a target wait: nothing is delivered, nothing is lost, and the order stays."""

import pytest

from iotpanel.tenants.models import Role, Tenant, User
from rules.delivery import holding, lease, run
from rules.models import OutboxItem, Target
from tests import make
from tests.rest import Rest
from tests.rules.fakes import Others, make_channel, make_forwarder, say
from tests.rules.test_delivery import others, use

__all__ = ["others", "use"]


def test_what_comes_meanwhile_waits_and_goes_in_order(tenant: Tenant, others: Others) -> None:
    say(tenant, 1)
    run.deliver(1)
    held = holding.hold(Target.objects.get())
    since = held.held_at
    say(tenant, 2, 3)
    run.deliver(1)
    assert [each["n"] for each in others.took] == [1]
    assert holding.hold(held).held_at == since  # held again, it is held since the same time

    holding.let_go(held)
    run.deliver(1)
    assert [each["n"] for each in others.took] == [1, 2, 3]
    assert not OutboxItem.objects.filter(state="waiting").exists()


def test_who_delivers_right_now_stops_after_the_batch(tenant: Tenant, others: Others) -> None:
    say(tenant, 1)
    target = lease.take()
    assert target is not None
    holding.hold(target)

    assert lease.renew(target) is False


@pytest.mark.parametrize("noun", ["forwarders", "channels"])
def test_rest_pauses_and_resumes(noun: str, owner: User, viewer: User, tenant: Tenant) -> None:
    one = make_forwarder(tenant) if noun == "forwarders" else make_channel(tenant)
    api = Rest(owner)
    paused = api.post(f"{noun}/{one.pk}/pause/").json()
    assert (paused["state"], api.get(f"{noun}/{one.pk}/").json()["health"]["held_since"]) == ("held", paused["held_since"])
    assert api.post(f"{noun}/{one.pk}/resume/").json()["state"] == "idle"
    for other in (viewer, make.make_member(tenant, Role.OPERATOR)):
        assert Rest(other).post(f"{noun}/{one.pk}/pause/").status_code == 403
