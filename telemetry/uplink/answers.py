"""What devices say about the downlink: replies to commands, their shadows, how updates go. Heartbeats in the ledger, unless refused."""

from collections.abc import Callable, Sequence
from typing import Any

from devices.codecs.json import load, split_value
from devices.directory import DeviceEntry
from devices.downlink import progress, replies, reports, wake
from devices.exceptions import Invalid
from devices.thing_model import check_free

from .findings import HEARTBEATS, Findings, Origin, Pending


def reply(findings: Findings, origin: Origin, device: DeviceEntry, command_id: str, payload: Any) -> None:
    """A reply to a command. `payload` is bytes, or a child's decoded value. Raises Invalid."""
    body = inspected(payload)
    findings.replies.add(replies.read(device.id, command_id, body, origin.uplink.received_at), origin)


def shadow(findings: Findings, origin: Origin, device: DeviceEntry, payload: Any) -> None:
    """A shadow report, or `{}` for the whole shadow. Raises Invalid."""
    report = reports.read(device.id, inspected(payload), origin.uplink.received_at)
    findings.shadows.add(report, origin)


def word(findings: Findings, origin: Origin, device: DeviceEntry, kind: str, payload: Any) -> None:
    """A word on an update or a new secret. Raises Invalid."""
    findings.words.add(progress.read(device.id, kind, inspected(payload), origin.uplink.received_at), origin)


def inspected(payload: Any) -> Any:
    """The JSON of a message, refused where it is too deep or holds what PostgreSQL does not take. Raises Invalid."""
    body = load(payload)[0] if isinstance(payload, bytes) else payload
    for outcome in split_value([{"values": {"body": body}}], inspect=True):
        if isinstance(outcome, Invalid):
            raise outcome
    check_free("payload", body)
    return body


def write(findings: Findings) -> None:
    """Write all of them, in the batch's transaction."""
    if findings.connected:
        wake.came(findings.connected)
    _write(findings, findings.replies, replies.apply)
    _write(findings, findings.shadows, reports.apply)
    _write(findings, findings.words, progress.apply)


def _write(findings: Findings, pending: Pending[Any], apply: Callable[[Sequence[Any]], Sequence[Invalid | None]]) -> None:
    if not pending.items:
        return
    for origin, verdict in zip(pending.origins, apply(pending.items), strict=True):
        if verdict is None:
            findings.count(origin, HEARTBEATS)
        else:
            findings.bury(origin, verdict)
