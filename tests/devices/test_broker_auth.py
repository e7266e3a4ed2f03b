"""The broker's account files: who is in them, what they allow, and how they are swapped in."""

import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from devices import broker_auth, broker_rules, products, provisioning
from devices.models import Device, Product
from iotpanel.tenants.models import Tenant
from tests.make import make_device, make_product

pytestmark = pytest.mark.django_db


@pytest.fixture
def product(tenant: Tenant) -> Product:
    return make_product(tenant)


def names(folder: Path) -> list[str]:
    return [line.partition(":")[0] for line in (folder / "passwords").read_text().splitlines()]


def test_only_enabled_devices_with_a_secret_in_force_are_in_it(product: Product, tmp_path: Path) -> None:
    for key in ("b-ok", "a-ok", "c-revoked", "d-disabled"):
        make_device(product=product, key=key)
    provisioning.revoke_credentials(product.devices.get(key="c-revoked"))
    provisioning.update_device(product.devices.get(key="d-disabled"), enabled=False)
    provisioning.register_child(_gateway(product), "e-child")
    broker_auth.write_files(tmp_path)
    assert names(tmp_path) == ["a-ok", "b-ok", "gw"]


def _gateway(product: Product) -> Device:
    return make_device(product=make_product(product.tenant, register_children=True, child_product=product), key="gw")


def test_a_rotation_changes_the_line_and_nothing_else(product: Product, tmp_path: Path) -> None:
    device, _ = make_device(product=product, key="a"), make_device(product=product, key="b")
    broker_auth.write_files(tmp_path)
    before = (tmp_path / "passwords").read_text().splitlines()
    provisioning.rotate_secret(device)
    assert broker_auth.write_files(tmp_path) == (True, {"a"})
    after = (tmp_path / "passwords").read_text().splitlines()
    assert (before[0] != after[0], before[1] == after[1]) == (True, True)


def test_what_did_not_change_is_not_written(product: Product, tmp_path: Path) -> None:
    make_device(product=product)
    assert broker_auth.write_files(tmp_path).changed
    assert not broker_auth.write_files(tmp_path).changed


def test_each_device_may_write_below_its_own_name_only(product: Product, tmp_path: Path) -> None:
    products.update_product(product, topics=[{"topic": "tele/{key}/SENSOR", "kind": "telemetry"}])
    broker_auth.write_files(tmp_path)
    assert (tmp_path / "acl").read_text().splitlines() == [
        "pattern write devices/%u/up/#",
        "pattern read devices/%u/down/#",
        "pattern write tele/%u/SENSOR",
    ]


def test_the_files_are_for_the_broker_alone(product: Product, tmp_path: Path) -> None:
    make_device(product=product)
    broker_auth.write_files(tmp_path)
    for name in ("passwords", "acl"):
        assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600
    public = {"device-crl.pem"}  # written once there is an authority for certificates
    assert {path.name for path in tmp_path.iterdir()} - public == {"acl", "passwords"}


def test_no_secret_is_in_them(product: Product, tmp_path: Path) -> None:
    _, secret = provisioning.create_device(product.tenant, key="x", product=product)
    broker_auth.write_files(tmp_path)
    assert secret not in (tmp_path / "passwords").read_text()


def test_the_broker_is_told_to_read_them_again(product: Product, tmp_path: Path) -> None:
    code = "import signal,sys; signal.signal(signal.SIGHUP, lambda *_: sys.exit(7)); print('ready', flush=True); signal.pause()"
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as listening:
        assert listening.stdout is not None
        listening.stdout.readline()
        (tmp_path / "mosquitto.pid").write_text(str(listening.pid))
        broker_auth.write_files(tmp_path)
        assert listening.wait(5) == 7


def test_a_broker_that_is_away_is_no_error(product: Product, tmp_path: Path) -> None:
    (tmp_path / "mosquitto.pid").write_text("not a number")
    assert broker_auth.write_files(tmp_path).changed


def test_a_stale_pid_of_nobody_is_no_error(tmp_path: Path) -> None:
    gone = os.fork()
    if gone == 0:
        os._exit(0)
    os.waitpid(gone, 0)
    (tmp_path / "mosquitto.pid").write_text(str(gone))
    broker_auth.reload(tmp_path)
    assert signal.SIGHUP


def test_a_mapped_downlink_is_read_by_its_own_device_and_written_by_none(product: Product, tmp_path: Path) -> None:
    mapped = [{"topic": "cmnd/{key}/POWER", "kind": "down/raw"}, {"topic": "tele/{key}/SENSOR", "kind": "telemetry"}]
    products.update_product(product, topics=mapped)
    broker_auth.write_files(tmp_path)

    rules = (tmp_path / "acl").read_text().splitlines()
    assert "pattern read cmnd/%u/POWER" in rules and "pattern write cmnd/%u/POWER" not in rules
    assert [pattern.subscription for pattern in broker_auth.own_patterns()] == ["tele/+/SENSOR"]
    device = make_device(product=product, key="pump")
    assert broker_rules.may_subscribe(device.key, "cmnd/pump/POWER") and not broker_rules.may_publish(device.key, "cmnd/pump/POWER")
    assert not broker_rules.may_subscribe(device.key, "cmnd/other/POWER") and not broker_rules.may_subscribe(device.key, "cmnd/+/POWER")
