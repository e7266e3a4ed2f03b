"""Products by their verbs: everything about them is checked, and every problem names its field."""

from typing import Any

import pytest
from django.core.exceptions import ValidationError

from devices import products
from devices.models import Product
from iotpanel.api.errors import Conflict
from iotpanel.tenants.models import Tenant
from tests.make import make_device, make_product

pytestmark = pytest.mark.django_db
SCRIPT = "function decode(payload) return {size = #payload} end"
MODEL = {"properties": [{"key": "temperature", "name": "Temperature", "unit": "°C", "min": -40, "max": 85}]}


def refused(call: Any, *args: Any, **kwargs: Any) -> dict[str, list[str]]:
    with pytest.raises(ValidationError) as caught:
        call(*args, **kwargs)
    return dict(caught.value.message_dict)


def test_it_keeps_what_was_said(tenant: Tenant) -> None:
    product = make_product(
        tenant, key="room", name="Room", thing_model=MODEL, offline_after=120, description="In\nlines", retention_days=30
    )
    product.refresh_from_db()
    assert (product.key, product.name, product.offline_after, product.retention_days) == ("room", "Room", 120, 30)
    assert product.thing_model["properties"][0]["max"] == 85
    assert product.description == "In\nlines"


@pytest.mark.parametrize("key", ["", "ä", "a b", "-a", "a" * 65, "a\n", "../x", "a/b", None, 5])
def test_a_bad_key_is_named(tenant: Tenant, key: Any) -> None:
    assert "key" in refused(make_product, tenant, key=key)


@pytest.mark.parametrize("name", ["", "   ", "a" * 201, "a\x00b", "a\nb", "\ud800", "\x85", None, 7])
def test_a_bad_name_is_named(tenant: Tenant, name: Any) -> None:
    assert list(refused(make_product, tenant, name=name)) == ["name"]


def test_names_are_text_of_any_script(tenant: Tenant) -> None:
    assert make_product(tenant, name=" <b>冷藏室</b> ").name == "<b>冷藏室</b>"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("offline_after", -1),
        ("offline_after", 10**9),
        ("offline_after", True),
        ("offline_after", "600"),
        ("unknown_properties", "perhaps"),
        ("codec_kind", "python"),
        ("retention_days", 0),
        ("retention_days", 1.5),
        ("rollup_retention", {"week": 3}),
        ("rollup_retention", {"day": 0}),
        ("rollup_retention", []),
        ("register_children", "yes"),
        ("register_children", True),
        ("thing_model", []),
        ("thing_model", {"properties": [{"name": "no key"}]}),
        ("thing_model", {"properties": [{"key": "a", "name": "\x00"}]}),
        ("thing_model", {"properties": [{"key": "a", "name": "x" * 2_000_000}]}),
        ("topics", "tele/{key}"),
        ("topics", [5]),
        ("topics", [{"topic": "tele/{key}", "kind": "commands"}]),
        ("codec_samples", [{"hex": "0g"}]),
        ("codec_samples", [{}]),
        ("codec_samples", [{"hex": "00", "payload_base64": "AA=="}]),
        ("codec_samples", [{"hex": "00", "port": -1}]),
        ("codec_samples", [{"hex": "00", "expected": {}}]),
        ("codec_script", "x" * 70_000),
        ("description", "\x00"),
    ],
)
def test_a_bad_value_is_named(tenant: Tenant, field: str, value: Any) -> None:
    wrong = refused(make_product, tenant, **{field: value})
    assert list(wrong) == ["child_product" if field == "register_children" and value is True else field]


def test_all_problems_are_named_at_once(tenant: Tenant) -> None:
    assert set(refused(make_product, tenant, key="ä", name="", offline_after=-1)) == {"key", "name", "offline_after"}


def test_a_thing_models_problems_say_where(tenant: Tenant) -> None:
    model = {"properties": [{"key": "a", "name": "A"}, {"key": "b", "name": "B", "unit": 5}]}
    [message] = refused(make_product, tenant, thing_model=model)["thing_model"]
    assert message.startswith("properties[1].unit")


def test_nesting_without_end_is_refused(tenant: Tenant) -> None:
    deep: Any = []
    for _ in range(10_000):
        deep = [deep]
    assert "thing_model" in refused(make_product, tenant, thing_model={"properties": deep})


def test_a_script_has_to_compile(tenant: Tenant) -> None:
    [message] = refused(make_product, tenant, codec_kind="lua", codec_script="function decode( end")["codec_script"]
    assert "1" in message


def test_a_script_is_needed_for_lua(tenant: Tenant) -> None:
    assert "codec_script" in refused(make_product, tenant, codec_kind="lua")


