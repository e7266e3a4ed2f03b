"""Devices out to a CSV file and in again, by REST."""

import csv
import io
from typing import Any

import pytest
from django.utils import timezone

from devices.models import Device
from iotpanel.tenants.models import Tenant, User
from rules.models import Alarm
from tests.make import make_device, make_group, make_product
from tests.rest import Rest, refused

HEADER = "key,name,product,parent,groups,labels,latitude,longitude,enabled\n"


@pytest.fixture(autouse=True)
def climate(tenant: Tenant) -> Any:
    return make_product(tenant, key="climate")


def load(user: User, text: str | bytes, **query: str) -> Any:
    api = Rest(user)
    body = text if isinstance(text, bytes) else text.encode()
    return api.client.post("/api/v1/devices/import/", body, content_type="text/csv", headers=api.headers, query_params=query)


def export(user: User, **query: str) -> list[dict[str, str]]:
    answer = Rest(user).get("devices/export/", **query)
    assert answer.status_code == 200
    assert answer["Content-Disposition"] == 'attachment; filename="devices.csv"'
    return list(csv.DictReader(io.StringIO(answer.getvalue().decode())))


def test_a_dry_run_changes_nothing(owner: User) -> None:
    answer = load(owner, HEADER + "a,,climate,,,,,,\n", dry_run="1")
    assert answer.status_code == 200, answer.content
    assert answer.json() == {"dry_run": True, "rows": 1, "new": 1, "update": 0, "same": 0, "bad": 0, "problems": []}
    assert not Device.objects.exists()


def test_a_file_makes_and_changes_devices(owner: User, tenant: Tenant, climate: Any) -> None:
    make_group(tenant, key="hall")
    make_device(tenant, key="b", name="Old", product=climate)
    make_device(tenant, key="same", product=climate)
    text = HEADER + "a,Room A,climate,b,hall,floor=2,52.5,13.4,true\nb,New,climate,,,,,,\nsame,same,climate,,,,,,\n"
    answer = load(owner, text).json()
    assert (answer["new"], answer["update"], answer["same"]) == (1, 1, 1)
    made = Rest(owner).get("devices/a/").json()
    assert (made["name"], made["parent"], made["groups"], made["labels"]) == ("Room A", "b", ["hall"], {"floor": "2"})
    assert made["location"] == {"lat": 52.5, "lon": 13.4}
    assert Device.objects.get(key="b").name == "New"
    assert Rest(owner).post("devices/a/rotate/").json()["username"] == "a"


def test_each_bad_row_is_named_and_none_is_written(owner: User, other_tenant: Tenant) -> None:
    make_device(other_tenant, key="taken")
    text = HEADER + "good,,climate,,,,,,\na b,,climate,,,,,,\nx,,nothing,,,,91,0,\ntaken,,climate,,,,,,\ngood,,climate,,,,,,\n"
    report = refused(load(owner, text), 400, "invalid")
    assert report["bad"] == 4
    assert {(problem["row"], problem["column"]) for problem in report["problems"]} >= {(3, "key"), (4, "product"), (5, "key"), (6, "key")}
    assert not Device.objects.for_user(owner).exists()
    assert load(owner, text, dry_run="true").json()["problems"] == report["problems"]


@pytest.mark.parametrize(
    "text",
    [b"\xff\xfe", b"key\0,product\n", b"", b"name\nx\n", ('key,product\n"' + "x" * 200_000 + '"').encode()],
)
def test_what_is_no_such_file_is_400(owner: User, text: bytes) -> None:
    assert load(owner, text).status_code == 400
    assert not Device.objects.exists()


def test_spreadsheets_write_marks_and_semicolons(owner: User) -> None:
    assert load(owner, b"\xef\xbb\xbf" + "key;name;product\r\na;Café;climate\r\n".encode()).json()["new"] == 1
    assert Device.objects.get(key="a").name == "Café"


def test_what_goes_out_comes_in_again_unchanged(owner: User, tenant: Tenant, climate: Any) -> None:
    make_device(tenant, key="a", name="=HYPERLINK(1)", product=climate, labels={"a": "b;c"}, latitude=1.5, longitude=-2.5)
    make_device(tenant, key="b", name="Zwei", product=climate, enabled=False)
    rows = export(owner)
    assert [row["key"] for row in rows] == ["a", "b"]
    assert rows[0]["name"] == "'=HYPERLINK(1)"
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, rows[0].keys())
    writer.writeheader()
    writer.writerows(rows)
    assert load(owner, buffer.getvalue()).json()["same"] == 2


def test_the_export_obeys_the_filters(owner: User, tenant: Tenant, climate: Any) -> None:
    make_device(tenant, key="a", product=climate)
    make_device(tenant, key="b")
    assert [row["key"] for row in export(owner, product="climate")] == ["a"]
    assert [row["key"] for row in export(owner, search="b")] == ["b"]


def test_a_viewer_takes_and_brings_nothing_in(viewer: User, stranger: User, tenant: Tenant, climate: Any) -> None:
    make_device(tenant, key="a", product=climate)
    assert len(export(viewer)) == 1
    refused(load(viewer, HEADER), 403, "permission_denied")
    assert export(stranger) == []
    assert load(stranger, "key,name\na,mine\n").status_code == 400
    assert Device.objects.get(key="a").name == "a"


def test_json_is_no_csv(owner: User) -> None:
    refused(Rest(owner).post("devices/import/", {}), 415, "unsupported_media_type")


def test_the_views_of_the_devices_page_choose_here_too(viewer: User, tenant: Tenant, other_tenant: Tenant, climate: Any) -> None:
    for key, changes in {"on": {}, "off": {"enabled": False}, "alarmed": {}}.items():
        make_device(tenant, key=key, product=climate, **changes)
    for device in (Device.objects.get(key="alarmed"), make_device(other_tenant, key="theirs")):
        Alarm.objects.create(tenant=device.tenant, device=device, raised_at=timezone.now())
    found = {view: [row["key"] for row in export(viewer, view=view)] for view in ("all", "online", "never", "disabled", "alarm")}
    assert found == {"all": ["alarmed", "off", "on"], "online": [], "never": ["alarmed", "on"], "disabled": ["off"], "alarm": ["alarmed"]}
    assert [each["key"] for each in Rest(viewer).get("devices/", view="alarm").json()["results"]] == ["alarmed"]
    assert refused(Rest(viewer).get("devices/export/", view="%_'"), 400, "invalid")["view"]
