"""The bell: what a person has not seen, and what they have; each for themselves, each in their own tenant."""

from typing import Any

import pytest

from iotpanel.tenants.models import Tenant, User
from rules import notices
from rules.models import Notice
from telemetry.live.wire import Notice as Told
from tests.pages.people import browser, words
from tests.rules.fakes import make_channel


def say(tenant: Tenant, *titles: str) -> list[Notice]:
    return [notices.add(tenant.pk, channel_id=1, title=title, text="because") for title in titles]


def test_each_person_sees_for_themselves(viewer: User, owner: User, tenant: Tenant) -> None:
    first, second, third = say(tenant, "One", "Two", "Three")
    client = browser(viewer)
    assert "Notices, 3 not seen" in client.get("/rules/").content.decode()

    client.post("/notices/seen/", {"up_to": second.pk})
    assert notices.count_unread(tenant, viewer) == 1
    assert notices.count_unread(tenant, owner) == 3
    client.post("/notices/seen/", {"up_to": first.pk})  # an old page: what was seen stays so
    assert [each.pk for each in notices.unread(tenant, viewer)] == [third.pk]


@pytest.mark.parametrize("up_to", ["", "x", "-1", "9" * 40, "0"])
def test_nonsense_marks_nothing(up_to: str, viewer: User, tenant: Tenant) -> None:
    say(tenant, "One")
    assert browser(viewer).post("/notices/seen/", {"up_to": up_to}).status_code == 302
    assert notices.count_unread(tenant, viewer) == 1


def test_what_is_marked_as_read_for_all_is_seen_by_all(viewer: User, tenant: Tenant) -> None:
    (notice,) = say(tenant, "One")
    Notice.objects.update(read_at=notice.at)

    assert notices.count_unread(tenant, viewer) == 0


def test_the_bell_lists_them_and_the_page_has_all(viewer: User, tenant: Tenant) -> None:
    say(tenant, *(f"Number {number}" for number in range(12)), "<script>alert(1)</script>")
    client = browser(viewer)
    recent, page = client.get("/notices/recent/").content, client.get("/notices/").content

    assert "Number 4" in words(recent)
    assert "Number 1 " not in words(recent)
    assert "Number 1 " in words(page)
    assert b"<script>alert(1)" not in recent + page


def test_a_stranger_sees_and_marks_nothing_of_it(stranger: User, tenant: Tenant, other_tenant: Tenant) -> None:
    (notice,) = say(tenant, "Hidden")
    client = browser(stranger)

    assert "Hidden" not in words(client.get("/notices/").content + client.get("/notices/recent/").content)
    client.post("/notices/seen/", {"up_to": notice.pk})
    say(other_tenant, "Ours")
    assert notices.count_unread(other_tenant, stranger) == 1


def test_it_is_told_live_after_the_commit(tenant: Tenant, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any) -> None:
    told: list[Told] = []

    class Publisher:
        def notices(self, items: list[Told]) -> None:
            told.extend(items)

    monkeypatch.setattr(notices, "publisher", Publisher)
    with django_capture_on_commit_callbacks(execute=True):
        (notice,) = say(tenant, "One")
        assert told == []

    assert [(each.topic, each.data["id"], each.data["title"]) for each in told] == [(f"notice:{tenant.pk}", notice.pk, "One")]


def test_no_connection_is_opened_where_nothing_can_come(viewer: User, tenant: Tenant) -> None:
    assert b"data-told" not in browser(viewer).get("/notices/").content
    make_channel(tenant)
    assert b"data-told" in browser(viewer).get("/notices/").content
