"""Drops old changes of presence, attributes, groups and labels.

The last one before the time that is kept stays: it says how things stood then.
"""

from datetime import datetime, timedelta

from django.conf import settings

from .pruning import Deadline, until_none

ROWS_AT_ONCE = 5000
MOST_OF_A_DEVICE = 20_000  # of one that comes and goes all the time, or says another attribute each second

OLD = """
    DELETE FROM {table} WHERE id IN (
        SELECT row.id FROM {table} AS row WHERE row.at < %s AND EXISTS (
            SELECT 1 FROM {table} AS later
            WHERE {same} AND (later.at, later.id) > (row.at, row.id) AND later.at < %s
        ) LIMIT %s
    )
"""
# The newest of each thing is never too much: it says how that stands.
TOO_MANY = """
    DELETE FROM {table} WHERE id IN (
        SELECT row.id FROM (SELECT {owner} FROM {table} GROUP BY {owner} HAVING count(*) > %s) AS busy CROSS JOIN LATERAL (
            SELECT id FROM (
                SELECT id, at, row_number() OVER (PARTITION BY {thing} ORDER BY at DESC, id DESC) AS place
                FROM {table} AS own WHERE own.{owner} = busy.{owner}
            ) AS placed WHERE place > 1 ORDER BY at DESC, id DESC OFFSET %s LIMIT %s
        ) AS row LIMIT %s
    )
"""
GONE = "DELETE FROM devices_treechange WHERE id IN (SELECT id FROM devices_treechange WHERE gone AND at < %s LIMIT %s)"
# Every table of changes, and what one of its rows is about: a device (of trees: a group), and which thing of it.
TABLES = {
    "devices_presencechange": ("device_id",),
    "telemetry_attributechange": ("device_id", "scope", "key"),
    "devices_labelchange": ("device_id",),
    "devices_groupchange": ("device_id", "group_id"),
    "devices_treechange": ("group_id",),
}


def drop(*, now: datetime, deadline: Deadline) -> int:
    """Drop what is too old, and of each device what is too much, oldest first; how many rows went."""
    dropped = 0
    before = now - timedelta(days=settings.CHANGE_DAYS) if settings.CHANGE_DAYS else None
    for table, thing in TABLES.items():
        if before:
            same = " AND ".join(f"later.{column} = row.{column}" for column in thing)
            dropped += until_none(OLD.format(table=table, same=same), [before, before, ROWS_AT_ONCE], deadline)
        most = [MOST_OF_A_DEVICE, MOST_OF_A_DEVICE - 1, ROWS_AT_ONCE, ROWS_AT_ONCE]
        dropped += until_none(TOO_MANY.format(table=table, owner=thing[0], thing=", ".join(thing)), most, deadline)
    return dropped + (until_none(GONE, [before, ROWS_AT_ONCE], deadline) if before else 0)
