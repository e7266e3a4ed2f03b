"""Jobs: the one machinery that does something to many devices: waves, canary, windows, pause, abort by itself, retry.

A kind says what is done to a device; this table names them all. Everything that a job knows is in rows, so that it goes on after
any restart.
"""

from iotpanel.registry import Registry

from .kind import Kind

KINDS: Registry[type[Kind]] = Registry(
    "job",
    {
        "command": "devices.jobs.command:CommandJob",
        "firmware": "devices.jobs.firmware:FirmwareJob",
        "shadow": "devices.jobs.shadow:ShadowJob",
        "credentials": "devices.jobs.credentials:CredentialsJob",
    },
)
