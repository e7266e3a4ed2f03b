"""The thread that publishes what is due. It runs in the uplink worker and owns no state that matters: the rows do.

One turn: settle what the broker said, end what is overdue, claim what may go, commit, publish. It is woken by NOTIFY,
by the broker's acknowledgements and once a second by itself.
"""

import threading
import time
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any

import structlog
from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from devices.exceptions import Invalid, Unavailable
from iotpanel import metrics

from . import claims, payloads, shadow_outbox, sweep
from .carrier import Ack, Carrier, Fate
from .claims import Ready
from .listener import Listener
from .moves import finish
from .pace import Pace
from .patience import Patience
from .shadow_outbox import ReadyShadow

SWEEP = 1.0  # seconds
SECOND_LOOK = 30.0  # seconds between two looks at whether word of a device's coming was lost
RETRY = 1.0  # seconds, while the database is away
SHADOW_SECONDS = 86_400.0  # how long the broker keeps a shadow for a device whose session it holds
log = structlog.get_logger(__name__)


class Dispatcher:
    """`start` and `stop` are the worker's; everything else happens in the thread."""

    def __init__(self, url: str, client_id: str) -> None:
        self._changed = threading.Condition()
        self._word = False
        self.carrier = Carrier(url, client_id, self.wake)
        self.listener = Listener(self.wake)
        self.patience = Patience()
        self._by_device = Pace(settings.COMMAND_RATE_DEVICE, settings.COMMAND_BURST_DEVICE)
        self._by_tenant = Pace(settings.COMMAND_RATE_TENANT, settings.COMMAND_RATE_TENANT)
        self._acks: list[Ack] = []
        self._shadows: set[int] = set()  # devices whose shadow the broker has not acknowledged yet
        self._swept_at = self._looked_at = 0.0
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
        while not self._stopping:
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
        seconds = min(SWEEP - (time.monotonic() - self._swept_at), self.patience.next_in())
        with self._changed:
            if not self._word and seconds > 0:
                self._changed.wait(seconds)
            self._word = False

    def turn(self) -> None:
        """One round of everything."""
        self.turns += 1
        now = timezone.now()
        heard, everything = self.listener.take()
        self.patience.heard(heard)
        with transaction.atomic():
            self._settle(now)
            devices = self._sweep(now, everything) | self.patience.take() | heard
            connected = bool(devices) and self.carrier.connected.is_set()
            batch = self._claim(devices, heard, now) if connected else []
            shadows = self._ready_shadows(devices) if connected else []
        self._acks.clear()
        for command, topics, payload in batch:
            self._publish(command, topics, payload, min(command.timeout, (command.expires_at - now).total_seconds()))
        for shadow, topics in shadows:
            self._shadows.add(shadow.device_id)
            self._publish(shadow, topics, shadow.payload(), SHADOW_SECONDS)

    # --- What the broker said --------------------------------------------------------------------------------

    def _settle(self, now: datetime) -> None:
        """Write down what became of what was published. What fails here is settled in the next turn."""
        self._acks += self.carrier.take()
        by_fate: dict[Fate, list[Ready]] = {fate: [] for fate in Fate}
        for ack in self._acks:
            if isinstance(ack.token, Ready):
                by_fate[ack.fate].append(ack.token)
        self._settle_shadows([ack for ack in self._acks if isinstance(ack.token, ReadyShadow)], now)
        if taken := by_fate[Fate.TAKEN]:
            claims.mark_sent([command.id for command in taken], now)
            self.patience.reached(command.device_id for command in taken)
        for command in by_fate[Fate.NOBODY]:
            claims.put_off([command.id], claims.later(now, self.patience.miss(command.device_id)), "device", untried=True)
        if refused := by_fate[Fate.REFUSED]:
            claims.put_off([command.id for command in refused], claims.later(now, RETRY), "retry", untried=True)
        if unknown := by_fate[Fate.UNKNOWN]:
            sweep.again([command.id for command in unknown], now)
        for fate, commands in by_fate.items():
            if commands:
                metrics.COMMANDS_PUBLISHED.labels(fate.value).inc(len(commands))

    def _settle_shadows(self, acks: Sequence[Ack], now: datetime) -> None:
        if not acks:
            return
        taken = [ack.token for ack in acks if ack.fate is Fate.TAKEN]
        changed = shadow_outbox.mark_sent(taken, now) if taken else set()
        self.patience.reached(shadow.device_id for shadow in taken)
        for ack in acks:
            if ack.fate is Fate.NOBODY:
                self.patience.miss(ack.token.device_id)
            elif ack.fate is not Fate.TAKEN or ack.token.device_id in changed:
                self.patience.remind(ack.token.device_id, RETRY if ack.fate is not Fate.TAKEN else 0)
        self._shadows -= {ack.token.device_id for ack in acks}

    def _sweep(self, now: datetime, everything: bool) -> set[int]:
        """Once a second; returns the devices that something may be due for."""
        at = time.monotonic()
        if at - self._swept_at < SWEEP and not everything:
            return set()
        self._swept_at = at
        self.carrier.heal()
        sweep.sweep(now)
        devices = claims.due_devices(now)
        if everything or at - self._looked_at > SECOND_LOOK:
            self._looked_at = at
            devices |= claims.waited_for() | shadow_outbox.wanted_devices()
        return devices

    # --- What may go -----------------------------------------------------------------------------------------

    def _claim(self, devices: Collection[int], heard: Collection[int], now: datetime) -> list[tuple[Ready, list[str], bytes]]:
        found = claims.ready(devices, heard, now)
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

    def _ready_shadows(self, devices: Collection[int]) -> list[tuple[ReadyShadow, list[str]]]:
        found = [shadow for shadow in shadow_outbox.ready(devices) if shadow.device_id not in self._shadows]
        gateways = claims.gateways_of({shadow.parent_id for shadow in found if shadow.parent_id is not None})
        return [(shadow, payloads.ways(shadow.key, shadow.parent_id, gateways, ["shadow"])) for shadow in found]

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

    def _publish(self, token: Ready | ReadyShadow, topics: list[str], payload: bytes, seconds: float) -> None:
        topic = topics[self.patience.way(token.device_id, len(topics))]
        fate = self.carrier.publish(token, topic, payload, seconds)
        if fate is None:
            self.sent += 1
        else:
            self._acks.append(Ack(token, fate))
            self.wake()
