"""Word between processes, by PostgreSQL's NOTIFY: heard on commit, and lost where nobody listens, so nothing rests on it."""

from collections.abc import Collection, Iterable

from django.db import connection

DEVICES = "iotpanel_downlink"  # ids of devices that there is something for
ENDED = "iotpanel_command"  # ids of commands that have ended
EVERYTHING = "*"
_LACKING = """
    WITH mine AS (
        SELECT device_id FROM devices_shadow WHERE device_id = ANY(%s) AND wanted = '' AND delta <> '{}' ORDER BY device_id FOR UPDATE
    )
    UPDATE devices_shadow shadow SET wanted = 'delta' FROM mine WHERE shadow.device_id = mine.device_id
"""
# Offers that the broker took while the device was not there, or that it lost before it had done anything.
_UNANSWERED = """
    WITH mine AS (
        SELECT id FROM devices_errand
        WHERE device_id = ANY(%s) AND finished_at IS NULL AND state = 'sent' AND NOT wanted ORDER BY id FOR UPDATE
    )
    UPDATE devices_errand errand SET wanted = true FROM mine WHERE errand.id = mine.id
"""
PORTION = 300  # ids of 20 digits that fit the 8,000 bytes of a notification


def look_at(device_ids: Collection[int]) -> None:
    """Have the dispatcher look at these devices once the caller's transaction is committed."""
    _say(DEVICES, sorted(device_ids))


def came(device_ids: Collection[int]) -> None:
    """These devices have just connected: what waits for them goes now, and what their shadows lack is sent again."""
    if not device_ids:
        return
    with connection.cursor() as cursor:
        cursor.execute(_LACKING, [sorted(device_ids)])
        cursor.execute(_UNANSWERED, [sorted(device_ids)])
    look_at(device_ids)


def ended(command_ids: Collection[int]) -> None:
    """Tell those who wait for these commands."""
    _say(ENDED, command_ids)


def read(payload: str) -> set[int] | None:
    """The ids of a notification; None for all that there are."""
    return None if payload == EVERYTHING else {int(each) for each in payload.split()}


def _say(channel: str, ids: Iterable[int]) -> None:
    texts = [str(each) for each in ids]
    with connection.cursor() as cursor:
        for start in range(0, len(texts), PORTION):
            cursor.execute("SELECT pg_notify(%s, %s)", [channel, " ".join(texts[start : start + PORTION])])
