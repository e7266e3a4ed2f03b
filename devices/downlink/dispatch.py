"""The thread that publishes what is due. It runs in the uplink worker and owns no state that matters: the rows do.

One turn: settle what the broker said, end what is overdue, claim what may go, commit, publish. It is woken by NOTIFY,
by what the broker refused and once a second by itself. That the broker has taken a message is written a moment later: where
a reply is expected it is nearly always there by then, and says it too.
"""

import threading
import time
from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import datetime
from typing import Any

import structlog
from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from devices.exceptions import Invalid, Unavailable
from iotpanel import metrics

from . import claims, errand_outbox, payloads, ripeness, shadow_outbox, sweep
from .carrier import Ack, Carrier, Fate
from .claims import Ready
from .errand_outbox import ReadyErrand, ReadyPiece
from .listener import Listener
from .moves import finish
from .onlooker import NOBODY, Onlooker, Shown
from .pace import Pace
from .patience import Patience
from .shadow_outbox import ReadyShadow
from .wake import Word

SWEEP = 1.0  # seconds
SECOND_LOOK = 30.0  # seconds between two looks at whether word of a device's coming was lost
RETRY = 1.0  # seconds, while the database is away
SOON = 0.05  # seconds
BREATH = 0.003  # seconds between two turns: what comes meanwhile shares the next one's statements
Told = ReadyShadow | ReadyErrand | ReadyPiece
"""What may be sent twice without harm, so that nothing is claimed beforehand; each kind is settled in its own way."""
SETTLES: dict[type, Callable[[Sequence[Any], datetime], set[int]]] = {
    ReadyShadow: shadow_outbox.mark_sent,
    ReadyErrand: errand_outbox.mark_sent,
    ReadyPiece: errand_outbox.settle_pieces,
}
log = structlog.get_logger(__name__)


