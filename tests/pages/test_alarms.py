"""The alarms' pages: what is wrong first, and what a person does with it; each only in their own tenant."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from devices.models import Device
from iotpanel.pages.alarms.subject import Subject, subject_of
from iotpanel.tenants.models import Role, Tenant, User
from rules.models import Alarm, AlarmEvent, Rule
from tests import make
from tests.pages.people import browser, links, words

MODEL: dict[str, Any] = {"properties": [{"key": "t", "name": "Temperature", "type": "number", "unit": "°C"}]}
BODY: dict[str, Any] = {
    "scope": {"product": "cold"},
    "when": {"all": [{"online": True}, {"property": "t", "op": ">", "value": 5}]},
    "clear": {"property": "t", "op": "<", "value": 4},
    "actions": [{"kind": "alarm", "severity": "major"}],
}


@pytest.fixture
def device(tenant: Tenant) -> Device:
    return make.make_device(tenant, key="room", name="Room 2", product=make.make_product(tenant, key="cold", thing_model=MODEL))


@pytest.fixture
def operator(tenant: Tenant) -> User:
    return make.make_member(tenant, Role.OPERATOR, username="otto")


def an_alarm(device: Device, **overrides: Any) -> Alarm:
    rule = Rule.objects.create(tenant=device.tenant, name="Too warm", body=BODY)
    values: dict[str, Any] = {"tenant": device.tenant, "rule": rule, "rule_name": rule.name, "device": device, "severity": "major"}
    alarm = Alarm.objects.create(**values | {"message": "Too warm here", "value": 7.5, "raised_at": timezone.now()} | overrides)
    AlarmEvent.objects.create(alarm=alarm, at=alarm.raised_at, kind="raised")
    return alarm


def test_the_worst_that_nobody_looks_after_comes_first(viewer: User, device: Device) -> None:
    now = timezone.now()
    an_alarm(device, severity="minor", message="three")
    an_alarm(device, severity="critical", message="two", acknowledged_at=now)
    an_alarm(device, severity="critical", message="one", raised_at=now - timedelta(days=1))
    shown = words(browser(viewer).get("/alarms/").content)

    assert shown.index("one") < shown.index("two") < shown.index("three")


def test_views_show_what_they_say(viewer: User, device: Device) -> None:
    now = timezone.now()
    an_alarm(device, message="waits for a person", active=False, cleared_at=now)
    an_alarm(device, message="is over", active=False, cleared_at=now, acknowledged_at=now)
    an_alarm(device, message="lies on the shelf", shelved_until=now + timedelta(hours=1))
    an_alarm(device, message="is mine", assigned_to=viewer, acknowledged_at=now)
    client = browser(viewer)
    seen = {view: words(client.get(f"/alarms/?view={view}").content) for view in ("active", "unseen", "mine", "shelved", "history")}

    found = {view: {text for text in ("waits for a", "is over", "lies on", "is mine") if text in seen[view]} for view in seen}
    assert found == {
        "active": {"waits for a", "is mine"},
        "unseen": {"waits for a"},
        "mine": {"is mine"},
        "shelved": {"lies on"},
        "history": {"waits for a", "is over", "lies on", "is mine"},
    }


def test_filters(viewer: User, device: Device) -> None:
    an_alarm(device, severity="critical", message="hot")
    an_alarm(device, severity="info", message="lukewarm")
    client = browser(viewer)

    assert "lukewarm" not in words(client.get("/alarms/?severity=critical").content)
    assert "No alarm is like that" in words(client.get("/alarms/?q=nothing").content)
    assert "lukewarm" in words(client.get("/alarms/?q=room 2").content)
    assert client.get("/alarms/?view=%00&severity=nonsense&q=%00&cursor=nonsense").status_code == 200


def test_one_alarm_says_what_is_known(viewer: User, device: Device) -> None:
    alarm = an_alarm(device)
    shown = browser(viewer).get(f"/alarms/{alarm.pk}/")

    assert "Raised at 7.5 °C" in words(shown.content)
    assert "Clears at 4 °C" in words(shown.content)
    assert f"/rules/{alarm.rule_id}/" in links(shown.content)
    assert "1 time" in words(shown.content)


def test_the_subject_is_the_first_property_of_the_rule(device: Device) -> None:
    assert subject_of(an_alarm(device)) == Subject("t", 5.0, True, 4.0)
    assert subject_of(an_alarm(device, rule=None)) == Subject()


@pytest.mark.parametrize(
    ("verb", "data", "said"),
    [
        ("acknowledge", {}, "otto acknowledged it"),
        ("clear", {"text": "door shut"}, "otto cleared it door shut"),
        ("assign", {"to": "otto"}, "otto gave it to otto"),
        ("comment", {"text": "on my way"}, "otto commented on my way"),
        ("shelve", {"span": "1h"}, "otto put it on the shelf"),
    ],
)
def test_an_operator_acts(verb: str, data: dict[str, str], said: str, operator: User, device: Device) -> None:
    alarm = an_alarm(device)
    shown = browser(operator).post(f"/alarms/{alarm.pk}/{verb}/", data, follow=True)

    assert said in words(shown.content)


def test_acknowledging_and_clearing_know_nothing_of_each_other(operator: User, device: Device) -> None:
    alarm = an_alarm(device)
    browser(operator).post(f"/alarms/{alarm.pk}/clear/")
    alarm.refresh_from_db()

    assert (alarm.active, alarm.acknowledged) == (False, False)
    browser(operator).post(f"/alarms/{alarm.pk}/acknowledge/")
    alarm.refresh_from_db()
    assert (alarm.active, alarm.acknowledged) == (False, True)


def test_all_that_was_shown_is_acknowledged_and_no_more(operator: User, device: Device) -> None:
    shown, later = an_alarm(device), an_alarm(device)
    browser(operator).post("/alarms/-/acknowledge/", {"alarm": [shown.pk, "x", "9" * 30]})

    assert [Alarm.objects.get(pk=alarm.pk).acknowledged for alarm in (shown, later)] == [True, False]


def test_a_viewer_only_looks(viewer: User, device: Device) -> None:
    alarm = an_alarm(device)
    client = browser(viewer)

    assert "Acknowledge" not in words(client.get(f"/alarms/{alarm.pk}/").content)
    assert client.post(f"/alarms/{alarm.pk}/acknowledge/").status_code == 403
    assert client.post("/alarms/-/acknowledge/", {"alarm": [alarm.pk]}).status_code == 403
    assert not Alarm.objects.get(pk=alarm.pk).acknowledged


def test_a_stranger_finds_nothing(stranger: User, device: Device) -> None:
    alarm = an_alarm(device)
    client = browser(stranger)

    assert "Too warm" not in words(client.get("/alarms/?view=history").content)
    assert client.get(f"/alarms/{alarm.pk}/").status_code == 404
    assert client.post(f"/alarms/{alarm.pk}/clear/").status_code == 404
    client.post("/alarms/-/acknowledge/", {"alarm": [alarm.pk]})
    assert not Alarm.objects.get(pk=alarm.pk).acknowledged


def test_nobody_outside_the_tenant_is_given_an_alarm(operator: User, stranger: User, device: Device) -> None:
    alarm = an_alarm(device)

    assert browser(operator).post(f"/alarms/{alarm.pk}/assign/", {"to": stranger.username}).status_code == 404
    assert Alarm.objects.get(pk=alarm.pk).assigned_to is None


def test_a_hostile_name_is_text(viewer: User, device: Device) -> None:
    alarm = an_alarm(device, message="<script>alert(1)</script>")
    page = browser(viewer).get(f"/alarms/{alarm.pk}/").content.decode()

    assert "<script>alert(1)" not in page
    assert "&lt;script&gt;alert(1)" in page


def test_the_navigation_counts_in_the_colour_of_the_worst(viewer: User, device: Device) -> None:
    an_alarm(device, severity="critical", acknowledged_at=timezone.now())
    an_alarm(device, severity="minor")
    page = browser(viewer).get("/devices/").content.decode()

    assert '<span class="count" data-severity="minor">2</span>' in page


def test_the_overview_names_active_alarms(viewer: User, device: Device) -> None:
    alarm = an_alarm(device, severity="critical", message="Cold room warms up")
    shown = browser(viewer).get("/")

    assert "Cold room warms up" in words(shown.content)
    assert f"/alarms/{alarm.pk}/" in links(shown.content)
