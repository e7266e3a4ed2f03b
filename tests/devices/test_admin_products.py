"""Products and groups in the admin: the thing model as rows, problems at their row, the tree."""

import json
from typing import Any

import pytest
from auditlog.models import LogEntry

from devices.admin.product_form import placed
from devices.models import Group, Product
from iotpanel.tenants.models import Tenant, User
from tests.admin_client import Admin, errors_of
from tests.make import make_device, make_group, make_product

pytestmark = pytest.mark.django_db
ROOM = {"key": "temperature", "name": "Temperature", "type": "number", "unit": "°C", "min": -40, "max": 85}


def values(tenant: Tenant, **overrides: Any) -> dict[str, Any]:
    """What the form of a product sends."""
    tables = dict.fromkeys(("properties", "attributes", "events", "commands", "topics", "codec_samples", "rollup_properties"), "[]")
    plain = {
        "tenant": tenant.pk,
        "key": "room",
        "name": "Room",
        "codec_kind": "json",
        "offline_after": "600",
        "unknown_properties": "accept",
    }
    return {**tables, **plain, **overrides}


class TestTheThingModel:
    def test_rows_become_a_thing_model(self, tenant: Tenant, owner: User) -> None:
        door = {"key": "door", "name": "Door", "params": [{"key": "open", "name": "Open", "type": "boolean", "required": True}]}
        sent = values(tenant, properties=json.dumps([ROOM]), events=json.dumps([door]))
        assert Admin(owner).add(Product, **sent).status_code == 302
        model = Product.objects.get().thing_model
        assert model["properties"] == [ROOM]
        assert model["events"][0]["params"][0]["required"] is True

    def test_the_form_shows_what_is_kept(self, tenant: Tenant, owner: User) -> None:
        product = make_product(tenant, thing_model={"properties": [ROOM]}, rollup_retention={"hour": 365})
        response: Any = Admin(owner).open(product)
        form = response.context["adminform"].form
        assert (form["properties"].initial, form["rollup_hour"].initial) == ([ROOM], 365)

    def test_one_table_changes_and_the_others_stay(self, tenant: Tenant, owner: User) -> None:
        event = {"key": "door", "name": "Door", "params": []}
        product = make_product(tenant, thing_model={"properties": [ROOM], "events": [event]}, key="room", name="Room")
        sent = values(tenant, properties=json.dumps([ROOM | {"max": 90}]), events=json.dumps([event]))
        assert Admin(owner).change(product, **sent).status_code == 302
        product.refresh_from_db()
        assert product.thing_model["properties"][0]["max"] == 90
        assert product.thing_model["events"] == [event]

    def test_a_problem_is_said_at_its_table_with_its_row(self, tenant: Tenant, owner: User) -> None:
        sent = values(tenant, properties=json.dumps([ROOM, {"key": "b", "name": "B", "unit": 5}]), commands='[{"key": "a b"}]')
        wrong = errors_of(Admin(owner).add(Product, **sent))
        assert set(wrong) == {"properties", "commands"}
        assert wrong["properties"][0].startswith("Row 2, unit: ")

    def test_paths_in_words(self) -> None:
        assert placed("properties[2].unit: must be text") == ("properties", "Row 3, unit: must be text")
        assert placed("events[0].params[1].key: is missing") == ("events", "Row 1, params 2, key: is missing")
        assert placed("must be an object") == ("must be an object", "must be an object")

    @pytest.mark.parametrize("table", ["{", "5", '"x"', "[" * 50_000, '[{"key": "a\\u0000"}]', "[null]", "[[]]"])
    def test_hostile_tables(self, tenant: Tenant, owner: User, table: str) -> None:
        fields = ("properties", "events", "topics", "codec_samples")
        assert set(errors_of(Admin(owner).add(Product, **values(tenant, **dict.fromkeys(fields, table))))) == set(fields)


