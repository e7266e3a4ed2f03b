"""What a kind of job has to know about one device: how to begin, and how it ended."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from datetime import datetime
from typing import Any, LiteralString

from django.db import connection

from devices.models import Device, Job, JobTarget
from iotpanel.tenants.models import Role, Tenant


class Kind(ABC):
    """`start`, `settle`, `busy` and `stop` run in the transaction of the job's step, with the job's row locked."""

    needs: Role = Role.OPERATOR
    """Who may start one, or try it again."""
    count_busy: LiteralString
    """SQL that counts for `busy`, given the job's id."""

    @abstractmethod
    def clean(self, tenant: Tenant, spec: Any) -> dict[str, Any]:
        """The spec, checked as far as no device is needed. Raises ValidationError by field."""

    @abstractmethod
    def problems(self, spec: dict[str, Any], devices: Sequence[Device]) -> dict[int, str]:
        """Why it cannot, or need not, be done to these devices, as a code by id; those where it can are left out."""

    def describe(self, spec: dict[str, Any]) -> str:
        """What is done, in a few words."""
        return ""

    def steps(self, job: Job) -> dict[str, int]:
        """How far the devices are that are under way, by step; empty where a kind knows no steps."""
        return {}

    @abstractmethod
    def start(self, job: Job, targets: Sequence[JobTarget], now: datetime) -> None:
        """Begin with these devices, and write what became of it into their rows."""

    @abstractmethod
    def settle(self, job: Job, now: datetime) -> None:
        """Take over what has ended since the last look."""

    def busy(self, job: Job) -> int:
        """Devices that are being worked on right now, those that it waits for because they are away left out."""
        with connection.cursor() as cursor:
            cursor.execute(self.count_busy, [job.pk])
            return int(cursor.fetchone()[0])

    @abstractmethod
    def stop(self, job: Job) -> None:
        """Take back what was begun and can be taken back; what is on its way goes on."""
