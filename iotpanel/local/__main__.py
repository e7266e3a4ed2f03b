"""``python -m iotpanel.local``: the command line of the embedded stack."""

import argparse
import sys

from iotpanel.local import backup, certificates, commands, containers, testing, upgrade
from iotpanel.local.say import Trouble, complain
from iotpanel.local.watch import StopAsked

COMMANDS = {
    "run": commands.run,
    "servers": commands.servers,
    "test": testing.test,
    "test-forwarders": testing.test_forwarders,
    "lint": testing.lint,
    "backup": backup.backup,
    "restore": backup.restore,
    "upgrade": upgrade.upgrade,
    "shell": upgrade.shell,
    "broker-files": containers.broker,
    "certificates": certificates.certificates,
}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m iotpanel.local", description=__doc__)
    parser.add_argument("command", choices=COMMANDS)
    parser.add_argument("arguments", nargs=argparse.REMAINDER, help="passed on; for test they go to pytest")
    given = parser.parse_args()
    try:
        return COMMANDS[given.command](given.arguments)
    except Trouble as trouble:
        complain(str(trouble))
        return 1
    except StopAsked:
        return 0
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
