"""Figures of all processes on one page: complete, told apart, and only for those who may see them."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from django.test import Client
from prometheus_client.parser import text_string_to_metric_families
from pytest_django import Settings

from iotpanel import figures, metrics, valkey
from iotpanel.figures import Reporter
from iotpanel.tenants.models import Tenant
from telemetry.models import RollupFrontier
from tests.make import make_device

pytestmark = pytest.mark.django_db
Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


@pytest.fixture(autouse=True)
def nobody_else() -> Iterator[None]:
    client = valkey.client()
    client.delete(figures.PROCESSES)
    yield
    client.delete(figures.PROCESSES)


def put(name: str, *families: figures.Family) -> None:
    """What another process would have reported."""
    valkey.client().set(f"{valkey.PREFIX}figures:{name}", orjson.dumps(families), ex=60)
    valkey.client().sadd(figures.PROCESSES, name)


def counted(number: float, source: str = "mqtt") -> figures.Family:
    return ("iotpanel_uplink_received", "counter", "Reports.", [("iotpanel_uplink_received_total", {"source": source}, number)])


def scraped(client: Client, **headers: Any) -> Samples:
    response = client.get("/metrics", headers=headers)
    assert response.status_code == 200
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(response.content.decode())
        for sample in family.samples
    }


def at(samples: Samples, name: str, **labels: str) -> float:
    return samples[name, frozenset(labels.items())]


def test_workers_figures_are_on_the_webs_page_told_apart_by_process(client: Client) -> None:
    put("uplink@host:1", counted(7))
    put("tasks@host:2", counted(1))
    samples = scraped(client)
    assert at(samples, "iotpanel_uplink_received_total", process="uplink", source="mqtt") == 7
    assert at(samples, "iotpanel_uplink_received_total", process="tasks", source="mqtt") == 1
    assert at(samples, "iotpanel_processes", process="uplink") == 1


def test_processes_of_one_role_are_summed(client: Client) -> None:
    put("uplink@one:1", counted(7))
    put("uplink@two:1", counted(5))
    samples = scraped(client)
    assert at(samples, "iotpanel_uplink_received_total", process="uplink", source="mqtt") == 12
    assert at(samples, "iotpanel_processes", process="uplink") == 2


def test_its_own_figures_are_those_of_this_moment(client: Client) -> None:
    before = at(scraped(client), "iotpanel_uplink_received_total", process="web", source="http")
    metrics.UPLINK_RECEIVED.labels("http").inc(3)
    assert at(scraped(client), "iotpanel_uplink_received_total", process="web", source="http") == before + 3


def test_a_reporter_puts_everything_there_and_takes_it_back() -> None:
    reporter = Reporter("uplink")
    reporter.start()
    reporter.report()
    families = figures.reported()[reporter.name]
    assert {family[0] for family in families} >= {"iotpanel_uplink_received", "iotpanel_live_connections", "process_resident_memory_bytes"}
    assert figures.value(figures.reported(), "uplink", "process_resident_memory_bytes")
    reporter.stop()
    assert reporter.name not in figures.reported()


def test_a_process_that_takes_no_uplinks_reports_what_it_has_used() -> None:
    metrics.TASK_RUNS.labels("test", "success").inc()
    reporter = Reporter("tasks")
    reporter.report()
    samples = [sample for family in figures.reported()[reporter.name] for sample in family[3]]
    assert any(name == "iotpanel_task_runs_total" for name, _, _ in samples)
    assert not any(name == "iotpanel_lua_quarantines_total" for name, _, _ in samples)


def test_a_process_that_is_gone_disappears() -> None:
    put("uplink@host:1", counted(7))
    valkey.client().delete(f"{valkey.PREFIX}figures:uplink@host:1")  # as if its time were up
    assert figures.reported() == {}
    assert valkey.client().scard(figures.PROCESSES) == 0


def test_all_five_series_of_the_identity_are_there_from_the_start(client: Client) -> None:
    names = {name for name, _ in scraped(client)}
    for counted_as in ("received", "stored", "duplicate", "rejected", "dead_lettered"):
        assert f"iotpanel_uplink_{counted_as}_total" in names


def test_histograms_survive_the_way(client: Client) -> None:
    buckets = [("x_bucket", {"le": "0.5"}, 1.0), ("x_bucket", {"le": "+Inf"}, 3.0), ("x_count", {}, 3.0), ("x_sum", {}, 2.5)]
    put("uplink@host:1", ("x", "histogram", "X.", buckets))
    put("uplink@host:2", ("x", "histogram", "X.", buckets))
    samples = scraped(client)
    assert at(samples, "x_bucket", process="uplink", le="+Inf") == 6
    assert at(samples, "x_sum", process="uplink") == 5


def test_the_fleet_the_disk_and_the_rollups_are_looked_up(client: Client, tenant: Tenant) -> None:
    make_device(tenant)
    make_device(tenant, enabled=False)
    samples = scraped(client)
    assert at(samples, "iotpanel_devices", state="never_seen") == 1
    assert at(samples, "iotpanel_devices", state="online") == 0
    assert at(samples, "iotpanel_disk_total_bytes") >= at(samples, "iotpanel_disk_free_bytes") > 0
    assert at(samples, "iotpanel_database_up") == at(samples, "iotpanel_cache_up") == 1
    if RollupFrontier.objects.exists():
        assert at(samples, "iotpanel_rollup_lag_seconds") >= 0


def test_without_valkey_the_rest_is_still_there(client: Client, settings: Settings) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    samples = scraped(client)
    assert at(samples, "iotpanel_cache_up") == 0
    assert at(samples, "iotpanel_database_up") == 1
    assert ("iotpanel_uplink_received_total", frozenset({("process", "web"), ("source", "mqtt")})) in samples


@pytest.mark.parametrize("proxied", [{"x-forwarded-for": "203.0.113.1"}, {"forwarded": "for=203.0.113.1"}, {"x-real-ip": "203.0.113.1"}])
def test_it_is_closed_to_a_proxy_on_this_machine(client: Client, proxied: dict[str, str]) -> None:
    assert client.get("/metrics", headers=proxied).status_code == 403


def test_it_is_closed_to_other_machines(client: Client) -> None:
    for address in ("203.0.113.1", "10.0.0.1", "", "nonsense"):
        assert client.get("/metrics", REMOTE_ADDR=address).status_code == 403
    assert client.get("/metrics", REMOTE_ADDR="::1").status_code == 200


def test_a_trusted_proxy_closes_the_door_even_without_its_headers(client: Client, settings: Settings) -> None:
    settings.TRUSTED_PROXIES = 1
    assert client.get("/metrics").status_code == 403


def test_a_token_opens_it_from_anywhere(client: Client, settings: Settings) -> None:
    settings.METRICS_TOKEN = "a-long-token-for-prometheus"
    ask: dict[str, Any] = {"REMOTE_ADDR": "203.0.113.1"}
    assert client.get("/metrics", headers={"authorization": "Bearer a-long-token-for-prometheus"}, **ask).status_code == 200
    for wrong in ("Bearer wrong", "Bearer ", "", "Bearer é"):
        assert client.get("/metrics", headers={"authorization": wrong}, **ask).status_code == 403


def test_every_metric_is_ours_and_explained() -> None:
    for family in metrics.REGISTRY.collect():
        assert family.name.startswith(("iotpanel_", "process_"))
        assert family.documentation.endswith((".", "seconds.", "bytes.")), family.name


def test_every_metric_is_named_in_one_place() -> None:
    looked_up = [each for each in vars(metrics).values() if isinstance(each, metrics.LookedUp)]
    assert len({each.name for each in looked_up}) == len(looked_up)
    root = Path(metrics.__file__).parents[1]
    files = [path for top in ("iotpanel", "devices", "telemetry", "rules") for path in (root / top).rglob("*.py")]
    makers = re.compile(r"(?:GaugeMetricFamily|CounterMetricFamily|\bGauge|\bCounter|\bHistogram)\(\s*f?[\"']iotpanel_")
    assert [path.name for path in files if makers.search(path.read_text())] == ["metrics.py"]
