"""The addresses of self-registration, claiming and bulk creation: who may, what is answered, how often."""

import csv
import io
from typing import Any

import pytest
from auditlog.models import LogEntry
from django.core.cache import cache
from django.test import Client
from pytest_django import Settings

from devices.credentials import verify_secret
from devices.enrolment import claims
from devices.models import Claim, Device
from iotpanel.tenants.models import Role, Tenant, User
from tests.make import make_api_key, make_device, make_member, make_product
from tests.rest import Rest, refused, results

pytestmark = pytest.mark.django_db


@pytest.fixture
def api(owner: User, tenant: Tenant) -> Rest:
    make_product(tenant, key="climate")
    return Rest(owner)


def opened(api: Rest, **policy: Any) -> dict[str, str]:
    """What a device of the opened product sends, but for its serial number."""
    assert api.patch("products/climate/registration/", {"mode": "open", **policy}).status_code == 200
    made = api.post("products/climate/registration/secret/")
    assert (made.status_code, made["Cache-Control"]) == (201, "no-store")
    return dict(made.json())


def ask(body: Any) -> Any:
    return Client().post("/api/v1/device/register", body, content_type="application/json")


def test_a_product_is_closed_until_it_is_opened(api: Rest) -> None:
    found = api.get("products/climate/registration/").json()
    assert found == {
        "mode": "closed",
        "approval": False,
        "key_template": "{serial}",
        "max_devices": 1000,
        "secret_made_at": None,
        "authority": "",
        "common_name": "{serial}",
    }


def test_a_device_registers_over_http(api: Rest) -> None:
    answer = ask(opened(api) | {"serial": "SN-1"})

    assert (answer.status_code, answer["Cache-Control"]) == (201, "no-store")
    given = answer.json()["credentials"]
    assert answer.json()["state"] == "registered"
    assert verify_secret(given["username"], given["secret"]) == Device.objects.get(key="SN-1")


def test_one_that_waits_is_told_when_to_ask_again_and_approved(api: Rest, tenant: Tenant) -> None:
    body = opened(api, approval=True) | {"serial": "SN:1"}
    answer = ask(body)
    assert (answer.status_code, answer["Retry-After"], answer.json()["state"]) == (202, "60", "pending")
    assert [row["serial"] for row in results(api.get("products/climate/serials/", state="pending"))] == ["SN:1"]

    operator = Rest(make_member(tenant, Role.OPERATOR))
    assert operator.post("products/climate/serials/SN:1/approve/").json()["state"] == "approved"
    assert ask(body).status_code == 201
    refused(operator.post("products/climate/serials/SN:1/deny/"), 409, "wrong_state")
    assert operator.post("products/climate/serials/SN:1/again/").status_code == 403


@pytest.mark.parametrize(
    "body",
    [{}, [], {"product": "home/climate"}, {"product": 1, "secret": [], "serial": {}}, {"product": "a\x00", "secret": "", "serial": "x"}],
)
def test_a_strange_body_is_refused(api: Rest, body: Any) -> None:
    assert ask(body).status_code == 400


def test_refusals_have_codes(api: Rest) -> None:
    body = opened(api, mode="listed") | {"serial": "SN-1"}
    refused(ask(body | {"secret": "wrong"}), 401, "wrong_secret")
    refused(ask(body), 403, "serial_unknown")
    api.post("products/climate/serials/", {"serials": ["SN-1"]})
    api.post("products/climate/serials/SN-1/deny/")
    refused(ask(body), 403, "serial_denied")
    api.patch("products/climate/registration/", {"mode": "closed"})
    refused(ask(body), 403, "registration_closed")


