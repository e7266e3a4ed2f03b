"""Who may open a WebSocket, and in which tenant."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from knox.models import AuthToken
from pytest_django import Settings

from iotpanel.api.errors import ApiError, Forbidden, TooMany, Unauthorized
from iotpanel.tenants.models import Membership, Role, Tenant, User
from iotpanel.tenants.sockets import identify
from tests.make import PASSWORD, make_api_key, make_member, make_user

pytestmark = pytest.mark.django_db


def make_scope(**overrides: Any) -> dict[str, Any]:
    headers = {"host": "testserver", "origin": "http://testserver"} | overrides.pop("headers", {})
    return {
        "type": "websocket",
        "path": "/ws/live/",
        "query_string": b"",
        "client": ["127.0.0.1", 1],
        "subprotocols": [],
        "headers": [(name.encode(), value.encode("latin1")) for name, value in headers.items() if value is not None],
    } | overrides


def session_of(user: User) -> dict[str, str]:
    client = Client()
    client.force_login(user)
    return {"cookie": f"other=1; iotpanel_session={client.cookies['iotpanel_session'].value}"}


def token_of(user: User, **options: Any) -> str:
    return str(AuthToken.objects.create(user, **options)[1])


def test_a_session_from_our_own_page(viewer: User, tenant: Tenant) -> None:
    caller = identify(make_scope(headers=session_of(viewer)))
    assert (caller.who, caller.tenant, caller.grant.role, caller.subprotocol) == (viewer, tenant, Role.VIEWER, None)


@pytest.mark.parametrize(
    "origin", [None, "", "null", "http://evil.example", "https://testserver", "http://testserver:8000", "http://testserver.evil.example"]
)
def test_a_session_from_a_foreign_page_is_refused(origin: str | None, viewer: User) -> None:
    with pytest.raises(Unauthorized):
        identify(make_scope(headers=session_of(viewer) | {"origin": origin}))


def test_a_host_that_is_not_ours_makes_no_origin_ours(viewer: User, settings: Settings) -> None:
    """DNS rebinding: the foreign page's name and the Host agree with each other."""
    settings.ALLOWED_HOSTS = ["testserver"]
    with pytest.raises(Unauthorized):
        identify(make_scope(headers=session_of(viewer) | {"host": "evil.example", "origin": "http://evil.example"}))


@pytest.mark.parametrize(
    ("trusted", "origin"), [("https://panel.example", "https://panel.example"), ("https://*.example", "https://a.example")]
)
def test_an_origin_that_the_operator_trusts_is_ours(trusted: str, origin: str, viewer: User, settings: Settings) -> None:
    settings.CSRF_TRUSTED_ORIGINS = [trusted]
    assert identify(make_scope(headers=session_of(viewer) | {"origin": origin})).who == viewer
    with pytest.raises(Unauthorized):
        identify(make_scope(headers=session_of(viewer) | {"origin": origin.replace("https", "http")}))


def test_behind_a_proxy_with_tls_the_origin_has_its_scheme(viewer: User, settings: Settings) -> None:
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    headers = session_of(viewer) | {"origin": "https://testserver", "x-forwarded-proto": "https"}
    assert identify(make_scope(headers=headers)).who == viewer


def test_nobody_is_refused() -> None:
    with pytest.raises(Unauthorized):
        identify(make_scope())
    with pytest.raises(Unauthorized):
        identify(make_scope(headers={"cookie": "iotpanel_session=nonsense\x00"}))


def test_a_session_ends_with_the_password_it_began_with(viewer: User) -> None:
    scope = make_scope(headers=session_of(viewer))
    viewer.set_password(PASSWORD + "!")
    viewer.save()
    with pytest.raises(Unauthorized):
        identify(scope)


def test_an_account_that_was_switched_off_is_refused(viewer: User) -> None:
    scope, token = make_scope(headers=session_of(viewer)), token_of(viewer)
    viewer.is_active = False
    viewer.save()
    with pytest.raises(Unauthorized):
        identify(scope)
    with pytest.raises(Unauthorized):
        identify(make_scope(headers={"authorization": f"Bearer {token}"}))