class Dispatcher:
    """`start` and `stop` are the worker's; everything else happens in the thread."""

    def __init__(self, url: str, client_id: str, onlooker: Onlooker = NOBODY) -> None:
        self._changed = threading.Condition()
        self._word = False
        self.carrier = Carrier(url, client_id, self.wake)
        self.listener = Listener(self.wake)
        self.patience = Patience()
        self.shown = Shown(onlooker)
        self._by_device = Pace(settings.COMMAND_RATE_DEVICE, settings.COMMAND_BURST_DEVICE)
        self._by_tenant = Pace(settings.COMMAND_RATE_TENANT, settings.COMMAND_RATE_TENANT)
        self._pieces = Pace(settings.FIRMWARE_RATE_DEVICE, settings.FIRMWARE_RATE_DEVICE)  # in KB
        self._all_pieces = Pace(settings.FIRMWARE_RATE, settings.FIRMWARE_RATE)
        self._acks: list[Ack] = []
        self._told: set[tuple[type, int]] = set()  # devices whose shadow or offer the broker has not acknowledged yet
        self._swept_at = self._looked_at = self._turned_at = 0.0
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="downlink-dispatch", daemon=True)
        self.sent = self.turns = 0

    def start(self) -> None:
        self.listener.start()
        self._thread.start()

    def stop(self) -> None:
        """Settle what the broker has acknowledged, and end."""
        self._stopping = True
        self.wake()
        self._thread.join(5.0)
        self.listener.stop()
        self.carrier.stop()

    def wake(self) -> None:
        """There may be something to do."""
        with self._changed:
            self._word = True
            self._changed.notify()

    def figures(self) -> dict[str, Any]:
        return {"connected": self.carrier.connected.is_set(), "sent": self.sent, "turns": self.turns, "alive": self._thread.is_alive()}

    def _run(self) -> None:
        stopping = False
        while not stopping:
            stopping = self._stopping  # one more turn: it settles everything
            try:
                self._wait()
                self.turn()
            except Exception as error:  # whatever it is: without this thread no command is ever sent
                log.warning("downlink_waits", error=str(error)[:300], exc_info=None if isinstance(error, Unavailable) else error)
                connection.close()
                self.listener.everything()
                time.sleep(RETRY)
        connection.close()

    def _wait(self) -> None:
        """Until there is word, somebody's time has come, or a second is over."""
        seconds = min(SWEEP - (time.monotonic() - self._swept_at), self.patience.next_in(), self._settles_in())
        with self._changed:
            if not self._word and seconds > 0:
                self._changed.wait(seconds)
        if (breath := self._turned_at + BREATH - time.monotonic()) > 0:
            time.sleep(breath)
        with self._changed:
            self._word = False

    def _settles_in(self) -> float:
        """Seconds until the broker's word is to be written: it wakes nobody."""
        if self._acks:
            return min(map(ripeness.ripe_at, self._acks)) - time.monotonic()
        return ripeness.SETTLE if self.carrier.waits else float("inf")

    def turn(self) -> None:
        """One round of everything there is."""
        now = timezone.now()
        word = self.listener.take()
        self.patience.heard(word.heard)
        reminded = self.patience.take()
        self._acks += self.carrier.take()
        self.shown.acknowledged(self._acks)
        sweeps = self._may_sweep(word.everything)
        ripe = self._acks if sweeps or self._stopping else ripeness.ripe(self._acks)  # what fails then is tried again in the next turn
        if word.heard or reminded or ripe or sweeps:
            self.turns += 1
            self._turn(word, reminded, ripe, now)
            self._turned_at = time.monotonic()

    def _turn(self, word: Word, reminded: set[int], ripe: Sequence[Ack], now: datetime) -> None:
        """Everything is committed before anything is published."""
        with transaction.atomic():
            self._settle(ripe, now)
            due, wanted = self._sweep(now, word.everything)
            devices, others = due | wanted | reminded | word.heard, wanted | reminded | word.devices
            connected = self.carrier.connected.is_set()
            batch = self._claim(devices, word, now) if connected and devices else []
            told = self._ready_told(others) if connected and others else []
        done = set(map(id, ripe))
        self._acks = [ack for ack in self._acks if id(ack) not in done]
        try:
            for command, topics, payload in batch:
                self._publish(command, topics, payload, min(command.timeout, (command.expires_at - now).total_seconds()))
            for each, topics in told:
                self._told.add((type(each), each.device_id))
                self._publish(each, topics, each.payload(), each.seconds)
        finally:
            self.carrier.flush()  # what was claimed leaves, whatever became of the others
        self._show(batch, told)  # last: whatever fails in it has delayed nothing

    def _show(self, batch: Sequence[tuple[Ready, list[str], bytes]], told: Sequence[tuple[Told, list[str]]]) -> None:
        """Tell who watches; what is made for the eye alone is made of watched devices alone."""
        if not (framed := self.shown.framed()):
            return
        commands = [(each, self._way(each, topics), payload) for each, topics, payload in batch]
        others = [(each, self._way(each, topics), each.shown()) for each, topics in told if {each.device_id, each.parent_id} & framed]
        self.shown.published([*commands, *others], framed)

    # --- What the broker said --------------------------------------------------------------------------------

    def _settle(self, acks: Sequence[Ack], now: datetime) -> None:
        """Write down what became of what was published."""
        by_fate: dict[Fate, list[Ready]] = {fate: [] for fate in Fate}
        for ack in acks:
            if isinstance(ack.token, Ready):
                by_fate[ack.fate].append(ack.token)
        for kind, settle in SETTLES.items():
            self._settle_told(kind, [ack for ack in acks if type(ack.token) is kind], settle, now)
        if taken := by_fate[Fate.TAKEN]:
            age = time.monotonic() - max(ack.at for ack in acks if ack.fate is Fate.TAKEN)
            claims.mark_sent([command.id for command in taken], claims.later(now, -age))
            self.patience.reached(command.device_id for command in taken)
        for command in by_fate[Fate.NOBODY]:
            claims.put_off([command.id], claims.later(now, self.patience.miss(command.device_id)), "device", untried=True)
        sweep.replaced([command.id for command in by_fate[Fate.NOBODY]], now)
        if refused := by_fate[Fate.REFUSED]:
            claims.put_off([command.id for command in refused], claims.later(now, RETRY), "retry", untried=True)
            sweep.replaced([command.id for command in refused], now)
        if unknown := by_fate[Fate.UNKNOWN]:
            sweep.again([command.id for command in unknown], now)
        for fate, commands in by_fate.items():
            if commands:
                metrics.COMMANDS_PUBLISHED.labels(fate.value).inc(len(commands))

    def _settle_told(self, kind: type, acks: Sequence[Ack], settle: Callable[[Sequence[Any], datetime], set[int]], now: datetime) -> None:
        if not acks:
            return
        taken = [ack.token for ack in acks if ack.fate is Fate.TAKEN]
        changed = settle(taken, now) if taken else set()
        self.patience.reached(each.device_id for each in taken)
        for ack in acks:
            if ack.fate is Fate.NOBODY:
                self.patience.miss(ack.token.device_id)
            elif ack.fate is not Fate.TAKEN or ack.token.device_id in changed:
                self.patience.remind(ack.token.device_id, RETRY if ack.fate is not Fate.TAKEN else 0)
        self._told -= {(kind, ack.token.device_id) for ack in acks}

    def _may_sweep(self, everything: bool) -> bool:
        return everything or time.monotonic() - self._swept_at >= SWEEP

    def _sweep(self, now: datetime, everything: bool) -> tuple[set[int], set[int]]:
        """Once a second; returns the devices that commands are due for, and those that anything may be due for."""
        if not self._may_sweep(everything):
            return set(), set()
        at = self._swept_at = time.monotonic()
        self.carrier.heal()
        sweep.sweep(now)
        if not everything and at - self._looked_at <= SECOND_LOOK:
            return claims.due_devices(now), set()
        self._looked_at = at
        return claims.due_devices(now), claims.waited_for() | shadow_outbox.wanted_devices() | errand_outbox.wanted_devices()

    # --- What may go -----------------------------------------------------------------------------------------

    def _claim(self, devices: Collection[int], word: Word, now: datetime) -> list[tuple[Ready, list[str], bytes]]:
        found = claims.ready(devices, word.heard, now)
        # A window may be full with a command whose reply is being written, by one who has not seen what is queued now.
        for device_id in word.commanded - {command.device_id for command in found}:
            self.patience.remind(device_id, SOON)
        if len(found) >= claims.LIMIT:  # there is more
            for device_id in devices:
                self.patience.remind(device_id, 0)
        if gone := {command.device_id for command in found if not command.there}:
            claims.park(gone)
        paced = [command for command in found if command.there and self._may_go(command)]
        batch = self._bodies(paced[: self.carrier.room], now)
        if batch:
            claims.claim([command.id for command, _, _ in batch], now)
        return batch

    def _ready_told(self, devices: Collection[int]) -> list[tuple[Told, list[str]]]:
        """Shadows, offers and pieces of images, each with the topics to try."""
        shadows, errands = shadow_outbox.ready(devices), errand_outbox.ready(devices)
        if len(shadows) >= shadow_outbox.LIMIT or len(errands) >= errand_outbox.LIMIT:  # there is more
            for device_id in devices:
                self.patience.remind(device_id, SOON)
        found: list[Told] = [*shadows, *errands]
        found = [*(each for each in found if (type(each), each.device_id) not in self._told), *self._granted(devices)]
        gateways = claims.gateways_of({each.parent_id for each in found if each.parent_id is not None})
        return [(each, payloads.ways(each.key, each.parent_id, gateways, each.levels)) for each in found]

    def _granted(self, devices: Collection[int]) -> list[ReadyPiece]:
        """The pieces of images that the rate allows now; for the others their devices are looked at again."""
        at, granted = time.monotonic(), []
        for piece in errand_outbox.wishes(devices):
            if wait := max(self._pieces.wait(piece.device_id, at), self._all_pieces.wait(None, at)):
                self.patience.remind(piece.device_id, wait)
                continue
            self._pieces.take(piece.device_id, at, piece.length / 1024)
            self._all_pieces.take(None, at, piece.length / 1024)
            granted.append(piece)
        if granted:
            errand_outbox.grant(granted)
        return granted

    def _may_go(self, command: Ready) -> bool:
        """Whether the rate limits allow it now; else the device is looked at again when they do."""
        at = time.monotonic()
        wait = max(self._by_device.wait(command.device_id, at), self._by_tenant.wait(command.tenant_id, at))
        if wait:
            self.patience.remind(command.device_id, wait)
            return False
        self._by_device.take(command.device_id, at)
        self._by_tenant.take(command.tenant_id, at)
        return True

    def _bodies(self, commands: Iterable[Ready], now: datetime) -> list[tuple[Ready, list[str], bytes]]:
        """Each with the topics to try and its bytes; one that its product's script cannot encode fails."""
        found = []
        commands = list(commands)
        gateways = claims.gateways_of({command.parent_id for command in commands if command.parent_id is not None})
        for command in commands:
            try:
                levels, own, payload = payloads.body(command)
            except Invalid as error:
                finish("id = %(id)s", "failed", now, reason=error.code, error=error.detail, id=command.id)
                continue
            found.append((command, payloads.ways(command.key, command.parent_id, gateways, levels, own), payload))
        return found

    def _publish(self, token: Ready | Told, topics: list[str], payload: bytes, seconds: float) -> None:
        fate = self.carrier.publish(token, self._way(token, topics), payload, seconds)
        if fate is None:
            self.sent += 1
        else:
            self._acks.append(Ack(token, fate, time.monotonic()))
            self.wake()

    def _way(self, token: Ready | Told, topics: list[str]) -> str:
        return topics[self.patience.way(token.device_id, len(topics))]
