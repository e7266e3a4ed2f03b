"""The scripts' pure parts, asked directly: gaps, ticks, scales, bytes, exact integers."""

from collections.abc import Callable
from typing import Any

from playwright.sync_api import Page

from tests.browser.conftest import Visit
from tests.flows.platform import Platform

HOURLY = "[[0,1,1,1,1],[3600000,2,2,2,1],[18000000,3,3,3,1]]"

# Two halves, a word on something else, and an older place, which is no news.
PLACE = """(() => {
  const row = document.createElement("dd");
  row.innerHTML = "<span data-place=degrees></span><span data-place=said></span>";
  const place = new m.Place([row]);
  for (const said of [["lat", 3000, 53.5], ["lon", 2000, -9], ["speed", 4000, 7], ["cell", 1000, { lat: 1, lon: 1 }]]) place.take(...said);
  return row.firstChild.textContent.replaceAll("\u00b0", "");
})()"""
RECENT = """((late) => {
  const recent = new m.Recent();
  for (const [ms, value] of [[90, 1], [95, 2], [100, 3]]) recent.take("d:p", ms, value, 0);
  if (late) recent.take("d:p", 5, 7, late);
  return recent;
})"""
CASES: list[tuple[str, str, Any]] = [
    ("chart-points", f"m.gaps({HOURLY}, {{period: 3600, bucket: 0}}, 0, 20000000)", [[3_600_000, 18_000_000]]),
    ("chart-points", f"m.gaps({HOURLY}, {{period: null, bucket: 0}}, 0, 20000000)", []),
    ("chart-points", f"m.gaps({HOURLY}, {{period: 3600, bucket: 3600}}, 0, 20000000)", [[7_200_000, 18_000_000]]),
    ("chart-points", f"m.gaps({HOURLY}, {{period: 3600, bucket: 0}}, 0, 30000000).length", 2),
    ("chart-points", f"m.rows({HOURLY}, {{period: 3600, bucket: 0}}).rows.map((row) => row[1])", [1, 2, None, 3]),
    ("chart-points", f"m.pointAt({HOURLY}, 9000000, {{period: 3600, bucket: 0}})", None),
    ("chart-points", f"m.pointAt({HOURLY}, 3700000, {{period: 3600, bucket: 0}})[1]", 2),
    ("chart-points", f"m.statistics({HOURLY}).average", 2),
    ("chart-points", "m.statistics([])", None),
    ("chart-points", "(() => { const p = [[0,1,1,1,1]]; m.append(p, 59000, 3, 60); return p; })()", [[0, 2, 1, 3, 2]]),
    ("chart-points", "(() => { const p = [[60000,1,1,1,1]]; m.append(p, 5, 3, 0); return p.length; })()", 1),
    # An answer up to 100 whose newest reading is of 90: what came at 90 is in it, the later ones can't be.
    ("chart-recent", f"{RECENT}().after('d:p', 100, 90)", [[95, 2], [100, 3]]),
    ("chart-recent", f"{RECENT}().after('d:p', 100, 99)", [[100, 3]]),
    ("chart-recent", f"{RECENT}().after('d:p', 100)", [[90, 1], [95, 2], [100, 3]]),
    ("chart-recent", f"{RECENT}().after('d:q', 100)", []),
    ("chart-recent", f"{RECENT}(40000).after('d:p', 0)", [[5, 7]]),
    ("chart-axis", "m.niceScale(20.1, 24.7, false)", {"min": 18, "max": 26, "interval": 2, "digits": 0}),
    ("chart-axis", "m.niceScale(5, 5, false).max > 5", True),
    ("chart-axis", "m.niceScale(Infinity, -Infinity, false).max", 1),
    ("chart-axis", "m.fromZero('kW', 3)", True),
    ("chart-axis", "m.fromZero('°C', 3)", False),
    # Berlin's clocks went forward on 29 March 2026: a day of 23 hours, and still each tick at a round hour.
    ("chart-axis", "m.timeTicks(1774738800000, 1774821600000, 8).ticks.map((t) => m.tickLabel(t, 1))[1].endsWith(':00')", True),
    ("bytes", "m.hex(m.fromBase64('Af99'))", "01 ff 7d"),
    ("bytes", "m.text(m.fromBase64('Af99'))", None),
    ("bytes", "m.inline(m.fromBase64('e30='), 'auto')", "{}"),
    ("bytes", "m.inline(m.fromBase64('e30='), 'hex')", "7b 7d"),
    ("bytes", "m.dump(m.fromBase64('e30=')).startsWith('0000  7b 7d')", True),
    ("live", "m.parse('{\"a\": 9007199254740993}').a.toString()", "9007199254740993"),
    ("device-format", "m.json({a: 9007199254740993n})", '{"a":9007199254740993}'),
    ("device-format", "m.shown(9007199254740993n)", "9,007,199,254,740,993"),
    ("device-format", "m.shown(-1234.5, 1)", "−1,234.5"),
    ("device-format", "m.withUnit('5', '°')", "5°"),
    ("device-format", "m.withUnit('5', '°C')", "5 °C"),
    # The browser stands in Berlin: one hour ahead in winter, two in summer.
    ("device-format", "m.toField(Date.UTC(2026, 0, 5, 23, 30))", "2026-01-06T00:30"),
    ("device-format", "m.fromField('2026-01-06T00:30') - Date.UTC(2026, 0, 5, 23, 30)", 0),
    ("device-format", "m.fromField('2026-07-06T00:30') - Date.UTC(2026, 6, 5, 22, 30)", 0),
    ("device-format", "Number.isNaN(m.fromField(''))", True),
    ("device-place", PLACE, "53.50000, −9.00000"),
    ("freshness", "m.freshness(100, 60, 600, 0)", "fresh"),
    ("freshness", "m.freshness(130, 60, 600, 0)", "late"),
    ("freshness", "m.freshness(700, 60, 600, 0)", "stale"),
    ("freshness", "m.freshness(700, 60, 0, 0)", "late"),
    ("freshness", "m.freshness(9000, null, 600, 10)", None),
    ("freshness", "m.freshness(9000, null, 600, 700)", "stale"),
    ("workbench-view", "m.ordered({z: 1, a: 2, b: 3}, {b: {}, z: {}}).map((pair) => pair[0])", ["b", "z", "a"]),
    ("chart-states", "m.totals([[0, 60000, true], [60000, 300000, false]]).map((pair) => pair[0])", ["off", "on"]),
]


def ask(page: Page, module: str, expression: str) -> Any:
    """Evaluate an expression in which `m` is the module."""
    return page.evaluate(f"import('/static/iotpanel/js/{module}.js').then((m) => {expression})")


def test_the_scripts_answer(visit: Callable[..., Visit], platform: Platform) -> None:
    page = visit().open(f"/devices/{platform.device().key}/")
    for module, expression, answer in CASES:
        assert ask(page, module, expression) == answer, expression
