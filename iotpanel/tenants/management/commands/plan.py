"""`manage.py plan FILE`: what applying a document would change."""

import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from iotpanel.tenants.configuration import applying, files


class Command(BaseCommand):
    help = "Says what a configuration would change, and changes nothing. Ends with 2 where something would, with 1 where it cannot."

    def add_arguments(self, parser: ArgumentParser) -> None:
        files.add_arguments(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        found = applying.plan(files.tenant_of(options), files.document_of(options), prune=options["prune"])
        self.stdout.write(found.text(), ending="")
        if found.problems or found.changes:
            sys.exit(1 if found.problems else 2)