class TestTheRest:
    def test_codec_and_samples(self, tenant: Tenant, owner: User) -> None:
        script = "function decode(payload) return {size = #payload} end"
        sample = json.dumps([{"hex": "0102", "expected": [{"values": {"size": 2}}]}])
        sent = values(tenant, codec_kind="lua", codec_script=script, codec_samples=sample)
        assert Admin(owner).add(Product, **sent).status_code == 302
        assert Product.objects.get().codec_script == script
        wrong = errors_of(Admin(owner).change(Product.objects.get(), **sent | {"codec_script": "function decode("}))
        assert list(wrong) == ["codec_script"]

    @pytest.mark.usefixtures("audited")
    def test_commands_at_once_are_set_within_their_bounds_and_the_change_is_in_the_history(self, tenant: Tenant, owner: User) -> None:
        page: Any = Admin(owner).add(Product, **values(tenant))
        product = Product.objects.get()
        assert (page.status_code, product.command_window) == (302, 1)
        Admin(owner).change(product, **values(tenant, command_window="5"))
        product.refresh_from_db()
        assert product.command_window == 5
        newest = LogEntry.objects.get_for_object(product).first()
        assert (newest.changes["command_window"], newest.actor) == (["1", "5"], owner)
        for wrong in ("0", "101", "-1", "1.5", "many"):
            assert list(errors_of(Admin(owner).change(product, **values(tenant, command_window=wrong)))) == ["command_window"]
        Admin(owner).change(product, **values(tenant, command_window=""))
        product.refresh_from_db()
        assert product.command_window == 1

    def test_topics(self, tenant: Tenant, owner: User) -> None:
        sent = values(tenant, topics='[{"topic": "tele/{key}/SENSOR", "kind": "telemetry"}]')
        assert Admin(owner).add(Product, **sent).status_code == 302
        assert list(errors_of(Admin(owner).change(Product.objects.get(), **values(tenant, topics='[{"topic": "#"}]')))) == ["topics"]

    def test_ages(self, tenant: Tenant, owner: User) -> None:
        Admin(owner).add(Product, **values(tenant, retention_days="30", rollup_minute="60", rollup_day="3650"))
        assert Product.objects.get().rollup_retention == {"minute": 60, "day": 3650}

    def test_ages_of_single_properties(self, tenant: Tenant, owner: User) -> None:
        rows = json.dumps([{"property": "energy", "minute": 365}])
        Admin(owner).add(Product, **values(tenant, rollup_day="3650", rollup_properties=rows))
        product = Product.objects.get()
        assert product.rollup_retention == {"day": 3650, "properties": {"energy": {"minute": 365}}}
        Admin(owner).change(product, **values(tenant, name="Other", rollup_day="3000", rollup_properties=rows))
        product.refresh_from_db()
        assert product.rollup_retention == {"day": 3000, "properties": {"energy": {"minute": 365}}}

    def test_wrong_ages_are_said(self, tenant: Tenant, owner: User) -> None:
        rows = json.dumps([{"property": "energy", "minute": 0}])
        assert "rollup_properties" in errors_of(Admin(owner).add(Product, **values(tenant, rollup_properties=rows)))

    def test_a_taken_key_is_said_at_the_key(self, tenant: Tenant, owner: User) -> None:
        make_product(tenant, key="room")
        assert list(errors_of(Admin(owner).add(Product, **values(tenant)))) == ["key"]

    def test_the_wall(self, tenant: Tenant, owner: User, other_tenant: Tenant, stranger: User) -> None:
        product = make_product(tenant, key="room", name="Before")
        assert Admin(stranger).open(product).status_code == 404
        assert Admin(stranger).change(product, **values(tenant)).status_code == 404
        foreign = make_product(other_tenant)
        sent = values(tenant, register_children="on", child_product=foreign.pk)
        assert "child_product" in errors_of(Admin(owner).change(product, **sent))

    def test_viewers_only_look(self, tenant: Tenant, viewer: User) -> None:
        product = make_product(tenant, thing_model={"properties": [ROOM]})
        assert Admin(viewer).open(product).status_code == 200
        assert Admin(viewer).change(product, **values(tenant)).status_code == 403

    def test_a_product_with_devices_is_not_deleted(self, tenant: Tenant, owner: User) -> None:
        device = make_device(tenant)
        assert device.key in Admin(owner).open(device.product, "delete").content.decode()
        Admin(owner).delete(device.product)
        Admin(owner).act(Product, "delete_selected", device.product, post="yes")
        assert Product.objects.count() == 1
        device.delete()
        Admin(owner).delete(device.product)
        assert not Product.objects.exists()

    def test_the_list_counts_devices_and_links_to_them(self, tenant: Tenant, owner: User) -> None:
        device = make_device(tenant)
        page = Admin(owner).list(Product).content.decode()
        assert f"?product__id__exact={device.product.pk}" in page


class TestGroups:
    def test_the_list_is_a_tree(self, tenant: Tenant, owner: User, other_tenant: Tenant) -> None:
        site = make_group(tenant, name="Z site")
        make_group(tenant, name="A room", parent=make_group(tenant, name="M hall", parent=site))
        make_group(tenant, name="B alone")
        make_group(other_tenant, name="Theirs")
        response: Any = Admin(owner).list(Group)
        assert [group.name for group in response.context["cl"].result_list] == ["B alone", "Z site", "M hall", "A room"]

    def test_it_counts_devices(self, tenant: Tenant, owner: User) -> None:
        group = make_group(tenant)
        make_device(tenant, groups=[group])
        assert f"?group={group.pk}" in Admin(owner).list(Group).content.decode()

    def test_circles_are_said_at_the_parent(self, tenant: Tenant, owner: User) -> None:
        site = make_group(tenant)
        hall = make_group(tenant, parent=site)
        assert list(errors_of(Admin(owner).change(site, name="Site", parent=hall.pk))) == ["parent"]

    def test_a_foreign_parent_cannot_be_chosen(self, tenant: Tenant, owner: User, other_tenant: Tenant) -> None:
        sent = {"tenant": tenant.pk, "key": "hall", "name": "Hall", "parent": make_group(other_tenant).pk}
        assert list(errors_of(Admin(owner).add(Group, **sent))) == ["parent"]

    def test_a_group_with_groups_is_not_deleted(self, tenant: Tenant, owner: User) -> None:
        site = make_group(tenant)
        make_group(tenant, parent=site)
        Admin(owner).delete(site)
        assert Group.objects.count() == 2
