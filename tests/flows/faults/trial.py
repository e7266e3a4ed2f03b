"""One fault in the middle of a stream: send, break something, wait until everything is quiet, compare."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from tests.flows.platform import Account, Platform
from tests.services import Services, eventually

from . import witness
from .journal import Journal
from .senders import HttpSender, MqttSender
from .talk import Talk

RECOVERY = 90.0  # seconds within which all parts have to be back and everything stored


class Trial:
    """Three devices that talk MQTT, one that talks HTTP where asked for, and a silent one, which nothing may be stored for."""

    def __init__(self, platform: Platform, seed: int, *, rate: float = 500, timed: bool = True, http: bool = False) -> None:
        self.platform = platform
        self.services: Services = platform.services
        self.journal = Journal()
        self.seed = f"{seed} {timed}"
        self.timed = timed
        self.rate = rate
        product = platform.product()
        *self.accounts, self.silent = devices(platform, product, 5 if http else 4)
        self.http = HttpSender(self.services.url, self.accounts[-1], self._talk(self.accounts[-1])) if http else None
        self.mqtt = MqttSender(self.services.mqtt_port, self.accounts[:3], self._talk, rate)

    def _talk(self, account: Account) -> Talk:
        return Talk(account.key, self.journal, self.seed, timed=self.timed)

    @property
    def keys(self) -> list[str]:
        return [account.key for account in (*self.accounts, self.silent)]

    @contextmanager
    def talking(self) -> Iterator["Trial"]:
        """Devices talk while the block runs; at its end everything is acknowledged, and what was sent is compared."""
        self.services.forgive()
        try:
            self.mqtt.start()
            if self.http:
                self.http.start()
            yield self
            self.settle()
        finally:
            if self.http:
                self.http.stop()
            self.mqtt.close()

    def talk_for(self, seconds: float) -> None:
        time.sleep(seconds)

    def lag(self) -> float:
        """Seconds since the oldest report was sent that was acknowledged and is not stored yet."""
        stored = self.stored_numbers()
        waiting = [entry.sent_at for entry in self.journal.owed if entry.number not in stored and not entry.poison]
        return time.monotonic() - min(waiting, default=time.monotonic())

    def settle(self) -> None:
        """Fall silent, and wait until all that was said has been dealt with: the last words come behind it."""
        self.mqtt.stop()
        if self.http:
            self.http.stop()
        self.mqtt.await_acknowledgements()
        eventually(self.platform.serves, RECOVERY)
        before = len(self.journal.entries)
        self.mqtt.last_words()
        last = {entry.number for entry in self.journal.entries[before:]}
        eventually(lambda: last <= self.stored_numbers(), RECOVERY)

    def stored_numbers(self) -> set[int]:
        return witness.numbers(self.services, self.keys)

    def verify(self) -> None:
        """Nothing lost, phantom, duplicated, reordered or altered, whoever is asked; and the counts add up."""
        assert all(entry.acknowledged for entry in self.journal.good)
        by_sql = self.journal.audit(witness.sql_rows(self.services, self.keys))
        assert not by_sql, by_sql
        by_rest = self.journal.audit(row for account in self.everyone for row in witness.rest_rows(self.platform, account))
        assert not by_rest, by_rest
        if self.timed:
            self.verify_latest()
        self.verify_counts()

    @property
    def everyone(self) -> list[Account]:
        return [*self.accounts, self.silent]

    def verify_latest(self) -> None:
        by_sql = self.journal.audit_latest(witness.sql_latest(self.services, self.keys))
        assert not by_sql, by_sql
        by_rest = self.journal.audit_latest({account.key: witness.rest_latest(self.platform, account) for account in self.accounts})
        assert not by_rest, by_rest

    def verify_counts(self, dead_lettered: int = 0) -> None:
        """The ledger's rows know exactly what was stored; the identity holds in them and in the metrics."""
        counts = witness.ledger(self.services, self.keys)
        assert witness.is_identity(counts), counts
        assert (counts["stored"], counts["dead_lettered"], counts["rejected"]) == (len(self.journal.good), dead_lettered, 0), counts
        for account in self.accounts:
            assert witness.rest_count(self.platform, account) == sum(entry.device == account.key for entry in self.journal.good)
        assert witness.is_identity(witness.ledger(self.services))
        eventually(lambda: witness.identity_holds(self.platform), 30)


def devices(platform: Platform, product: str, count: int) -> list[Account]:
    """Devices that may sign in; the wait for the broker's accounts is one for all of them."""
    made = [platform.new_device(product) for _ in range(count)]
    eventually(lambda: all(map(platform.may_sign_in, made)))
    return made


def sustained_rate(platform: Platform, seed: int, messages: int = 3_000) -> float:
    """Messages/s from the first publish to the last commit, said as fast as they can be made: the sender's own work is in it."""
    trial = Trial(platform, seed)
    began = time.monotonic()
    try:
        for turn in range(messages):
            trial.mqtt.say(turn % len(trial.mqtt.mouths))
        trial.mqtt.await_acknowledgements()
        eventually(lambda: trial.lag() <= 0, RECOVERY)
    finally:
        trial.mqtt.close()
    return messages / (time.monotonic() - began)


def eventually_stored(platform: Platform, journal: Journal, keys: list[str]) -> None:
    """Wait until the last report of the journal is there, and with it all before it."""
    last = {entry.number for entry in journal.good[-1:]}
    eventually(lambda: last <= witness.numbers(platform.services, keys), RECOVERY)
