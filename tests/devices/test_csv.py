"""Devices as CSV: the dry run names each bad row, all rows or none, and what goes out comes in again."""

import csv
import io
from typing import Any

import pytest
from auditlog.models import LogEntry
from django.core.files.uploadedfile import SimpleUploadedFile

from devices.device_csv import COLUMNS, Plan, make_plan, row_of, write
from devices.device_csv.cells import neutral, plain
from devices.models import Device, DevicePresence
from iotpanel.tenants.models import Role, Tenant, User
from tests.admin_client import Admin
from tests.make import make_device, make_group, make_member, make_product

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def kind(tenant: Tenant) -> Any:
    return make_product(tenant, key="room")


def plan_of(tenant: Tenant, *rows: dict[str, str]) -> Plan:
    return make_plan(tenant, list(rows[0]), rows)


def problems(plan: Plan) -> dict[int, list[str]]:
    return {row.number: sorted(row.problems) for row in plan.bad}


class TestTheDryRun:
    def test_writes_nothing(self, tenant: Tenant) -> None:
        plan = plan_of(tenant, {"key": "a", "product": "room"})
        assert [row.kind for row in plan.rows] == ["new"]
        assert not Device.objects.exists()

    @pytest.mark.parametrize(
        ("row", "columns"),
        [
            ({"key": ""}, ["key"]),
            ({"key": "a b"}, ["key"]),
            ({"key": "设备"}, ["key"]),
            ({"key": "iotpanel-x"}, ["key"]),
            ({"product": ""}, ["product"]),
            ({"product": "nothing"}, ["product"]),
            ({"name": "\x00"}, ["name"]),
            ({"parent": "nobody"}, ["parent"]),
            ({"parent": "a"}, ["parent"]),
            ({"groups": "nothing"}, ["groups"]),
            ({"labels": "line"}, ["labels"]),
            ({"labels": "{"}, ["labels"]),
            ({"labels": '{"a": 5}'}, ["labels"]),
            ({"labels": "a=" + "x" * 1_000_000}, ["labels"]),
            ({"latitude": "north", "longitude": "1"}, ["latitude"]),
            ({"latitude": "91", "longitude": "1"}, ["latitude"]),
            ({"latitude": "nan", "longitude": "1"}, ["latitude"]),
            ({"latitude": "1"}, ["latitude"]),
            ({"enabled": "perhaps"}, ["enabled"]),
            ({"…": "surplus"}, ["row"]),
            ({"key": "", "product": "", "enabled": "x"}, ["enabled", "key", "product"]),
        ],
    )
    def test_a_bad_row_is_named_with_its_columns(self, tenant: Tenant, row: dict[str, str], columns: list[str]) -> None:
        good = {"key": "ok", "product": "room", "longitude": "", "latitude": "", **dict.fromkeys(row, "")}
        good |= {"key": "ok", "product": "room"}
        assert problems(plan_of(tenant, good, {**good, "key": "a", **row})) == {3: columns}

    def test_a_key_twice(self, tenant: Tenant) -> None:
        row = {"key": "a", "product": "room"}
        assert problems(plan_of(tenant, row, row)) == {3: ["key"]}

    def test_a_foreign_device_is_a_taken_key(self, tenant: Tenant, other_tenant: Tenant) -> None:
        make_device(other_tenant, key="a")
        assert problems(plan_of(tenant, {"key": "a", "product": "room"})) == {2: ["key"]}

    def test_foreign_things_are_not_there(self, tenant: Tenant, other_tenant: Tenant) -> None:
        make_product(other_tenant, key="theirs")
        make_group(other_tenant, key="theirs")
        make_device(other_tenant, key="theirs")
        row = {"key": "a", "product": "theirs", "groups": "theirs", "parent": "theirs"}
        assert problems(plan_of(tenant, row)) == {2: ["groups", "parent", "product"]}

    def test_circles_are_seen_over_all_rows(self, tenant: Tenant) -> None:
        rows = [{"key": key, "product": "room", "parent": above} for key, above in (("a", "c"), ("b", "a"), ("c", "b"), ("d", "a"))]
        assert problems(plan_of(tenant, *rows)) == {2: ["parent"], 3: ["parent"], 4: ["parent"]}

    def test_a_circle_with_one_that_is_there(self, tenant: Tenant, kind: Any) -> None:
        top = make_device(tenant, key="top", product=kind)
        make_device(tenant, key="bottom", product=kind, parent=top)
        assert problems(plan_of(tenant, {"key": "top", "parent": "bottom"})) == {2: ["parent"]}

    def test_without_a_key_column(self, tenant: Tenant) -> None:
        assert plan_of(tenant, {"name": "a"}).problems

    def test_too_many_rows(self, tenant: Tenant) -> None:
        assert make_plan(tenant, ["key"], ({"key": str(number)} for number in range(20_001))).problems

    def test_a_plan_with_a_bad_row_is_not_written(self, tenant: Tenant) -> None:
        with pytest.raises(ValueError, match="bad"):
            write(plan_of(tenant, {"key": "a", "product": "room"}, {"key": "b", "product": ""}))
        assert not Device.objects.exists()


