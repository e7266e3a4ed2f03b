"""Both searches: what they find, for whom, and that nothing typed does harm or costs more."""

import pytest
from django.utils import timezone
from django.utils.http import urlencode

from devices.models import Device, Job
from iotpanel.tenants.models import Tenant, User
from rules.models import Alarm, Channel, Forwarder, Rule
from tests import make
from tests.admin_client import Admin
from tests.pages.people import browser, links, words

pytestmark = pytest.mark.django_db
HOSTILE = ["%", "_", "'", '"', "\\", "%00", "a' OR 1=1 --", "<script>", "é" * 5_000, "a " * 5_000]


@pytest.fixture
def things(tenant: Tenant, other_tenant: Tenant) -> dict[str, int]:
    """Of each kind one, here and elsewhere, with "boiler" in its name."""
    made = {}
    for owner_of, name in ((other_tenant, "Boiler far away"), (tenant, "Boiler <b>")):
        device = make.make_device(owner_of, name="Room")
        rule = Rule.objects.create(tenant=owner_of, name=name)
        made = {
            "rule": rule.pk,
            "alarm": _alarm(device, name, active=True),
            "past": _alarm(device, f"{name} before", active=False),
            "job": Job.objects.create(tenant=owner_of, name=name, kind="command").pk,
            "forwarder": Forwarder.objects.create(tenant=owner_of, name=name, kind="http").pk,
            "channel": Channel.objects.create(tenant=owner_of, name=name, kind="webhook").pk,
        }
    return made


def _alarm(device: Device, message: str, *, active: bool) -> int:
    return Alarm.objects.create(tenant=device.tenant, device=device, message=message, active=active, raised_at=timezone.now()).pk


def found(user: User, query: str) -> bytes:
    answer = browser(user).get(f"/search/?{urlencode({'q': query})}")
    assert answer.status_code == 200
    return answer.content


def found_in_admin(user: User, query: str) -> str:
    answer = Admin(user).client.get("/admin/search/", {"s": query, "extended": "1"})
    assert answer.status_code == 200
    return answer.content.decode()


def test_a_viewer_finds_rules_and_alarms(viewer: User, things: dict[str, int]) -> None:
    content = found(viewer, "boiler")
    wanted = [f"/rules/{things['rule']}/", f"/alarms/{things['alarm']}/", f"/alarms/{things['past']}/"]
    assert [link for link in sorted(links(content)) if link.startswith(("/rules/", "/alarms/"))] == sorted(wanted)
    assert "far away" not in words(content)
    assert b"<b>" not in content


def test_a_stranger_finds_their_own_alone(stranger: User, things: dict[str, int]) -> None:
    assert f"/rules/{things['rule']}/" not in links(found(stranger, "boiler"))
    assert "Boiler far away" in words(found(stranger, "boiler"))
    assert "Boiler &lt;b" not in found_in_admin(stranger, "boiler")


@pytest.mark.parametrize("person", ["viewer", "owner"])
def test_the_admin_finds_rules_channels_forwarders_and_jobs(person: str, things: dict[str, int], request: pytest.FixtureRequest) -> None:
    page = found_in_admin(request.getfixturevalue(person), "boiler")
    for address in ("rules/rule", "rules/channel", "rules/forwarder", "devices/job"):
        assert f"/admin/{address}/{things[address.rpartition('/')[2]]}/change/" in page, address
    assert "far away" not in page
    assert "<b>" not in page


@pytest.mark.parametrize("query", HOSTILE)
def test_nothing_typed_does_harm_or_costs_more(
    query: str, viewer: User, things: dict[str, int], django_assert_max_num_queries: object
) -> None:
    with django_assert_max_num_queries(20):  # type: ignore[operator]
        content = found(viewer, query)
    assert "/rules/" not in " ".join(link for link in links(content) if link[7:-1].isdigit())
    with django_assert_max_num_queries(30):  # type: ignore[operator]
        assert "far away" not in found_in_admin(viewer, query)