def test_asking_is_limited(api: Rest, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each serial number by itself, and each address; counted by whole minutes, of which two may pass here."""
    body = opened(api) | {"serial": "SN-1"}
    settings.THROTTLE = True
    cache.clear()
    answers = [ask(body) for _ in range(21)]
    assert {answer.status_code for answer in answers} == {201, 429}
    assert answers[-1].status_code == 201 or answers[-1]["Retry-After"]

    monkeypatch.setattr("devices.api.register.PER_ADDRESS", 2)
    assert 429 in [ask(body | {"serial": f"SN-{number}"}).status_code for number in range(2, 7)]
    cache.clear()


def test_a_csv_file_is_a_list(api: Rest) -> None:
    url = "/api/v1/products/climate/serials/"
    answer = api.client.post(url, "serial\nA-1\nA-2\n", content_type="text/csv", headers=api.headers)
    assert answer.json() == {"added": 2, "known": 0}
    assert [row["serial"] for row in results(api.get("products/climate/serials/", search="a-2"))] == ["A-2"]
    assert api.delete("products/climate/serials/A-2/").status_code == 204
    assert "serials" in refused(api.post("products/climate/serials/", {"serials": ["A B", None]}), 400, "invalid")


def test_a_device_is_prepared_and_claimed(api: Rest, tenant: Tenant, viewer: User) -> None:
    make_device(tenant, key="pump-1")
    made = api.post("devices/pump-1/claim-code/", {"days": 7}).json()
    assert made["url"].endswith(f"/devices/-/claim/?code={made['code']}")

    assert Rest(viewer).post("claims/", {"code": made["code"]}).status_code == 403
    operator = Rest(make_member(tenant, Role.OPERATOR))
    answer = operator.post("claims/", {"code": made["code"], "name": "In the hall"})
    assert (answer.status_code, answer.json()["name"], answer.json()["enabled"]) == (201, "In the hall", True)
    refused(operator.post("claims/", {"code": made["code"]}), 422, "code_used")


@pytest.mark.usefixtures("audited")
def test_it_is_kept_which_person_claimed_a_device(api: Rest, tenant: Tenant) -> None:
    operator = make_member(tenant, Role.OPERATOR, username="otto")
    secret = make_api_key(tenant, role=Role.OPERATOR, scopes=["devices:write"])[1]
    for name, who in (("pump-1", Rest(operator)), ("pump-2", Rest(bearer=secret))):
        _claim, code = claims.prepare(make_device(tenant, key=name))
        assert who.post("claims/", {"code": code}).status_code == 201
    assert dict(Claim.objects.values_list("device__key", "claimed_by__username")) == {"pump-1": "otto", "pump-2": None}

    log = LogEntry.objects.get_for_model(Claim).filter(action=LogEntry.Action.UPDATE).order_by("id")
    said = [(entry.actor, entry.changes["claimed_at"][0]) for entry in log]
    assert said == [(operator, "None"), (None, "None")]
    operator.delete()
    assert Claim.objects.get(device__key="pump-1").claimed_at is not None
    Device.objects.all().delete()  # their names are in the history of what goes with them
    assert not Claim.objects.exists()


def test_a_stranger_claims_what_is_transferable_only(api: Rest, tenant: Tenant, stranger: User) -> None:
    make_device(tenant, key="pump-1")
    code = api.post("devices/pump-1/claim-code/").json()["code"]
    refused(Rest(stranger).post("claims/", {"code": code}), 422, "wrong_code")
    code = api.post("devices/pump-1/claim-code/", {"transferable": True}).json()["code"]
    assert Rest(stranger).post("claims/", {"code": code}).status_code == 201
    assert api.get("devices/pump-1/").status_code == 404
    assert Rest(stranger).get("devices/pump-1/").status_code == 200


def test_an_administrator_ends_a_code_that_nobody_used(api: Rest, tenant: Tenant, viewer: User, stranger: User) -> None:
    address = f"devices/{make_device(tenant, key='pump-1').key}/claim-code/"
    refused(api.delete(address), 404, "not_found")
    code = api.post(address).json()["code"]
    for who, status in ((viewer, 403), (make_member(tenant, Role.OPERATOR), 403), (stranger, 404)):
        assert Rest(who).delete(address).status_code == status
    assert api.delete(address).status_code == 204
    refused(api.post("claims/", {"code": code}), 422, "wrong_code")

    assert api.post("claims/", {"code": api.post(address).json()["code"]}).status_code == 201
    refused(api.delete(address), 409, "code_used")


def test_codes_are_not_guessed_in_a_loop(api: Rest, settings: Settings) -> None:
    settings.THROTTLE = True
    cache.clear()
    statuses = [api.post("claims/", {"code": f"guess-{number}"}).status_code for number in range(42)]
    assert statuses[0] == 422
    assert 429 in statuses  # whatever minute begins meanwhile
    cache.clear()


def test_many_devices_come_as_a_file_once(api: Rest) -> None:
    answer = api.post("devices/bulk/", {"product": "climate", "pattern": "pump-###", "count": 250})
    assert answer.status_code == 200
    assert answer["Cache-Control"] == "no-store, private"
    rows = list(csv.DictReader(io.StringIO(b"".join(answer.streaming_content).decode())))
    assert len(rows) == 250
    assert verify_secret(rows[249]["username"], rows[249]["secret"]) == Device.objects.get(key="pump-250")


@pytest.mark.parametrize(
    "body",
    [{}, {"keys": ["a"], "pattern": "a-#", "count": 1}, {"pattern": "a-#"}, {"keys": ["=1"]}, {"keys": []}, {"pattern": "a", "count": 1}],
)
def test_a_bad_order_of_many_is_refused(api: Rest, body: Any) -> None:
    refused(api.post("devices/bulk/", {"product": "climate", **body}), 400, "invalid")
    assert not Device.objects.exists()


def test_many_with_a_foreign_product_is_refused(api: Rest, other_tenant: Tenant) -> None:
    make_product(other_tenant, key="foreign")
    assert "product" in refused(api.post("devices/bulk/", {"product": "foreign", "keys": ["a"]}), 400, "invalid")
