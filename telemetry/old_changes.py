"""Drops old changes of presence and of attributes. The last one before the time that is kept stays: it says how things stood then."""

from datetime import datetime, timedelta

from django.conf import settings

from .pruning import Deadline, until_none

ROWS_AT_ONCE = 5000
MOST_OF_A_DEVICE = 20_000  # of one that comes and goes all the time, or says another attribute each second

OLD = """
    DELETE FROM {table} WHERE id IN (
        SELECT row.id FROM {table} AS row WHERE row.at < %s AND EXISTS (
            SELECT 1 FROM {table} AS later
            WHERE later.device_id = row.device_id AND {same} AND (later.at, later.id) > (row.at, row.id) AND later.at < %s
        ) LIMIT %s
    )
"""
TOO_MANY = """
    DELETE FROM {table} WHERE id IN (
        SELECT row.id FROM (SELECT device_id FROM {table} GROUP BY device_id HAVING count(*) > %s) AS busy CROSS JOIN LATERAL (
            SELECT id FROM {table} AS own WHERE own.device_id = busy.device_id ORDER BY at DESC, id DESC OFFSET %s LIMIT %s
        ) AS row LIMIT %s
    )
"""
TABLES = {
    "devices_presencechange": "true",
    "telemetry_attributechange": "later.scope = row.scope AND later.key = row.key",
}


def drop(*, now: datetime, deadline: Deadline) -> int:
    """Drop what is too old, and of each device what is too much, oldest first; how many rows went."""
    dropped = 0
    for table, same in TABLES.items():
        if settings.CHANGE_DAYS:
            before = now - timedelta(days=settings.CHANGE_DAYS)
            dropped += until_none(OLD.format(table=table, same=same), [before, before, ROWS_AT_ONCE], deadline)
        most = [MOST_OF_A_DEVICE, MOST_OF_A_DEVICE, ROWS_AT_ONCE, ROWS_AT_ONCE]
        dropped += until_none(TOO_MANY.format(table=table), most, deadline)
    return dropped