class TestWriting:
    def test_new_ones(self, tenant: Tenant) -> None:
        make_group(tenant, key="hall")
        rows = [
            {"key": "child", "product": "room", "name": "", "parent": "gw", "groups": "hall", "labels": "a=1; b=2", "enabled": "no"},
            {"key": "gw", "product": "room", "name": "Gateway", "parent": "", "groups": "", "labels": "", "enabled": ""},
        ]
        assert write(plan_of(tenant, *rows)) == (2, 0)
        child, gateway = Device.objects.get(key="child"), Device.objects.get(key="gw")
        assert (child.name, child.parent, child.labels, child.enabled) == ("child", gateway, {"a": "1", "b": "2"}, False)
        assert [group.key for group in child.groups.all()] == ["hall"]
        assert (gateway.name, gateway.enabled) == ("Gateway", True)
        assert not child.credentials.exists()
        assert DevicePresence.objects.count() == 2

    def test_a_column_that_is_left_out_changes_nothing(self, tenant: Tenant, kind: Any) -> None:
        device = make_device(tenant, key="a", product=kind, labels={"a": "1"}, groups=[make_group(tenant, key="hall")])
        assert write(plan_of(tenant, {"key": "a", "name": "New"})) == (0, 1)
        device.refresh_from_db()
        assert (device.name, device.labels, device.groups.count(), device.product) == ("New", {"a": "1"}, 1, kind)

    def test_an_empty_cell_empties(self, tenant: Tenant, kind: Any) -> None:
        device = make_device(tenant, key="a", product=kind, labels={"a": "1"}, groups=[make_group(tenant)], parent=make_device(tenant))
        write(plan_of(tenant, {"key": "a", "labels": "", "groups": "", "parent": "", "name": ""}))
        device.refresh_from_db()
        assert (device.labels, device.groups.count(), device.parent, device.name) == ({}, 0, None, "a")

    def test_the_same_again_is_no_change(self, tenant: Tenant, kind: Any) -> None:
        device = make_device(tenant, key="a", product=kind, latitude=1.5, longitude=-0.25)
        assert [row.kind for row in plan_of(tenant, row_of(device)).rows] == ["same"]

    @pytest.mark.usefixtures("audited")
    def test_changes_are_in_the_audit_log(self, tenant: Tenant, kind: Any) -> None:
        make_device(tenant, key="a", product=kind)
        LogEntry.objects.all().delete()
        write(plan_of(tenant, {"key": "a", "product": "room", "name": "New"}, {"key": "b", "product": "room", "name": "B"}))
        found = {entry.object_repr: (entry.action, entry.changes, entry.additional_data) for entry in LogEntry.objects.all()}
        assert found["New"] == (LogEntry.Action.UPDATE, {"name": ["a", "New"]}, {"tenant": tenant.pk})
        assert found["B"][0] == LogEntry.Action.CREATE

    def test_a_thousand_cost_a_handful_of_queries(self, tenant: Tenant, django_assert_max_num_queries: Any) -> None:
        rows = [{"key": f"d{number}", "product": "room", "labels": "a=1"} for number in range(1000)]
        with django_assert_max_num_queries(40):
            write(plan_of(tenant, *rows))
        assert Device.objects.count() == 1000


class TestCells:
    @pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx", "＝1", "plain", "'quoted", "'=x", "", "a=b"])
    def test_what_goes_out_comes_in_again(self, text: str) -> None:
        assert plain(neutral(text)) == text

    @pytest.mark.parametrize("text", ["=cmd|' /C calc'!A0", "+1", "-1", "@x", "\tx", "\rx"])
    def test_no_cell_is_a_formula(self, text: str) -> None:
        assert neutral(text).startswith("'")

    def test_numbers_stay_numbers(self, tenant: Tenant) -> None:
        assert row_of(make_device(tenant, latitude=-1.5, longitude=-0.1))["latitude"] == "-1.5"

    def test_labels_that_would_break_the_list_go_as_json(self, tenant: Tenant, kind: Any) -> None:
        device = make_device(tenant, key="a", product=kind, labels={"a": "x; y=z", "b": "2"})
        assert row_of(device)["labels"].startswith("{")
        assert [row.kind for row in plan_of(tenant, row_of(device)).rows] == ["same"]