def test_a_user_token_by_header_or_subprotocol_needs_no_origin(viewer: User) -> None:
    token = token_of(viewer)
    headers = {"authorization": f"Bearer {token}", "origin": "http://elsewhere.example"}
    assert identify(make_scope(headers=headers)).who == viewer
    caller = identify(make_scope(subprotocols=["chat", f"bearer.{token}"], headers={"origin": None}))
    assert (caller.who, caller.subprotocol) == (viewer, f"bearer.{token}")


def test_an_api_key_works_in_its_own_tenant(tenant: Tenant, other_tenant: Tenant) -> None:
    key = make_api_key(tenant, role=Role.VIEWER, scopes=["devices:read"])[1]
    caller = identify(make_scope(headers={"authorization": f"Bearer {key}"}))
    assert (caller.tenant, caller.grant.role, caller.grant.scopes) == (tenant, Role.VIEWER, ("devices:read",))
    for scope in ({"query_string": b"tenant=elsewhere"}, {"headers": {"x-tenant": "elsewhere"}}):
        with pytest.raises(Forbidden):
            identify(make_scope(**scope, subprotocols=[f"bearer.{key}"]))


def test_tokens_that_have_ended_are_refused(viewer: User, tenant: Tenant) -> None:
    api_key, key, _ = make_api_key(tenant)
    type(api_key).objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    for token in (key, token_of(viewer, expiry=timedelta(seconds=-1)), "iot_nonsense", "nonsense", "", "ü"):
        with pytest.raises(Unauthorized):
            identify(make_scope(headers={"authorization": f"Bearer {token}"}))


def test_a_wrong_token_is_not_made_good_by_a_session(viewer: User) -> None:
    with pytest.raises(Unauthorized):
        identify(make_scope(headers=session_of(viewer) | {"authorization": "Bearer wrong"}))


def test_guessing_tokens_is_throttled(settings: Settings) -> None:
    settings.THROTTLE = True
    scope = make_scope(headers={"authorization": "Bearer wrong"}, client=["203.0.113.9", 1])
    with pytest.raises(TooMany):
        for _ in range(200):
            with pytest.raises(Unauthorized):
                identify(scope)


def test_who_has_several_tenants_names_one(tenant: Tenant, other_tenant: Tenant) -> None:
    both = make_member(tenant, Role.VIEWER)
    make_membership(both, other_tenant)
    authorization = {"authorization": f"Bearer {token_of(both)}"}
    with pytest.raises(ApiError) as refusal:
        identify(make_scope(headers=authorization))
    assert refusal.value.code == "tenant_required"
    assert identify(make_scope(headers=authorization, query_string=b"tenant=elsewhere")).tenant == other_tenant
    assert identify(make_scope(headers=authorization | {"x-tenant": "home"})).tenant == tenant


def make_membership(user: User, tenant: Tenant) -> None:
    Membership.objects.create(user=user, tenant=tenant, role=Role.OPERATOR)


def test_a_page_may_name_the_tenant_that_it_shows(tenant: Tenant, other_tenant: Tenant) -> None:
    both = make_member(tenant, Role.VIEWER)
    make_membership(both, other_tenant)
    cookie = session_of(both)
    assert identify(make_scope(headers=cookie, query_string=b"tenant=elsewhere")).grant.role == Role.OPERATOR
    assert identify(make_scope(headers=cookie)).tenant in (tenant, other_tenant)


def test_a_strangers_tenant_is_refused(viewer: User, other_tenant: Tenant) -> None:
    for who in (session_of(viewer), {"authorization": f"Bearer {token_of(viewer)}"}):
        for wanted in (b"tenant=elsewhere", b"tenant=no-such", b"tenant=a%00b"):
            with pytest.raises(Forbidden):
                identify(make_scope(headers=who, query_string=wanted))
    with pytest.raises(Forbidden):
        identify(make_scope(headers=session_of(make_user())))


def test_looking_again_says_whether_they_may_still_be_there(viewer: User, tenant: Tenant, other_tenant: Tenant) -> None:
    scope = make_scope(headers=session_of(viewer))
    assert identify(scope, tenant=tenant).tenant == tenant
    with pytest.raises(Forbidden):
        identify(scope, tenant=other_tenant)
    Membership.objects.filter(user=viewer).delete()
    with pytest.raises(Forbidden):
        identify(scope, tenant=tenant)
