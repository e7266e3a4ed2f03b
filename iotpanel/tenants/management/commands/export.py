"""`manage.py export`: a tenant's configuration as YAML."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand

from iotpanel.tenants.configuration import document, files
from iotpanel.tenants.configuration.plan import export


class Command(BaseCommand):
    help = "Writes a tenant's configuration (products, groups, ...) as YAML, without secrets. The same state gives the same text."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--tenant", default="default", help="the tenant's key")
        parser.add_argument("--output", help="a file instead of the standard output")

    def handle(self, *args: Any, **options: Any) -> None:
        text = document.write(export(files.tenant_of(options)))
        if options["output"]:
            Path(options["output"]).write_text(text)
        else:
            self.stdout.write(text, ending="")
