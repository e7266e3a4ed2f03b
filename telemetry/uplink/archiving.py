"""What a batch leaves in the raw archive: each message at the instant from which a replay gives its reports the same times."""

from collections.abc import Iterator

from telemetry.archive import Received

from .findings import Findings

Instants = set[tuple[int, int]]


def archived(findings: Findings) -> list[Received]:
    """The batch's messages for the archive; a child's is its part of the gateway's message."""
    return list(_each(findings))


def _each(findings: Findings) -> Iterator[Received]:
    used: Instants = {(device_id, at) for (_, device_id), at in findings.bases.items()}
    for origin, device_id in findings.archived:
        topic, _payload, received_at, source, _only = origin.uplink
        base = findings.bases.get((origin.place, device_id))
        yield Received(device_id, base or _free(used, device_id, received_at), topic, source, origin.payload)


def _free(used: Instants, device_id: int, at: int) -> int:
    """The instant itself, or just after it: no two messages of a device have the same. It is used from now on."""
    while (device_id, at) in used:
        at += 1
    used.add((device_id, at))
    return at
