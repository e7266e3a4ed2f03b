"""The admin of the registry, one noun per file."""

from . import claim, command, device, enrolment, firmware, group, job, product, registration, shadow

__all__ = ["claim", "command", "device", "enrolment", "firmware", "group", "job", "product", "registration", "shadow"]
