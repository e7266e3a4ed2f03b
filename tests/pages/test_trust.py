"""The root certificate that devices trust: public, and only where we have one."""

from pathlib import Path

from django.test import Client
from pytest_django import Settings

from iotpanel.tenants.models import Tenant, User
from tests.make import make_device
from tests.pages.people import browser, links, words


def test_everybody_may_have_the_root_and_nothing_beside_it(settings: Settings, tmp_path: Path) -> None:
    settings.TLS_DIR = tmp_path
    assert Client().get("/ca.pem").status_code == 404
    (tmp_path / "ca.pem").write_text("the root")
    (tmp_path / "ca.key").write_text("a secret")
    answer = Client().get("/ca.pem")

    assert b"".join(answer.streaming_content) == b"the root"  # type: ignore[attr-defined]
    assert Client().get("/ca.key").status_code == 404


def test_the_connect_page_names_the_doors_that_are_open(settings: Settings, tmp_path: Path, tenant: Tenant, owner: User) -> None:
    settings.TLS_DIR, settings.MQTT_HOST = tmp_path, "mqtt.example"
    settings.MQTTS_PORT, settings.MQTT_WS_PORT, settings.MQTT_WSS_PORT = 8883, 0, 8084
    (tmp_path / "ca.pem").write_text("the root")
    page = browser(owner).get(f"/devices/{make_device(tenant).key}/connect/").content

    assert "mqtts://mqtt.example:8883" in words(page)
    assert "wss://mqtt.example:8084/mqtt" in words(page)
    assert " ws://" not in words(page)
    assert "/ca.pem" in links(page)


def test_the_connect_page_names_no_door_that_is_closed(settings: Settings, tmp_path: Path, tenant: Tenant, owner: User) -> None:
    settings.TLS_DIR = tmp_path
    settings.MQTTS_PORT = settings.MQTT_WS_PORT = settings.MQTT_WSS_PORT = 0
    page = browser(owner).get(f"/devices/{make_device(tenant).key}/connect/").content

    assert "TLS" not in words(page)
    assert "/ca.pem" not in links(page)
