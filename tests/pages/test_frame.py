"""What stands around every page: tenant, language, search, policy, errors."""

from html import escape

import pytest
from django.test import Client

from iotpanel.tenants.models import Membership, Role, Tenant, User
from tests import make
from tests.pages.people import browser, links, words

PAGES = ["/", "/devices/", "/products/", "/dead-letters/", "/account/", "/search/", "/welcome/"]
WRITES = ["/devices/-/change/", "/dead-letters/replay/", "/products/-/take/", "/devices/-/new/"]


@pytest.fixture
def device(tenant: Tenant) -> object:
    return make.make_device(tenant, key="pump-1", name="Pump 1")


@pytest.mark.parametrize("path", PAGES)
def test_every_page_wants_a_person(path: str, db: None) -> None:
    assert browser().get(path).status_code == 302


@pytest.mark.parametrize("path", PAGES)
def test_every_page_opens_for_a_viewer(path: str, viewer: User, device: object) -> None:
    assert browser(viewer).get(path).status_code == 200


@pytest.mark.parametrize("path", WRITES)
def test_a_viewer_may_change_nothing(path: str, viewer: User, device: object) -> None:
    assert browser(viewer).post(path).status_code == 403


def directives(policy: str) -> list[str]:
    """The policy's parts; their order is not promised."""
    return [part.strip() for part in policy.split(";")]


def test_the_policy_is_strict_for_pages_and_wider_for_the_admin_alone(owner: User, superuser: User, device: object) -> None:
    page = browser(owner).get("/devices/")["Content-Security-Policy"]
    assert {"script-src 'self'", "style-src 'self'"} <= set(directives(page))
    assert "unsafe" not in page

    admin = browser(superuser).get("/admin/")["Content-Security-Policy"]
    assert "script-src 'self' 'unsafe-eval'" in admin
    assert "frame-ancestors 'none'" in admin


@pytest.mark.parametrize("path", [*PAGES, "/products/pump/", "/devices/-/new/"])
def test_no_page_carries_what_the_policy_would_drop(path: str, owner: User, tenant: Tenant) -> None:
    make.make_device(tenant, product=make.make_product(tenant, key="pump"))
    html = browser(owner).get(path).content.decode()

    assert " style=" not in html
    assert " onclick=" not in html
    assert "<style" not in html


def test_a_person_without_a_tenant_is_told_so(db: None) -> None:
    client = browser(make.make_user())

    assert client.get("/devices/")["Location"] == "/no-tenant/"
    assert "not a member of any tenant" in words(client.get("/no-tenant/").content)


def test_whoever_is_in_two_tenants_can_change_between_them(owner: User, tenant: Tenant, other_tenant: Tenant) -> None:
    Membership.objects.create(user=owner, tenant=other_tenant, role=Role.VIEWER)
    make.make_device(tenant, name="At home")
    make.make_device(other_tenant, name="Far away")
    client = browser(owner)
    assert "At home" in words(client.get("/devices/").content)

    assert client.post("/tenant/", {"tenant": "elsewhere", "next": "/devices/"})["Location"] == "/devices/"
    shown = client.get("/devices/")
    assert "Far away" in words(shown.content)
    assert "At home" not in words(shown.content)
    assert 'data-tenant="elsewhere"' in shown.content.decode()


def test_what_a_page_links_to_works_in_the_pages_tenant(superuser: User, tenant: Tenant, other_tenant: Tenant) -> None:
    make.make_device(tenant, key="at-home")
    make.make_device(other_tenant, key="far-away")
    client = browser(superuser)
    client.get("/devices/")
    exported = client.get("/api/v1/devices/export/").getvalue().decode()

    assert "at-home" in exported
    assert "far-away" not in exported


def test_nobody_can_change_to_a_foreign_tenant(owner: User, other_tenant: Tenant) -> None:
    assert browser(owner).post("/tenant/", {"tenant": "elsewhere"}).status_code == 404


