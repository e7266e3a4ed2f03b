"""When the broker's word that it has taken a message is written down: where a reply is expected, the reply nearly always says it too."""

import time
from collections.abc import Sequence

from .carrier import Ack, Fate
from .claims import Ready

SETTLE = 0.02  # seconds, where nobody else will say more
REPLY = 0.2  # seconds, where the device is asked to reply


def ripe_at(ack: Ack) -> float:
    """When this has to be written, in monotonic seconds."""
    if ack.fate is not Fate.TAKEN:
        return ack.at
    return ack.at + (REPLY if isinstance(ack.token, Ready) and not ack.token.one_way else SETTLE)


def ripe(acks: Sequence[Ack]) -> list[Ack]:
    """What has to be written now, and in the same statement what soon would have to be; nothing where all can wait."""
    now = time.monotonic()
    if not any(ripe_at(ack) <= now for ack in acks):
        return []
    return [ack for ack in acks if ack.fate is not Fate.TAKEN or ack.at <= now - SETTLE]
