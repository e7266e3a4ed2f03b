"""Whatever happens to the sandbox processes, every frame gets its own answer, in order."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from devices.codecs import lua
from devices.codecs.lua import pool as pools
from devices.codecs.lua.limits import FRAME_BYTES
from devices.codecs.lua.pool import Pool
from devices.codecs.lua.quarantine import SENTENCE, STRIKES, WINDOW, Quarantine
from devices.codecs.lua.scripts import arguments
from devices.codecs.lua.wire import Child, Outcome
from devices.exceptions import Invalid, Unavailable
from devices.messages import Decoded

from .scripts import body, make_frame

ECHO = body("return {n = string.unpack('>I4', payload)}").encode()
TRAPS = body(
    """
  local n = string.unpack('>I4', payload)
  if n % 100 == 50 then while true do end end
  if n % 100 == 75 then return {n = (('a'):rep(200000)):find('.-.-.-.-b') or 0} end
  return {n = n}
"""
).encode()


@pytest.fixture
def pool() -> Iterator[Pool]:
    made = Pool()
    yield made
    made.close()


def items(*numbers: int) -> list[tuple[Any, ...]]:
    return [arguments(make_frame(number.to_bytes(4, "big"))) for number in numbers]


def bodies(outcomes: list[Outcome]) -> list[bytes]:
    return [outcome.body for outcome in outcomes]


def numbered(*numbers: int) -> list[bytes]:
    return [b'{"n":%d}' % number for number in numbers]


def test_answers_come_in_order_however_many_there_are(pool: Pool) -> None:
    numbers = range(2_000)
    assert bodies(pool.run("decode", ECHO, items(*numbers))) == numbered(*numbers)
    assert pool.run("decode", ECHO, []) == []


@pytest.mark.parametrize(("count", "shares"), [(100, [100]), (129, [65, 64]), (1_100, [512, 512, 76])])
def test_the_processes_share_a_large_batch_and_leave_a_small_one_to_one_of_them(
    pool: Pool, monkeypatch: pytest.MonkeyPatch, count: int, shares: list[int]
) -> None:
    sizes: list[int] = []
    run = pools._Task.run

    def watched(task: Any) -> list[Outcome]:
        sizes.append(len(task.items))
        return run(task)

    monkeypatch.setattr(pools._Task, "run", watched)
    assert bodies(pool.run("decode", ECHO, items(*range(count)))) == numbered(*range(count))
    assert sorted(sizes, reverse=True) == shares


def test_a_batch_that_no_process_can_take_is_no_fault_of_its_frames(pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    with pytest.raises(Unavailable):
        pool.run("decode", ECHO, items(*range(200)))
    monkeypatch.undo()
    assert bodies(pool.run("decode", ECHO, items(*range(200)))) == numbered(*range(200))


def test_large_frames_are_sent_in_parts(pool: Pool) -> None:
    frames = [arguments(make_frame(number.to_bytes(4, "big") + b"x" * (FRAME_BYTES - 4))) for number in range(80)]
    assert bodies(pool.run("decode", ECHO, frames)) == numbered(*range(80))


def test_a_hang_costs_its_own_frame_only(pool: Pool) -> None:
    outcomes = pool.run("decode", TRAPS, items(*range(100)))
    assert [number for number, outcome in enumerate(outcomes) if outcome.word != "ok"] == [50, 75]
    assert {outcomes[50].word, outcomes[75].word} == {"codec_timeout"}
    assert bodies(outcomes[:50]) == numbered(*range(50))
    assert bodies(outcomes[76:]) == numbered(*range(76, 100))


def test_a_script_that_hangs_again_and_again_is_left_out(pool: Pool) -> None:
    outcomes = pool.run("decode", TRAPS, items(50, 1, 50, 2, 50, 3, 4, 5))
    assert [outcome.word for outcome in outcomes] == ["codec_timeout", "ok", "codec_timeout", "ok"] + ["codec_timeout"] * 4
    assert b"left out" in outcomes[-1].body and b"left out" not in outcomes[4].body
    assert b"left out" in pool.run("decode", TRAPS, items(1))[0].body
    assert bodies(pool.run("decode", ECHO, items(1))) == numbered(1)


def test_hangs_in_c_count_too(pool: Pool) -> None:
    outcomes = pool.run("decode", TRAPS, items(75, 75, 75, 1))
    assert [outcome.word for outcome in outcomes] == ["codec_timeout"] * 4
    assert b"left out" in outcomes[3].body


def test_a_script_that_is_tried_out_is_never_left_out(pool: Pool) -> None:
    for _ in range(STRIKES + 1):
        assert pool.run_within(2, "decode", TRAPS, items(50))[0].word == "codec_timeout"
    assert bodies(pool.run("decode", TRAPS, items(1))) == numbered(1)


def test_trying_out_ends_in_time(pool: Pool) -> None:
    outcomes = pool.run_within(0.5, "decode", TRAPS, items(*[50] * 100, 1))
    assert {outcome.word for outcome in outcomes} == {"codec_timeout"}
    assert outcomes[-1].body == b"the time of this request is used up"
    assert bodies(pool.run_within(2, "decode", TRAPS, items(1))) == numbered(1)


def children(pool: Pool) -> list[Child]:
    return [child for child in pool._idle.queue if child]


def test_a_process_that_was_killed_while_idle_is_replaced(pool: Pool) -> None:
    pool.run("decode", ECHO, items(1))
    (child,) = children(pool)
    os.kill(child.process.pid, signal.SIGKILL)
    child.process.wait()
    assert bodies(pool.run("decode", ECHO, items(2, 3))) == numbered(2, 3)


def test_a_process_that_is_killed_at_work_costs_no_frame(pool: Pool) -> None:
    """Killed from outside (say, by a system short of memory), the frame gets a second chance."""
    slow = body("for i = 1, 200000 do end return {n = string.unpack('>I4', payload)}").encode()
    pool.run("decode", slow, items(0))
    (child,) = children(pool)
    answers: list[bytes] = []
    worker = threading.Thread(target=lambda: answers.extend(bodies(pool.run("decode", slow, items(*range(400))))))
    worker.start()
    while child.progress[:4] in (b"\xff\xff\xff\xff", b"\0\0\0\0"):
        time.sleep(0.001)
    os.kill(child.process.pid, signal.SIGKILL)
    worker.join()
    assert answers == numbered(*range(400))


def test_threads_share_it(pool: Pool) -> None:
    answers: dict[int, list[bytes]] = {}

    def work(start: int) -> None:
        answers[start] = bodies(pool.run("decode", ECHO if start % 2000 else TRAPS, items(*range(start, start + 40))))

    threads = [threading.Thread(target=work, args=(start,)) for start in range(1000, 9000, 1000)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == {start: numbered(*range(start, start + 40)) for start in range(1000, 9000, 1000)}
    assert len(children(pool)) <= pools.SIZE


def test_a_child_that_breaks_the_protocol_is_not_believed(pool: Pool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    liar = tmp_path / "liar"
    liar.write_text("#!/bin/sh\nhead -c 4 >/dev/null\nhead -c 1000 /dev/zero\n")
    liar.chmod(0o700)
    monkeypatch.setattr(sys, "executable", str(liar))
    with pytest.raises(Unavailable):
        pool.run("decode", ECHO, items(1))


def test_no_process_to_be_had_is_no_fault_of_the_message(pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    for _ in range(3):
        with pytest.raises(Unavailable):
            pool.run("decode", ECHO, items(1))
    monkeypatch.undo()
    assert bodies(pool.run("decode", ECHO, items(1))) == numbered(1)


def test_a_child_knows_no_secret(pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IOTPANEL_SECRET_KEY", "very secret")
    pool.run("decode", ECHO, items(1))
    (child,) = children(pool)
    process = Path(f"/proc/{child.process.pid}")
    if os.geteuid() == 0:
        assert "Uid:\t65534\t65534" in (process / "status").read_text()
    assert b"secret" not in (process / "environ").read_bytes()
    opened = {str(link.readlink()).split(":")[0] for link in (process / "fd").iterdir() if link.name != "2"}
    assert opened <= {"pipe", "/memfd"}


def test_children_end_with_their_parent() -> None:
    source = (
        "from devices.codecs.lua import pool; from devices.codecs.lua.wire import Child; import time\n"
        "with pool.shared().child() as child: print(child.process.pid, flush=True); time.sleep(60)"
    )
    parent = subprocess.Popen([sys.executable, "-c", source], stdout=subprocess.PIPE, text=True)
    assert parent.stdout
    pid = int(parent.stdout.readline())
    parent.kill()
    parent.wait()
    while Path(f"/proc/{pid}/stat").exists() and Path(f"/proc/{pid}/stat").read_text().split(") ")[1][0] != "Z":
        time.sleep(0.01)


def test_a_forked_process_has_a_pool_of_its_own() -> None:
    pools.shared().run("decode", ECHO, items(1))
    mine = pools.shared()
    if (pid := os.fork()) == 0:
        os._exit(0 if pools.shared() is not mine and not children(pools.shared()) else 1)
    assert os.waitpid(pid, 0)[1] == 0
    assert pools.shared() is mine


def test_a_frame_that_is_too_large_is_not_even_sent() -> None:
    script = body("return {n = #payload}")
    fits, beyond, small = lua.decode(script, [make_frame(b"x" * size) for size in (FRAME_BYTES, FRAME_BYTES + 1, 1)])
    assert isinstance(fits, Decoded) and fits.samples[0].values == {"n": FRAME_BYTES}
    assert isinstance(beyond, Invalid) and beyond.code == "too_large"
    assert isinstance(small, Decoded) and small.samples[0].values == {"n": 1}
    assert lua.try_out(script, [make_frame(b"x" * (FRAME_BYTES + 1))])[0]["error"]["code"] == "too_large"


def test_many_scripts_take_turns(pool: Pool) -> None:
    for number in range(40):
        script = body(f"return {{n = {number}}}").encode()
        assert bodies(pool.run("decode", script, items(1))) == numbered(number)


class Clock:
    def __init__(self) -> None:
        self.at = 0.0

    def __call__(self) -> float:
        return self.at


def test_quarantine_holds_for_its_time_and_no_longer() -> None:
    clock = Clock()
    quarantine = Quarantine(clock)
    for _ in range(STRIKES - 1):
        quarantine.strike(b"script")
    assert not quarantine.holds(b"script")
    quarantine.strike(b"script")
    assert quarantine.holds(b"script")
    assert not quarantine.holds(b"another")
    clock.at = SENTENCE + 1
    assert not quarantine.holds(b"script")


def test_rare_hangs_are_forgiven() -> None:
    clock = Clock()
    quarantine = Quarantine(clock)
    for _ in range(STRIKES * 3):
        quarantine.strike(b"script")
        clock.at += WINDOW
        assert not quarantine.holds(b"script")
