"""Every Prometheus metric of the platform, named and explained here and nowhere else.

Each process counts for itself; `figures.py` brings the figures together on the web port's `/metrics`, where every
series has the label `process` (web, uplink, tasks, beat).
"""

from typing import NamedTuple

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, disable_created_metrics
from prometheus_client.metrics_core import GaugeMetricFamily

disable_created_metrics()
REGISTRY = CollectorRegistry()
ProcessCollector(registry=REGISTRY)

FAST = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
SIZES = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000)


def _counter(name: str, text: str, *labels: str) -> Counter:
    """A name without `_total`: the exposition adds it."""
    return Counter(f"iotpanel_{name}", text, labels, registry=REGISTRY)


def _gauge(name: str, text: str, *labels: str) -> Gauge:
    return Gauge(f"iotpanel_{name}", text, labels, registry=REGISTRY)


def _histogram(name: str, text: str, *labels: str, buckets: tuple[float, ...] = FAST) -> Histogram:
    return Histogram(f"iotpanel_{name}", text, labels, registry=REGISTRY, buckets=buckets)


class LookedUp(NamedTuple):
    """A gauge that no process keeps: its values are looked up when somebody asks for `/metrics`."""

    name: str
    text: str
    labels: tuple[str, ...] = ()

    def family(self) -> GaugeMetricFamily:
        """An empty one, to add values to."""
        return GaugeMetricFamily(f"iotpanel_{self.name}", self.text, labels=self.labels)

    def of(self, value: float) -> GaugeMetricFamily:
        """With its only value."""
        return GaugeMetricFamily(f"iotpanel_{self.name}", self.text, value)


# --- Uplink: received = stored + duplicate + rejected + dead_lettered, always, per source ----------------------
UPLINK_RECEIVED = _counter("uplink_received", "Reports, attribute objects and events that came in.", "source")
UPLINK_STORED = _counter("uplink_stored", "Of these, committed.", "source")
UPLINK_DUPLICATE = _counter("uplink_duplicate", "Of these, known already with equal values.", "source")
UPLINK_REJECTED = _counter("uplink_rejected", "Of these, refused by policy and not kept.", "source")
UPLINK_DEAD_LETTERED = _counter("uplink_dead_lettered", "Of these, kept as dead letters.", "source")
UPLINK_HEARTBEATS = _counter("uplink_heartbeats", "Messages that carried nothing but a sign of life.", "source")
# In the order of the ledger's counts.
UPLINK_COUNTERS = (UPLINK_RECEIVED, UPLINK_STORED, UPLINK_DUPLICATE, UPLINK_REJECTED, UPLINK_DEAD_LETTERED, UPLINK_HEARTBEATS)
for _counted in UPLINK_COUNTERS:  # all series are there from the start, so that the identity can be checked
    for _source in ("mqtt", "http", "page", "replay", "computed"):
        _counted.labels(_source)
UPLINK_MESSAGES = _counter("uplink_messages", "Messages taken from a connector.", "source")
UPLINK_REJECTIONS = _counter("uplink_rejections", "Refusals by policy, by code.", "code")
DEAD_LETTERS = _counter("dead_letters", "Dead letters written, by reason.", "reason")
UPLINK_SECONDS = _histogram(
    "uplink_arrival_to_commit_seconds",
    "From a message's arrival to the commit of its batch; a sample of up to 31 of each batch.",
)
UPLINK_BATCH_SECONDS = _histogram("uplink_batch_seconds", "Time that one batch spent in a step: translate, write.", "step")
UPLINK_BATCH_MESSAGES = _histogram("uplink_batch_messages", "Messages of one batch.", buckets=SIZES)
UPLINK_QUEUE = _gauge("uplink_queue_messages", "Messages that wait for a batch.")
UPLINK_LAG = _gauge("uplink_lag_seconds", "For how long the broker has been keeping what is not committed, at least.")
UPLINK_RETRIES = _counter("uplink_retries", "Batches tried again because the database was unavailable.")
UPLINK_UNAVAILABLE = _gauge("uplink_unavailable", "1 while a batch waits for the database.")
BROKER_CONNECTED = _gauge("broker_connected", "1 while the worker is connected to the broker.", "connector")
BROKER_CONNECTS = _counter("broker_connects", "Connections made to the broker.", "connector")
BROKER_RELOADS = _counter("broker_reloads", "Times that the broker was given new accounts.")

# --- Codecs ------------------------------------------------------------------------------------------------
CODEC_SECONDS = _histogram("codec_seconds", "Time to decode the frames of one batch and product.", "kind")
CODEC_FRAMES = _counter("codec_frames", "Frames decoded.", "kind")
LUA_ENDED = _counter("lua_ended", "Sandbox processes that had to be killed or had died.")
LUA_QUARANTINES = _counter("lua_quarantines", "Scripts that hung repeatedly and were left out for a while.")

