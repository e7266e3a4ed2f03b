"""The documents name what exists: links, metrics, checks, codes, settings."""

import inspect
import re
from pathlib import Path

import pytest
from django.conf import settings

from devices.exceptions import REASONS
from iotpanel import checks, metrics
from telemetry import consumers
from telemetry.live import requests

TOP = settings.BASE_DIR
PAGES = [Path("README.md"), *(path.relative_to(TOP) for folder in ("docs", "deploy") for path in sorted(TOP.glob(f"{folder}/**/*.md")))]


def text_of(page: str) -> str:
    return str((TOP / page).read_text())


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_every_link_leads_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#\s]+)", (TOP / page).read_text()):
        if not target.startswith(("http:", "https:", "mailto:")):
            assert (TOP / page.parent / target).exists(), f"{page} links to {target}"


def test_every_document_is_in_the_index() -> None:
    for folder in ("docs", "docs/decisions"):
        index = text_of(f"{folder}/README.md")
        for page in (TOP / folder).glob("*.md"):
            assert page.name == "README.md" or f"]({page.name})" in index


def test_every_metric_that_is_named_exists() -> None:
    known = {f"{family.name}_total" if family.type == "counter" else family.name for family in metrics.REGISTRY.collect()}
    known |= set(re.findall(r'"(iotpanel_\w+)"', inspect.getsource(metrics)))
    known |= {f"iotpanel_{each.name}" for each in vars(metrics).values() if isinstance(each, metrics.LookedUp)}
    named = set(re.findall(r"\biotpanel_[a-z_]+[a-z]\b", text_of("docs/operations.md"))) - {"iotpanel_session"}
    assert named
    assert named - known == set()


def test_every_check_is_documented() -> None:
    ids = set(re.findall(r"iotpanel\.[EW]\d{3}", inspect.getsource(checks)))
    documented = text_of("docs/operations.md")
    assert {found for found in ids if found not in documented and found.removeprefix("iotpanel.") not in documented} == set()


def test_every_dead_letter_reason_is_explained() -> None:
    assert {reason for reason in REASONS if f"`{reason}`" not in text_of("docs/devices.md")} == set()


def test_every_code_of_the_live_connection_is_explained() -> None:
    said = inspect.getsource(consumers) + inspect.getsource(requests)
    codes = set(re.findall(r'(?:Wrong|_refuse|ApiError)\("([a-z_]+)"', said)) | set(re.findall(r'"code": "([a-z_]+)"', said))
    assert len(codes) > 5
    assert {code for code in codes if f"`{code}`" not in text_of("docs/live.md")} == set()


def test_every_setting_that_is_named_is_read_somewhere() -> None:
    named = {name for page in PAGES for name in re.findall(r"\bIOTPANEL_[A-Z_]*[A-Z]\b", (TOP / page).read_text())}
    folders = ("iotpanel", "devices", "telemetry", "rules", "deploy")
    sources = [path for folder in folders for path in (TOP / folder).rglob("*") if path.suffix in {".py", ".yaml", ""} and path.is_file()]
    code = "\n".join(path.read_text(errors="replace") for path in [*sources, TOP / "Makefile"])
    assert {name for name in named if name.removesuffix("_FILE") not in code} == set()
