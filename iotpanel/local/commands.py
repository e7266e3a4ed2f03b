"""What ``python -m iotpanel.local`` can do."""

from collections.abc import Sequence

from iotpanel.local import lock, watch
from iotpanel.local import servers as stack
from iotpanel.local.config import from_environment
from iotpanel.local.say import say
from iotpanel.local.supervisor import Supervisor


def servers(_: Sequence[str]) -> int:
    """Run only the servers, in the foreground."""
    config = from_environment()
    with lock.hold(config.home):
        watch.hold_signals()
        chosen = stack.choose(config)
        supervisor = Supervisor(config.home)
        try:
            stack.start(chosen, supervisor)
            stack.write_environment(config, chosen.environment(), chosen.tree)
            say(f"the servers are ready: source {config.home.env_file}")
            watch.watch(supervisor)
        finally:
            supervisor.stop()
    return 0