def test_samples_run_at_every_save(tenant: Tenant) -> None:
    sample = {"hex": "0102", "expected": [{"values": {"size": 2}}]}
    product = make_product(tenant, codec_kind="lua", codec_script=SCRIPT, codec_samples=[sample])
    wrong = refused(products.update_product, product, codec_script=SCRIPT.replace("#payload", "7"))
    assert "codec_samples" in wrong
    product.refresh_from_db()
    assert product.codec_script == SCRIPT


def test_a_key_is_taken_in_its_tenant_only(tenant: Tenant, other_tenant: Tenant) -> None:
    make_product(tenant, key="room")
    make_product(other_tenant, key="room")
    with pytest.raises(Conflict) as caught:
        make_product(tenant, key="room")
    assert caught.value.code == "key_taken"


def test_update_changes_what_is_said_and_no_more(tenant: Tenant) -> None:
    product = make_product(tenant, thing_model=MODEL)
    products.update_product(product, name="Other", key=product.key)
    product.refresh_from_db()
    assert (product.name, product.thing_model["properties"][0]["key"]) == ("Other", "temperature")


def test_a_key_is_for_good(tenant: Tenant) -> None:
    assert "key" in refused(products.update_product, make_product(tenant), key="new")


def test_an_unknown_field_is_refused(tenant: Tenant, other_tenant: Tenant) -> None:
    assert "tenant" in refused(products.update_product, make_product(tenant), tenant=other_tenant)


def test_a_product_with_devices_stays(tenant: Tenant) -> None:
    device = make_device(tenant)
    with pytest.raises(Conflict) as caught:
        products.delete_product(device.product)
    assert caught.value.code == "in_use"
    device.delete()
    products.delete_product(device.product)
    assert not Product.objects.for_tenant(tenant).exists()


def test_children_get_a_product_of_the_same_tenant(tenant: Tenant, other_tenant: Tenant) -> None:
    foreign = make_product(other_tenant)
    assert "child_product" in refused(make_product, tenant, register_children=True, child_product=foreign)
    mine = make_product(tenant)
    assert make_product(tenant, register_children=True, child_product=mine).child_product == mine


class TestTopics:
    def test_a_bare_topic_gets_the_codecs_kind(self, tenant: Tenant) -> None:
        assert make_product(tenant, topics=["tele/{key}/SENSOR"]).topics == [{"topic": "tele/{key}/SENSOR", "kind": "telemetry"}]
        lua = make_product(tenant, codec_kind="lua", codec_script=SCRIPT, topics=["lora/{key}/up"])
        assert lua.topics == [{"topic": "lora/{key}/up", "kind": "raw"}]

    @pytest.mark.parametrize("kind", ["telemetry", "attributes", "events/started", "raw", "status"])
    def test_kinds(self, tenant: Tenant, kind: str) -> None:
        assert make_product(tenant, topics=[{"topic": "a/{key}", "kind": kind}]).topics[0]["kind"] == kind

    @pytest.mark.parametrize(
        "topic",
        [
            "",
            "tele/SENSOR",
            "tele/{key}/{key}",
            "tele/x{key}/y",
            "tele/{key}/#",
            "tele/+/{key}",
            "$SYS/{key}",
            "devices/{key}/up/telemetry",
            "{key}/x",
            "a//{key}",
            "a/{key}\x00",
            "a/{key}\n/b",
            "a/%u/{key}",
            "a/{key}/" + "x" * 300,
            "/{key}",
        ],
    )
    def test_hostile_topics_are_refused(self, tenant: Tenant, topic: str) -> None:
        assert list(refused(make_product, tenant, topics=[topic])) == ["topics"]

    def test_a_device_cannot_be_made_to_speak_as_another_tenants(self, tenant: Tenant, other_tenant: Tenant) -> None:
        make_product(tenant, topics=["tele/{key}/SENSOR"])
        assert "topics" in refused(make_product, other_tenant, topics=["tele/victim/{key}"])

    def test_two_products_may_share_a_topic_as_the_key_stands_at_the_same_place(self, tenant: Tenant, other_tenant: Tenant) -> None:
        make_product(tenant, topics=["tele/{key}/SENSOR"])
        assert make_product(other_tenant, topics=["tele/{key}/SENSOR"]).topics

    def test_a_list_does_not_contradict_itself(self, tenant: Tenant) -> None:
        topics = [{"topic": "a/{key}", "kind": "raw"}, {"topic": "a/{key}", "kind": "telemetry"}]
        assert "topics" in refused(make_product, tenant, topics=topics)

    def test_saving_again_does_not_clash_with_itself(self, tenant: Tenant) -> None:
        product = make_product(tenant, topics=["tele/{key}/SENSOR"])
        products.update_product(product, topics=["tele/{key}/SENSOR", "tele/{key}/STATE"])
        assert len(product.topics) == 2
