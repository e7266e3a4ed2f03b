"""Sending parcels in batches: a batch that is refused is halved until the culprit stands alone, so it costs itself only."""

from collections.abc import Callable, Sequence

from rules.outside.errors import Down, Rejected

from .parcels import Parcel, Sent

Send = Callable[[Sequence[Parcel]], str]


def send_all(parcels: Sequence[Parcel], send: Send, *, batch: int, alive: Callable[[], bool] = lambda: True) -> Sent:
    """Send in order, at most `batch` at a time, until all is sent, the other side is down, or `alive` says to stop."""
    sent = Sent([], [])
    blocked: set[str] = set()
    for start in range(0, len(parcels), batch):
        if start and not alive():
            break
        try:
            answer = _send(parcels[start : start + batch], send, sent, blocked)
        except Down as error:
            return sent._replace(down=str(error) or type(error).__name__, after=error.after)
        sent = sent._replace(answer=answer or sent.answer)
    return sent


def _send(parcels: Sequence[Parcel], send: Send, sent: Sent, blocked: set[str]) -> str:
    """Send one batch, in halves where it is refused. What follows a refused message of its line waits for it."""
    parcels = [parcel for parcel in parcels if parcel.line not in blocked]
    if not parcels:
        return ""
    try:
        answer = send(parcels)
    except Rejected as error:
        return _refused(parcels, error, send, sent, blocked)
    sent.delivered.extend(parcels)
    return answer


def _refused(parcels: Sequence[Parcel], error: Rejected, send: Send, sent: Sent, blocked: set[str]) -> str:
    if error.by_position:
        for position, parcel in enumerate(parcels):
            if words := error.by_position.get(position):
                _block(parcel, words, sent, blocked)
            else:
                sent.delivered.append(parcel)
        return ""
    if len(parcels) == 1:
        _block(parcels[0], str(error), sent, blocked)
        return ""
    middle = len(parcels) // 2
    first = _send(parcels[:middle], send, sent, blocked)
    return _send(parcels[middle:], send, sent, blocked) or first


def _block(parcel: Parcel, words: str, sent: Sent, blocked: set[str]) -> None:
    sent.refused.append((parcel, words))
    blocked.add(parcel.line)
