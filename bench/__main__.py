"""The benches by name. Each module has `add_arguments(parser)` and `run(options) -> dict`."""

import argparse
import json
import os
import sys
from importlib import import_module
from typing import Any

BENCHES = {
    "memory": "memory of the whole idle stack, by part",
    "start": "first and second start of the whole stack, and what SIGTERM leaves",
    "first-value": "from mosquitto_pub with a new device's credentials to the REST answer",
    "live": "from a device's publish to a browser's open connection",
    "codec": "frames through the Lua sandbox, against the bare call and against JSON",
    "connections": "many devices log in, stay, and storm back after the broker restarted",
    "query": "questions to a store of 100 million readings",
    "fairness": "what a tenant that sends twice its limit does to another",
    "rules": "what rules cost: µs per reading and rule, and what they take of the ingest",
    "alerts": "from a publish over the alarm row to an open connection, beside a busy fleet",
    "latency": "from publish to committed and to a browser, at 10, 50 and 90 % of the sustained rate",
    "workers": "throughput and order with several uplink workers on a shared subscription",
    "commands": "commands to many devices and their replies",
    "jobs": "a job over many devices, with every process killed in the middle",
    "ingest": "readings from many devices through broker, worker and database, against the bare loop",
    "outage": "a minute without the database, with devices that go on sending",
    "broker": "what the broker keeps when it is killed, and what saving costs it",
    "http": "the durable way in: HTTP uplink, answered after the commit",
}


def main(arguments: list[str]) -> int:
    if arguments and arguments[0] in BENCHES:
        return one(arguments[0], arguments[1:])
    if arguments and arguments[0] not in ("-h", "--help"):
        print(f"there is no bench {arguments[0]!r}; there are: {', '.join(BENCHES)}", file=sys.stderr)
        return 2
    if arguments:
        for name, text in BENCHES.items():
            print(f"{name:12} {text}")
        return 0
    for name in BENCHES:
        print(f"--- {name}: {BENCHES[name]}", flush=True)
        one(name, [])
    return 0


def one(name: str, arguments: list[str]) -> int:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "iotpanel.settings")
    module = import_module(f"bench.{name.replace('-', '_')}")
    parser = argparse.ArgumentParser(prog=f"python -m bench {name}", description=module.__doc__)
    parser.add_argument("--json", action="store_true", help="print only one line of JSON")
    module.add_arguments(parser)
    options = parser.parse_args(arguments)
    figures = module.run(options)
    print(json.dumps(figures) if options.json else table(figures), flush=True)
    return 0


def table(figures: dict[str, Any]) -> str:
    width = max(map(len, figures))
    return "\n".join(f"{name:{width}}  {value}" for name, value in figures.items())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
