"""What a kind of job has to know about one device: how to begin, and how it ended."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from devices.models import Device, Job, JobTarget


class Kind(ABC):
    """Every method runs in the transaction of the job's step, with the job's row locked."""

    @abstractmethod
    def clean(self, spec: Any) -> dict[str, Any]:
        """The spec, checked as far as no device is needed. Raises ValidationError by field."""

    @abstractmethod
    def problem(self, spec: dict[str, Any], device: Device) -> str:
        """Why it cannot be done to this device, as a code; empty where it can. For the dry run."""

    @abstractmethod
    def start(self, job: Job, targets: Sequence[JobTarget], now: datetime) -> None:
        """Begin with these devices, and write what became of it into their rows."""

    @abstractmethod
    def settle(self, job: Job, now: datetime) -> None:
        """Take over what has ended since the last look."""

    @abstractmethod
    def busy(self, job: Job) -> int:
        """Devices that are being worked on right now, those that it waits for because they are away left out."""

    @abstractmethod
    def stop(self, job: Job) -> None:
        """Take back what was begun and can be taken back; what is on its way goes on."""
