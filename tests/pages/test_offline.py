"""The page for a browser without a connection, and the worker that keeps it."""

import json
import re
from pathlib import Path
from typing import Any

from django.contrib.staticfiles import finders
from django.test import Client

from iotpanel.pages import offline
from iotpanel.tenants.models import Tenant, User
from tests import make
from tests.pages.people import browser
from tests.pages.test_frame import directives


def kept(script: str) -> dict[str, Any]:
    """What the worker says that it keeps."""
    found = re.search(r"const KEPT = (\{.*\});", script)
    assert found
    return dict(json.loads(found[1]))


def test_the_page_is_the_same_for_everybody(owner: User, tenant: Tenant) -> None:
    make.make_device(tenant, name="Secret pump")
    mine, nobodys = browser(owner).get("/offline/"), Client().get("/offline/", headers={"Accept-Language": "zh-hans"})

    assert mine.content == nobodys.content
    assert owner.username not in mine.content.decode()
    assert not nobodys.cookies
    assert {"script-src 'self'", "style-src 'self'", "default-src 'self'"} <= set(directives(mine["Content-Security-Policy"]))


def test_it_speaks_every_language(db: None) -> None:
    page = Client().get("/offline/").content.decode()

    assert 'lang="en" data-title="No connection' in page
    assert 'lang="zh-Hans" data-title="无连接' in page
    assert "style=" not in page
    assert "<script>" not in page


def test_the_worker_has_the_root_as_its_scope_and_keeps_looks_only(db: None) -> None:
    answer = Client().get("/sw.js")

    assert answer["Content-Type"].startswith("text/javascript")
    assert "script-src 'self'" in answer["Content-Security-Policy"]
    assert not answer.cookies
    keeps = kept(answer.content.decode())
    assert keeps["page"] == "/offline/"
    assert all(name.startswith("/static/iotpanel/") for name in keeps["files"])


def test_what_the_page_needs_is_what_is_kept(db: None) -> None:
    """A file that is not kept would be missing where there is no connection; so would what its scripts import."""
    keeps = kept(Client().get("/sw.js").content.decode())["files"]

    assert set(re.findall(r'(?:src|href)="(/static/[^"]+)"', offline.page())) <= set(keeps)
    for name in offline.LOOKS:
        path = finders.find(f"iotpanel/{name}")
        assert isinstance(path, str), name
        imports = re.findall(r'from "\./(\w+\.js)"', Path(path).read_text())
        assert {f"js/{each}" for each in imports} <= set(offline.LOOKS)


def test_a_new_version_is_a_new_worker(owner: User) -> None:
    page = browser(owner).get("/products/").content.decode()

    assert f'data-worker="/sw.js?v={offline.worker().version}"' in page
    assert f"iotpanel-{offline.worker().version}" in offline.worker().script


def test_nothing_is_written_here(db: None) -> None:
    assert Client().post("/sw.js").status_code == Client().post("/offline/").status_code == 405
