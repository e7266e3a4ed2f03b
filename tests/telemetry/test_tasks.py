"""Every task that beat sends exists, and runs on an empty and on a living database."""

import pytest
from django.conf import settings

from devices.messages import Report
from iotpanel.celery import app
from iotpanel.tenants.models import Tenant
from telemetry import latest, ledger, tasks
from telemetry.models import LedgerEntry
from telemetry.stores.timescale import TimescaleStore
from tests.make import make_device, make_product

TASKS = [tasks.fold_ledger, tasks.roll_up, tasks.erase, tasks.drop_old, tasks.reprocess_archived, tasks.refresh_views]


def test_beat_sends_only_tasks_that_exist() -> None:
    app.loader.import_default_modules()
    scheduled = {entry["task"] for entry in settings.CELERY_BEAT_SCHEDULE.values()}
    assert scheduled <= set(app.tasks)
    assert {task.name for task in TASKS} <= scheduled


@pytest.mark.django_db(transaction=True)
def test_tasks_run_one_after_the_other(tenant: Tenant) -> None:
    for _ in range(2):
        device = make_device(tenant, product=make_product(tenant))
        reports = [Report(device.pk, at, {"t": at}, at) for at in (1_500_000_000_000_000, 1_767_225_600_000_000)]
        TimescaleStore().write(reports)
        latest.merge(reports)
        ledger.append({device.pk: [2, 2, 0, 0, 0, 0]})
        device.delete()
        for task in TASKS:
            assert task.apply().successful()
    assert not LedgerEntry.objects.exists()
