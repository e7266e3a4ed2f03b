"""What depends on PostgreSQL's version: its settings, initdb's options, how a dump is compressed.

Debian 13 has 17, which everything is tested on; Ubuntu has 14 (22.04), 16 (24.04) or a newer one. Pure.
"""

from pathlib import Path

from iotpanel.local.say import Trouble

OLDEST, NEWEST = 14, 18
"""14 is Django's own limit; of versions after the newest known one we expect what that one takes."""

SETTINGS = """\
# Written at each start. Settings of your own go into {own}
listen_addresses = '127.0.0.1'
port = {port}
unix_socket_directories = ''
max_connections = 60
password_encryption = scram-sha-256

# Small when idle, enough for two cores under load.
shared_buffers = 128MB
work_mem = 16MB
maintenance_work_mem = 64MB
effective_cache_size = 1GB
max_locks_per_transaction = 256
jit = off

# An acknowledged reading is on the disk: turning this off lost acknowledged rows at each kill.
synchronous_commit = on
wal_level = minimal
max_wal_senders = 0
wal_compression = {wal_compression}
# Filling each new file with zeros holds commits up for 45 ms, every few seconds until there are old files to use again.
wal_init_zero = off
max_wal_size = 2GB
checkpoint_timeout = 15min
random_page_cost = 1.1
autovacuum_naptime = 30s

max_logical_replication_workers = 0
max_worker_processes = 16
max_parallel_workers = 2
max_parallel_workers_per_gather = 1
{timescale}
timezone = 'UTC'
log_timezone = 'UTC'
log_line_prefix = '%m [%p] %d '
log_checkpoints = off
log_min_duration_statement = 2s
include_if_exists '{own}'
"""
TIMESCALE = """\
shared_preload_libraries = 'timescaledb'
timescaledb.max_background_workers = 8
timescaledb.telemetry_level = off
"""


def demand_supported(version: int) -> None:
    """Raise Trouble for a server that is too old."""
    if version < OLDEST:
        known = f"{OLDEST} to {NEWEST}"
        raise Trouble(
            f"PostgreSQL {version} is too old: iotpanel runs on {known}; install one of these, or set DATABASE_URL to one elsewhere"
        )


def server_settings(version: int, *, port: int, own: Path, timescale: bool) -> str:
    """The text of postgresql.conf; ``own`` is the person's file, which has the last word."""
    compression = "lz4" if version >= 15 else "on"
    return SETTINGS.format(port=port, own=own, timescale=TIMESCALE if timescale else "", wal_compression=compression)


def locale_options(version: int) -> list[str]:
    """Options of initdb for a locale that no library of the system can change under an index."""
    return ["--locale=C", *(["--locale-provider=builtin", "--builtin-locale=C.UTF-8"] if version >= 17 else [])]


def dump_compression(version: int) -> str:
    """Option of pg_dump: zstd is faster and smaller, and 16 is the first that has it."""
    return "--compress=zstd:3" if version >= 16 else "--compress=3"
