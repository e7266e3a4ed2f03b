"""What every test may use: the running servers, and the whole product as real processes."""

import os
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path

import hypothesis
import pytest
from auditlog.context import disable_auditlog
from django.conf import settings
from django.test import Client
from pytest_django import Settings

from iotpanel.tenants.models import Tenant, User
from rules import routes
from rules.quota import QUOTA
from telemetry.uplink.limiter import LIMITER
from telemetry.uplink.memory import memory
from tests import flushing, make, mould
from tests.services import Services, Stack

# Passwords hashed as slowly as in earnest would cost the suite minutes.
settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher", *settings.PASSWORD_HASHERS]


# A busy machine is no flaw of ours: no test of made-up values fails because one of them took long to make or to try.
hypothesis.settings.register_profile("suite", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.load_profile("suite")

# Else each test client would look at every static file once, which cost more than the tests themselves.
settings.WHITENOISE_AUTOREFRESH = True

flushing.install()
mould.install()

# Django's own way takes ten statements, and nearly every page's test begins with it.
Client.force_login = make.sign_in  # type: ignore[method-assign, assignment]


@pytest.fixture(scope="session")
def stack() -> Stack:
    """The servers that the suite runs on, as ``make test`` started them."""
    return Stack.from_environment()


@pytest.fixture(scope="session")
def services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    """The whole product in real processes on servers, ports and a database of its own."""
    home = Path(os.environ.get("IOTPANEL_SERVICES_HOME") or tmp_path_factory.mktemp("services"))
    own = home.with_name(f"{home.name}{os.environ.get('PYTEST_XDIST_WORKER', '')}")
    with Services.running(own, mould=home.with_name("mould")) as running:
        yield running


@pytest.fixture(autouse=True)
def fresh_memory() -> None:
    """Tests roll back, and what is rolled back is never notified: the uplink forgets what it knew."""
    memory().forget()
    LIMITER.forget()
    QUOTA.forget()
    routes.forget()


@pytest.fixture
def audited() -> None:
    """Asked for by the tests that look at the history of changes."""


@pytest.fixture(autouse=True)
def unaudited(request: pytest.FixtureRequest) -> Iterator[None]:
    """No other test writes that history: it costs two questions to the database for each object that is made."""
    with nullcontext() if "audited" in request.fixturenames else disable_auditlog():
        yield


@pytest.fixture(autouse=True)
def unthrottled(settings: Settings) -> None:
    """All tests come from one address: only those about throttling turn it on."""
    settings.THROTTLE = False


@pytest.fixture
def tenant(db: None) -> Tenant:
    """The tenant that the owner and the viewer belong to."""
    return make.make_tenant(key="home", name="Home")


@pytest.fixture
def other_tenant(db: None) -> Tenant:
    """The stranger's tenant: nothing of `tenant` may ever be seen from here."""
    return make.make_tenant(key="elsewhere", name="Elsewhere")


@pytest.fixture
def owner(tenant: Tenant) -> User:
    return make.make_owner(tenant, username="olga")


@pytest.fixture
def viewer(tenant: Tenant) -> User:
    return make.make_viewer(tenant, username="viktor")


@pytest.fixture
def stranger(other_tenant: Tenant) -> User:
    return make.make_owner(other_tenant, username="sam")


@pytest.fixture
def superuser(db: None) -> User:
    return make.make_superuser(username="root")
