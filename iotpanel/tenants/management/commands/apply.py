"""`manage.py apply FILE`: make a tenant as a document says."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from iotpanel.tenants.configuration import applying, files


class Command(BaseCommand):
    help = "Applies a configuration, all of it or nothing; a second time changes nothing."

    def add_arguments(self, parser: ArgumentParser) -> None:
        files.add_arguments(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            found = applying.apply(files.tenant_of(options), files.document_of(options), prune=options["prune"])
        except applying.NotApplied as refused:
            raise CommandError(f"nothing was changed:\n{refused.plan.text()}") from refused
        self.stdout.write(found.text(), ending="")