class TestInTheAdmin:
    """Upload, dry run, confirmation, download."""

    def upload(self, person: User, text: str | bytes, tenant: Tenant) -> Any:
        file = SimpleUploadedFile("devices.csv", text.encode() if isinstance(text, str) else text, "text/csv")
        sent = {"import_file": file, "format": "0", "resource": "", "tenant": tenant.pk}
        return Admin(person).client.post("/admin/devices/device/import/", sent)

    def confirm(self, person: User, response: Any, **changes: Any) -> Any:
        sent = {**response.context["confirm_form"].initial, **changes}
        sent["tenant"] = getattr(sent["tenant"], "pk", sent["tenant"])
        return Admin(person).client.post("/admin/devices/device/process_import/", sent, follow=True)

    @pytest.mark.usefixtures("audited")
    @pytest.mark.parametrize("text", ["key,product,name\na,room,Ä\n", "\ufeffKey;Product;Name\r\na;room;Ä\r\n"])
    def test_upload_and_confirm(self, tenant: Tenant, owner: User, text: str) -> None:
        response = self.upload(owner, text, tenant)
        assert "1 new" in response.content.decode()
        assert not Device.objects.exists()
        done = self.confirm(owner, response)
        assert Device.objects.get().name == "Ä"
        assert "New credentials as CSV" in done.content.decode()
        assert LogEntry.objects.get(object_repr="Ä").actor == owner

    def test_bad_rows_are_named_and_nothing_can_be_confirmed(self, tenant: Tenant, owner: User) -> None:
        response = self.upload(owner, "key,product\na,room\nb b,nothing\n", tenant)
        page = response.content.decode()
        assert "confirm_form" not in response.context
        assert "There is no product “nothing”." in page
        assert [row.number for row in response.context["result"].invalid_rows] == [3]
        assert set(response.context["result"].invalid_rows[0].error_dict) == {"key", "product"}

    @pytest.mark.parametrize("text", [b"\xff\xfe\x00", b"", b"key,product\n", b"name\nx\n", b"key,product\na,room\x00\n", b"\x89PNG"])
    def test_what_is_no_table_is_said(self, tenant: Tenant, owner: User, text: bytes) -> None:
        response = self.upload(owner, text, tenant)
        assert response.status_code == 200
        assert "confirm_form" not in response.context
        assert not Device.objects.exists()

    def test_html_in_cells_is_text(self, tenant: Tenant, owner: User) -> None:
        page = self.upload(owner, "key,product,name\na,room,<script>alert(1)</script>\n<img>,room,x\n", tenant).content.decode()
        assert "<script>alert" not in page
        assert "<img>" not in page

    def test_only_into_ones_own_tenant(self, tenant: Tenant, owner: User, other_tenant: Tenant) -> None:
        make_product(other_tenant, key="room")
        assert "tenant" in self.upload(owner, "key,product\na,room\n", other_tenant).context["form"].errors
        response = self.upload(owner, "key,product\na,room\n", tenant)
        self.confirm(owner, response, tenant=other_tenant.pk)
        assert not Device.objects.exists()

    def test_viewers_import_nothing(self, tenant: Tenant, viewer: User) -> None:
        assert self.upload(viewer, "key,product\na,room\n", tenant).status_code == 403
        assert Admin(viewer).client.post("/admin/devices/device/process_import/").status_code == 403

    def test_what_has_changed_meanwhile_is_judged_again(self, tenant: Tenant, owner: User, other_tenant: Tenant) -> None:
        response = self.upload(owner, "key,product\na,room\n", tenant)
        make_device(other_tenant, key="a")
        assert "Nothing was imported" in self.confirm(owner, response).content.decode()
        assert not Device.objects.for_tenant(tenant).exists()

    def test_an_upload_that_is_forgotten_is_said(self, tenant: Tenant, owner: User) -> None:
        response = self.upload(owner, "key,product\na,room\n", tenant)
        assert "Nothing was imported" in self.confirm(owner, response, import_file_name="0" * 32).content.decode()

    def test_export_is_the_tenants_own_and_can_be_read_again(self, tenant: Tenant, owner: User, other_tenant: Tenant, kind: Any) -> None:
        make_device(tenant, key="a", name="=1+1", product=kind, labels={"x": "y"})
        make_device(tenant, key="b", product=kind)
        make_device(other_tenant, key="theirs")
        text = Admin(owner).client.get("/admin/devices/device/export/?q=a").content.decode()
        rows = list(csv.DictReader(io.StringIO(text)))
        assert (list(rows[0]), [row["key"] for row in rows], rows[0]["name"]) == (list(COLUMNS), ["a"], "'=1+1")
        assert "1 unchanged" in self.upload(owner, text, tenant).content.decode()

    def test_export_of_the_chosen(self, tenant: Tenant, kind: Any) -> None:
        chosen, _other = make_device(tenant, key="a", product=kind), make_device(tenant, key="b", product=kind)
        text = Admin(make_member(tenant, Role.VIEWER)).act(Device, "export_chosen", chosen).content.decode()
        assert [row["key"] for row in csv.DictReader(io.StringIO(text))] == ["a"]
