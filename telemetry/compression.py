"""Compression of old readings, where TimescaleDB's Community edition is there; the Apache edition has none."""

import structlog
from django.conf import settings
from django.db import DatabaseError, connection, transaction

from iotpanel.statements import execute

from .stores.backend import features

log = structlog.get_logger(__name__)

ENABLED = "SELECT compression_enabled FROM timescaledb_information.hypertables WHERE hypertable_name = 'telemetry_report'"
ENABLE = """
    ALTER TABLE telemetry_report SET (
        timescaledb.compress, timescaledb.compress_segmentby = 'device_id', timescaledb.compress_orderby = 'at DESC'
    )
"""
POLICY = "SELECT add_compression_policy('telemetry_report', compress_after => make_interval(days => %s), if_not_exists => true)"


def ensure() -> bool:
    """Have readings compressed once they are old enough; whether they are. A refusal is logged: it costs only space."""
    if not settings.COMPRESS_AFTER_DAYS or not features.community(connection):
        return False
    try:
        with transaction.atomic():
            if execute(ENABLED) == [(False,)]:
                execute(ENABLE)
            execute(POLICY, [settings.COMPRESS_AFTER_DAYS])
    except DatabaseError as error:
        log.warning("compression_refused", error=str(error))
        return False
    return True
