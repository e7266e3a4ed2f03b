"""Many devices log in, stay, and storm back after the broker was restarted.

Each is a raw socket of one process with one epoll: CONNECT with its own account, then SUBSCRIBE to its downlink; a
device is there when both are answered. After the restart all come back as fast as they can, with no back-off: the worst case.
"""

import argparse
import json
import resource
import subprocess
import sys
from typing import Any

from bench import platform
from bench.memory import children, family, pss_mb
from tests.services import Services


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--devices", type=int, default=10_000)
    parser.add_argument("--stay", type=float, default=5, help="seconds between logging in and measuring memory")
    parser.add_argument("--window", type=int, default=500, help="log-ins under way at once")


def run(options: argparse.Namespace) -> dict[str, Any]:
    raise_limits(options.devices + 500)
    with platform.running() as services:
        ids = platform.make_devices(services, options.devices, ["p0"])
        before = broker_mb(services)
        job = {"port": services.mqtt_port, "secret": platform.SECRET, "keys": list(ids), "window": options.window}
        crowd = subprocess.Popen([sys.executable, "-m", "bench.crowd"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)
        assert crowd.stdin is not None and crowd.stdout is not None
        try:
            crowd.stdin.write(json.dumps(job) + "\n")
            first = json.loads(crowd.stdout.readline())
            crowd.stdin.write(json.dumps({"stay": options.stay}) + "\n")
            stayed = json.loads(crowd.stdout.readline())
            memory = broker_mb(services) - before
            services.stop("mosquitto")
            services.start("mosquitto")
            crowd.stdin.write("{}\n")
            back = json.loads(crowd.stdout.readline())
        finally:
            crowd.kill()
            crowd.wait(20)
    return {
        "devices": options.devices,
        "logins_per_s": round(options.devices / first["seconds"]),
        "login_p50_ms": first["p50_ms"],
        "login_p99_ms": first["p99_ms"],
        "stayed": stayed["there"],
        "broker_kb_per_device": round(memory * 1000 / options.devices, 2),
        "all_back_s": round(back["seconds"], 2),
        "back": back["there"],
        "storm_logins_per_s": round(options.devices / back["seconds"]),
    }


def broker_mb(services: Services) -> float:
    return sum(map(pss_mb, family(services.pid("mosquitto"), children())))


def raise_limits(wanted: int) -> None:
    """Open files for this process and all that it starts; says so where the machine does not allow it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), max(hard, wanted) if hard != resource.RLIM_INFINITY else hard))
    except (ValueError, PermissionError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        if hard < wanted:
            raise SystemExit(f"this machine allows {hard} open files; {wanted} are needed: try --devices {hard - 500}") from None