# --- Devices -----------------------------------------------------------------------------------------------
PRESENCE_CHANGES = _counter("presence_changes", "Devices that came or went.", "online", "cause")

COMMANDS_PUBLISHED = _counter("commands_published", "Commands published to the broker, by what it made of them.", "fate")
FIRMWARE_BYTES = _counter("firmware_bytes", "Bytes of firmware given out, by way: http, mqtt.", "way")
COMMAND_CHANGES = _counter("command_changes", "Changes of commands' states, by the state they came into.", "state")

# --- Live --------------------------------------------------------------------------------------------------
LIVE_CONNECTIONS = _gauge("live_connections", "Open connections to /ws/live/.")
LIVE_SENT = _counter("live_sent", "Newest values that a publisher handed to the web processes.")
LIVE_LOST = _counter("live_lost", "Readings that a publisher had no room for.")
LIVE_FAILURES = _counter("live_failures", "Ticks of a publisher that could not be sent.")
LIVE_SKIPPED = _counter("live_skipped", "Readings passed over in favour of newer ones, on all connections.")

# --- Outbox ------------------------------------------------------------------------------------------------
OUTBOX_MESSAGES = _counter(
    "outbox_messages", "Messages of the outbox by what became of them: delivered, refused, given_up, down.", "kind", "outcome"
)
OUTBOX_SECONDS = _histogram("outbox_send_seconds", "Time to hand a batch of messages to the other side.", "kind")

# --- Web and tasks -----------------------------------------------------------------------------------------
HTTP_SECONDS = _histogram("http_request_seconds", "Time to answer a request, streamed bodies excluded.", "method", "status")
TASK_SECONDS = _histogram("task_seconds", "Time of one run of a task.", "task")
TASK_RUNS = _counter("task_runs", "Runs of tasks.", "task", "outcome")

# --- Rules -------------------------------------------------------------------------------------------------
RULE_SECONDS = _histogram("rule_seconds", "Time that the rules took of one batch, actions included.")
RULE_STEPS = _counter("rule_steps", "Times that a rule looked at a device.")
RULE_FIRINGS = _counter("rule_firings", "Times that a rule changed its mind about a device.", "change")
RULE_HELD = _counter("rule_firings_held_back", "Firings beyond what a tenant may do: postponed, or skipped.", "fate")
RULE_FAILURES = _counter("rule_failures", "Times that a rule or one of its actions failed.")
RULES_DISABLED = _counter("rules_disabled", "Rules switched off because they failed too often.")
RULE_LOOPS = _counter("rule_loops_cut", "Times that a loop of rules was cut.")
RULE_LOOKS_CUT = _counter("rule_looks_cut", "Looks at devices that were left out because too many compare with one reading.")
RULE_RETRIES = _counter("rule_retries", "Times that a batch had to look again because somebody else had changed a rule's state.")
ALARM_CHANGES = _counter("alarm_changes", "What happened to alarms.", "kind")

# --- Looked up when somebody asks (scrape.py, rules/delivery/figures.py) ------------------------------------
CACHE_UP = LookedUp("cache_up", "Whether Valkey answers.")
DATABASE_UP = LookedUp("database_up", "Whether PostgreSQL answers.")
PROCESSES = LookedUp("processes", "Processes that report their figures, by role.", ("process",))
DISK_FREE = LookedUp("disk_free_bytes", "Free space where IOTPANEL_HOME is.")
DISK_TOTAL = LookedUp("disk_total_bytes", "Size of the disk where IOTPANEL_HOME is.")
DEVICES = LookedUp("devices", "Enabled devices of all tenants: online, offline, never_seen.", ("state",))
ROLLUP_LAG = LookedUp("rollup_lag_seconds", "How far rollups are behind; about a minute is normal.")
OUTBOX_WAITING = LookedUp("outbox_waiting_messages", "Messages of the outbox that wait, by kind.", ("kind",))
OUTBOX_LAG = LookedUp("outbox_lag_seconds", "For how long the oldest of them has waited.", ("kind",))
OUTBOX_DOWN = LookedUp("outbox_targets_down", "Targets that are left alone because they are down.", ("kind",))
_TARGET = ("kind", "tenant", "target")
OUTBOX_TARGET_WAITING = LookedUp("outbox_target_waiting_messages", "Messages that wait for a forwarder or channel.", _TARGET)
OUTBOX_TARGET_LAG = LookedUp("outbox_target_lag_seconds", "For how long the oldest of them has waited.", _TARGET)
OUTBOX_TARGET_DOWN = LookedUp("outbox_target_down", "1 while a forwarder or channel is down.", _TARGET)
