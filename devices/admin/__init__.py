"""The admin of the registry, one noun per file."""

from . import command, device, enrolment, firmware, group, job, product

__all__ = ["command", "device", "enrolment", "firmware", "group", "job", "product"]
