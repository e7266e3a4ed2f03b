"""What the three commands share: which tenant, and a document from a file or the standard input."""

import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from iotpanel.api.errors import ApiError
from iotpanel.tenants.models import Tenant

from .document import Document, read


def add_arguments(parser: ArgumentParser) -> None:
    """For the commands that read a document."""
    parser.add_argument("file", help="the document; - for the standard input")
    parser.add_argument("--tenant", default="default", help="the tenant's key")
    parser.add_argument("--prune", action="store_true", help="delete what the document's sections do not hold")


def tenant_of(options: dict[str, Any]) -> Tenant:
    """The tenant that the options name; raises CommandError."""
    found: Tenant | None = Tenant.objects.filter(key=options["tenant"]).first()
    if found is None:
        raise CommandError(f"there is no tenant {options['tenant']!r}")
    return found


def document_of(options: dict[str, Any]) -> Document:
    """The document that the options name; raises CommandError."""
    name = options["file"]
    try:
        return read(sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes())
    except OSError as error:
        raise CommandError(f"{name}: {error.strerror}") from error
    except ApiError as error:
        raise CommandError(f"{name}: {error.message}") from error
