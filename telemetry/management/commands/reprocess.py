"""Decodes a product's archived messages anew, after its codec or thing model was mended."""

from datetime import datetime, timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from devices.exceptions import Unavailable
from devices.models import Device, Product
from telemetry import reprocess
from telemetry.models import ReprocessRun

UNITS = {"m": "minutes", "h": "hours", "d": "days"}
SAY_EVERY = 10.0  # seconds


def instant(text: str) -> datetime:
    """An ISO 8601 time (UTC where it says no zone), or how long ago: 90m, 6h, 2d. Raises CommandError."""
    if text[-1:] in UNITS and text[:-1].isdigit() and len(text) < 8:
        return timezone.now() - timedelta(**{UNITS[text[-1]]: int(text[:-1])})
    try:
        found = parse_datetime(text if "T" in text or " " in text else f"{text}T00:00:00")
    except ValueError:
        found = None
    if found is None:
        raise CommandError(f"“{text}” is no time: write 2026-11-26T08:00:00Z, 2026-11-26, or 6h for six hours ago.")
    return found if found.tzinfo else found.replace(tzinfo=timezone.get_default_timezone())


class Command(BaseCommand):
    help = "Decodes archived messages anew. What is done stays done: stopped, it is finished in the background."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--product", help="its key")
        parser.add_argument("--tenant", default="", help="its tenant's key, where several have a product of that key")
        parser.add_argument("--since", help="2026-11-26T08:00:00Z, 2026-11-26, or 6h for six hours ago")
        parser.add_argument("--until", default="", help="the same; left out: now")
        parser.add_argument("--device", default="", help="only this device's, by its key")
        parser.add_argument("--resume", type=int, metavar="RUN", help="go on with this run in place of a new one")

    def handle(self, *args: Any, **options: Any) -> None:
        run = self._found(options["resume"]) if options["resume"] else self._started(options)
        self.stdout.write(f"run {run.pk}: {run.since.isoformat()} to {run.until.isoformat()}")
        try:
            while run.state == "running":
                run = reprocess.go_on(run, seconds=SAY_EVERY)
                self.stdout.write(_words(run))
        except Unavailable as error:
            raise CommandError(f"{error}. Go on later with --resume {run.pk}.") from error

    def _found(self, number: int) -> ReprocessRun:
        run = ReprocessRun.objects.filter(pk=number).first()
        if run is None:
            raise CommandError(f"There is no run {number}.")
        return run

    def _started(self, options: dict[str, Any]) -> ReprocessRun:
        if not options["product"] or not options["since"]:
            raise CommandError("Say --product and --since, or --resume.")
        until = instant(options["until"]) if options["until"] else None
        product = self._product(options["product"], options["tenant"])
        device = self._device(product, options["device"])
        try:
            return reprocess.start(product, since=instant(options["since"]), until=until, device=device)
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from error

    def _product(self, key: str, tenant: str) -> Product:
        found = Product.objects.filter(key=key, **({"tenant__key": tenant} if tenant else {}))
        if found.count() != 1:
            raise CommandError(f"Several tenants have a product “{key}”: say --tenant." if found else f"There is no product “{key}”.")
        return found.get()

    def _device(self, product: Product, key: str) -> Device | None:
        if key and not (found := product.devices.filter(key=key).first()):
            raise CommandError(f"“{key}” is no device of “{product.key}”.")
        return found if key else None


def _words(run: ReprocessRun) -> str:
    return f"{run.messages} messages: {run.stored} stored, {run.unchanged} unchanged, {run.failed} failed; {run.state}"