@pytest.mark.parametrize("hostile", ["https://evil.example/", "//evil.example", "javascript:alert(1)"])
def test_forms_lead_nowhere_else(hostile: str, owner: User, tenant: Tenant) -> None:
    assert browser(owner).post("/tenant/", {"tenant": "home", "next": hostile})["Location"] == "/"
    assert browser(owner).post("/language/", {"language": "en", "next": hostile})["Location"] == "/"


def test_the_language_is_kept_with_the_account(owner: User, device: object) -> None:
    client = browser(owner)
    client.post("/language/", {"language": "zh-hans"})

    owner.refresh_from_db()
    assert owner.language == "zh-hans"
    shown = browser(owner).get("/devices/").content.decode()
    assert '<html lang="zh-Hans">' in shown
    assert "设备" in shown


def test_a_language_that_does_not_exist_changes_nothing(owner: User) -> None:
    browser(owner).post("/language/", {"language": "tlh"})

    owner.refresh_from_db()
    assert owner.language == ""


def test_visitors_choose_a_language_before_they_sign_in(db: None) -> None:
    client = Client()
    client.post("/language/", {"language": "zh-hans", "next": "/accounts/login/"})

    assert "登录" in words(client.get("/accounts/login/").content)


def test_the_search_finds_devices_products_and_pages_of_this_tenant(owner: User, device: object, other_tenant: Tenant) -> None:
    make.make_device(other_tenant, key="pump-far", name="Pump far away")
    found = browser(owner).get("/search/?q=pump").content

    assert "/devices/pump-1/" in links(found)
    assert "far" not in words(found)
    assert "/dead-letters/" in links(browser(owner).get("/search/?q=letters").content)
    assert "Nothing is called" in words(browser(owner).get("/search/?q=%00zzz").content)


def test_hostile_names_are_text(owner: User, tenant: Tenant) -> None:
    name = "<script>alert('x')</script>\"'"
    make.make_device(tenant, name=name, product=make.make_product(tenant, name=name))
    for path in ("/", "/devices/", "/products/", "/search/?q=script", "/devices/-/new/"):
        html = browser(owner).get(path).content.decode()
        assert name not in html, path
        assert "<script>alert" not in html, path
    assert escape(name, quote=False).split("'")[0] in browser(owner).get("/devices/").content.decode()


def test_errors_are_explained(owner: User) -> None:
    missing = browser(owner).get("/no/such/page/")
    assert missing.status_code == 404
    assert "There is nothing here" in words(missing.content)
    client = Client(enforce_csrf_checks=True)
    client.force_login(owner, backend="django.contrib.auth.backends.ModelBackend")
    assert "too old" in words(client.post("/tenant/", {"tenant": "home"}).content)


def test_a_fault_of_ours_says_that_devices_are_safe(owner: User, monkeypatch: pytest.MonkeyPatch) -> None:
    client = browser(owner)
    client.raise_request_exception = False
    monkeypatch.setattr("iotpanel.pages.products.views._with_counts", lambda request: 1 / 0)

    failed = client.get("/products/")
    assert failed.status_code == 500
    assert "go on being stored" in words(failed.content)


def test_it_can_be_installed_as_an_app(db: None) -> None:
    answer = browser().get("/manifest.webmanifest")

    assert answer["Content-Type"] == "application/manifest+json"
    assert [icon["sizes"] for icon in answer.json()["icons"]] == ["192x192", "512x512"]


def test_a_link_opens_in_the_tenant_that_it_names(viewer: User, tenant: Tenant, other_tenant: Tenant, stranger: User) -> None:
    """What people are told of comes from any of their tenants, whichever they work in just then."""
    Membership.objects.create(user=viewer, tenant=other_tenant, role=Role.VIEWER)
    make.make_device(other_tenant, key="pump-2", name="Pump 2")
    person = browser(viewer)
    assert person.get("/devices/pump-2/").status_code == 404
    assert "Pump 2" in words(person.get(f"/devices/pump-2/?tenant={other_tenant.key}").content)
    assert person.get("/devices/pump-2/").status_code == 200  # where one goes on from there
    assert person.get("/devices/pump-2/?tenant=%00").status_code == 200
    assert browser(stranger).get(f"/devices/pump-2/?tenant={tenant.key}").status_code == 200  # not theirs: they stay where they are
