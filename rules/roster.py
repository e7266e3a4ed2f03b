"""What is remembered of the devices that rules concern: their plan, their facts and states.

Facts and states are kept between batches by the one process that takes the devices' messages; everybody else reads
them anew, and tells that process which devices it changed.
"""

from collections.abc import Collection, Iterable, Mapping

from devices.models import Device
from telemetry import latest

from . import past, states
from .book import About, Book
from .facts import Facts
from .machine import State
from .plan import Plan

BEHIND = (-1, -1)  # the span of a device that says nothing now: all that is known of it is behind it


class Member:
    """A device that at least one rule concerns."""

    __slots__ = ("about", "facts", "id", "mine", "name", "plan", "states", "warm")

    def __init__(self, id: int, name: str, about: About, plan: Plan) -> None:
        self.id = id
        self.name = name
        self.about = about
        self.plan = plan
        self.mine = False  # whether it has spoken to this very thread
        self.forget()

    def forget(self) -> None:
        """Forget what changes with reports."""
        self.facts = Facts(self.about.key)
        self.states: dict[int, State] = {}
        self.warm = False


class Roster:
    def __init__(self, book: Book) -> None:
        self._book = book
        self._members: dict[int, Member | None] = {}

    def clear(self) -> None:
        """Forget everything."""
        self._members.clear()

    def sort_anew(self) -> None:
        """Rules or devices changed: find the plans again, and keep the facts of devices whose plan stays the same."""
        before = self._members
        self._members = {}
        self._meet(list(before))
        for device_id, member in self._members.items():
            known = before.get(device_id)
            if member is not None and known is not None and known.plan is member.plan:
                member.facts, member.states, member.warm, member.mine = known.facts, known.states, known.warm, known.mine

    def forget(self, device_ids: Iterable[int]) -> None:
        """Forget what changes with reports of these devices."""
        for device_id in device_ids:
            if member := self._members.get(device_id):
                member.forget()

    def strangers(self, spans: Mapping[int, tuple[int, int]]) -> set[int]:
        """Those of these devices that say nothing now and speak to other threads, who change what is known of them."""
        behind = [device_id for device_id, span in spans.items() if span == BEHIND]
        return {device_id for device_id in behind if (member := self._members.get(device_id)) and not member.mine}

    def members(self, device_ids: Collection[int]) -> Mapping[int, Member | None]:
        """These devices; None for those that no rule concerns."""
        known = self._members
        missing = [device_id for device_id in device_ids if device_id not in known]
        if missing:
            self._meet(missing)
        return known

    def warm_up(self, spans: Mapping[int, tuple[int, int]], *, lock: bool = False) -> None:
        """Read what is not known of these members: their states, and their facts as they were before these spans (µs) each."""
        cold = [member for device_id in spans if (member := self._members.get(device_id)) and not member.warm]
        if not cold:
            return
        ids = [member.id for member in cold]
        rules = {rule_id for member in cold for rule_id in member.plan.rules}
        for (device_id, rule_id), state in states.read(ids, rules, lock=lock).items():
            member = self._members[device_id]
            if member is not None and rule_id in member.plan.rules:
                member.states[rule_id] = state
        newest = latest.read(ids)
        for member in cold:
            known, span = newest.get(member.id, {}), spans[member.id]
            if span == BEHIND:
                last = max((at for _, at in known.values()), default=0) + 1
                span = last, last
            past.recall(member.id, member.facts, member.plan, known, span)
            member.warm = True

    def _meet(self, device_ids: list[int]) -> None:
        self._members.update(dict.fromkeys(device_ids))
        groups: dict[int, list[int]] = {}
        for device_id, group_id in Device.groups.through.objects.filter(device_id__in=device_ids).values_list("device_id", "group_id"):
            groups.setdefault(device_id, []).append(group_id)
        rows = Device.objects.filter(pk__in=device_ids).values_list("pk", "name", "tenant_id", "key", "product__key", "labels")
        for device_id, name, tenant_id, key, product, labels in rows:
            about = About(tenant_id, key, product, self._book.above(groups.get(device_id, ())), labels or {})
            if plan := self._book.plan(about):
                self._members[device_id] = Member(device_id, name, about, plan)
