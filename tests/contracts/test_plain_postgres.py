"""The same suites once more on a database without TimescaleDB: migrated, written, rolled up and dropped as any other."""

import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

from django.conf import settings

ROOT = Path(settings.BASE_DIR)
SUITES = [
    "tests/contracts/test_store.py",
    "tests/contracts/test_store_reads.py",
    "tests/telemetry/history",
    "tests/telemetry/test_retention.py",
]
SUITES += ["tests/telemetry/test_plain.py"]


def test_everything_works_on_plain_postgres() -> None:
    url = urlsplit(os.environ["DATABASE_URL"])
    environment = os.environ | {"IOTPANEL_TIMESCALE": "0", "DATABASE_URL": url._replace(path=f"{url.path}_plain").geturl()}
    environment.pop("PYTEST_XDIST_WORKER", None)  # what it runs is not for its group alone
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--create-db", *SUITES]
    run = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=600)
    faults = [line for line in run.stdout.splitlines() if line.startswith("E  ")]
    assert run.returncode == 0, "\n".join([*dict.fromkeys(faults), run.stdout[-2000:], run.stderr[-2000:]])
    assert "passed" in run.stdout and "skipped" not in run.stdout
