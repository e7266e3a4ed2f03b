"""What the database is, with TimescaleDB and without."""

import pytest
from django.conf import settings
from django.db import connection

from iotpanel.statements import execute
from telemetry.stores.backend import features

pytestmark = pytest.mark.django_db


def test_hypertables_are_there_exactly_where_timescale_is() -> None:
    assert features.active(connection) == features.loadable(connection)
    assert settings.TIMESCALE or not features.active(connection)
    if features.active(connection):
        found = {name for (name,) in execute("SELECT hypertable_name FROM timescaledb_information.hypertables")}
        assert found == {"telemetry_report", "telemetry_event", "telemetry_archive"}


@pytest.mark.parametrize("table", ["telemetry_report", "telemetry_event"])
def test_primary_keys_are_kept_and_no_index_is_added(table: str) -> None:
    assert execute("SELECT indexname FROM pg_indexes WHERE tablename = %s AND schemaname = 'public'", [table]) == [(f"{table}_pkey",)]
