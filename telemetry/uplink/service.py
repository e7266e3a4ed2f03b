"""The uplink of one process: connectors, batcher, the broker's accounts, and the sweep of each second."""

import threading
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import structlog
from django.conf import settings
from django.db import DatabaseError, connection, transaction
from django.utils import timezone
from django.utils.module_loading import import_string

from devices import presence
from devices.broker_accounts import AccountsKeeper
from devices.connectors import CONNECTORS
from devices.connectors.clock import arrival
from devices.downlink.dispatch import Dispatcher
from devices.downlink.onlooker import Onlooker
from devices.messages import Presence, Uplink
from devices.models import Device
from devices.timestamps import to_microseconds
from iotpanel import metrics
from telemetry import ledger
from telemetry.live import publisher

from .allocator import calm_collector, keep_memory
from .batcher import Batcher
from .limiter import LIMITER
from .memory import memory
from .pipeline import Outcome, process

SWEEP = 1.0  # seconds
BEHIND = 2.0  # seconds; less, and a busy platform, whose queue is never empty, would never find a device silent
DRAIN = 8.0  # seconds
log = structlog.get_logger(__name__)


def remember_absence() -> None:
    """What piled up at the broker since the last batch, which another process took, is not to meet the limits."""
    try:
        if last := ledger.newest():
            LIMITER.absent(to_microseconds(last))
    except DatabaseError as error:
        log.warning("uplink_absence_unknown", error=str(error)[:300])
        connection.close()


def thrown_out(keys: Collection[str]) -> None:
    """Devices whose account ended or has a new secret: the broker ends their sessions, and says nothing that can be trusted."""
    now = arrival()
    known = Device.objects.filter(key__in=keys, presence__online=True).values_list("pk", flat=True)
    with transaction.atomic():
        changed = presence.apply([Presence(device_id, False, now, "broker") for device_id in known])
        presence.tell_sinks(changed)
    tell_browsers(changed)


def tell_browsers(changed: Sequence[Presence]) -> None:
    """Push these changes to the browsers that watch."""
    devices = Device.objects.in_bulk([word.device_id for word in changed]) if changed else {}
    known = [(devices[word.device_id], word) for word in changed if word.device_id in devices]
    publisher().status((device.pk, device.key, device.tenant_id, word.online, word.at) for device, word in known)


def sweep_apps(listening_since: datetime | None) -> None:
    """Let upper apps do what is due; one that fails stops no other, nor the presence of devices."""
    for path in settings.SWEEPS:
        try:
            import_string(path)(listening_since)
        except DatabaseError:
            raise
        except Exception as error:
            log.error("uplink_sweep_failed", sweep=path, exc_info=error)


def is_behind(figures: Mapping[str, Any]) -> bool:
    """Whether somebody may have said something that is not committed yet, so long ago that silence would be concluded from it."""
    lag = figures["mqtt"]["lag_s"]
    return bool(figures["queued"] if lag is None else lag > BEHIND)


def process_lastingly(batch: Sequence[Uplink]) -> Outcome:
    """Process a batch in the one thread that takes all messages of these devices: what it remembers of them stays true."""
    memory().lasting = True
    return process(batch)


ONLOOKER = Onlooker(lambda: publisher().framed, lambda frames: publisher().frames(frames, "down"))


class UplinkService:
    """Started and stopped by the worker's bootstep."""

    def __init__(self) -> None:
        self.batcher = Batcher(process_lastingly)
        wanted = {"url": settings.MQTT_URL, "client_id": settings.MQTT_CLIENT_ID, "share": settings.MQTT_SHARE}
        self.connector = CONNECTORS["mqtt"](wanted, self.batcher.put)
        folder = Path(settings.BROKER_DIR) if settings.BROKER_DIR else None
        self.accounts = AccountsKeeper(folder, self.connector.subscribe, thrown_out)
        self.downlink = Dispatcher(settings.MQTT_URL, f"{settings.MQTT_CLIENT_ID}-down", ONLOOKER)
        self._stopping = threading.Event()
        self._sweeper = threading.Thread(target=self._sweep_forever, name="uplink-sweeper", daemon=True)
        self._listening_since = timezone.now()
        self._retries = 0

    def start(self) -> None:
        keep_memory()
        calm_collector()
        publisher()
        remember_absence()
        self.batcher.start()
        self.connector.start()
        self.accounts.start()
        self.downlink.start()
        self._sweeper.start()

    def stop(self) -> None:
        """Take nothing more, store what was taken, acknowledge it, leave. Ten seconds at most."""
        self._stopping.set()
        self.downlink.stop()
        self.connector.hold()
        drained = self.batcher.stop(DRAIN)
        self.connector.stop()
        self.accounts.stop()
        publisher().stop()
        log.info("uplink_stopped", drained=drained, **self.figures())

    def figures(self) -> dict[str, Any]:
        """What `celery inspect uplink` shows."""
        return {
            **self.batcher.figures(),
            "mqtt": self.connector.figures(),
            "accounts_written": self.accounts.written,
            "downlink": self.downlink.figures(),
        }

    def _sweep_forever(self) -> None:
        while not self._stopping.wait(SWEEP):
            try:
                self._sweep()
            except DatabaseError as error:
                log.warning("uplink_sweep_failed", error=str(error)[:300])
                connection.close()
            except Exception as error:
                log.error("uplink_sweep_failed", exc_info=error)
        connection.close()

    def _sweep(self) -> None:
        """What has to be looked after once a second."""
        self.connector.heal()
        figures = self.figures()
        self._measure(figures)
        if not figures["mqtt"]["connected"] or figures["last_error"]:
            LIMITER.absent(arrival())
        hears = figures["mqtt"]["connected"] and not figures["last_error"] and not is_behind(figures)
        sweep_apps(self._listening_since if hears else None)
        if not hears:
            # While we do not hear, or are behind, silence is ours and not the devices'.
            self._listening_since = timezone.now()
            return
        tell_browsers(presence.sweep_silent(self._listening_since))

    def _measure(self, figures: dict[str, Any]) -> None:
        metrics.UPLINK_QUEUE.set(figures["queued"])
        metrics.UPLINK_LAG.set(figures["mqtt"]["lag_s"] or 0)
        metrics.UPLINK_UNAVAILABLE.set(1 if figures["last_error"] else 0)
        metrics.BROKER_CONNECTED.labels("mqtt").set(1 if figures["mqtt"]["connected"] else 0)
        metrics.UPLINK_RETRIES.inc(figures["retries"] - self._retries)
        self._retries = figures["retries"]
