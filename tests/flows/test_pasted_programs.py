"""The programs of the Connect tab, pasted as they stand there: each stores its message."""

import html
import re
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from tests.arduino.boards import Board, compiled
from tests.flows.platform import Account, Platform
from tests.services import eventually

LUA = 'function decode(payload) return {n = string.unpack(">I2", payload)} end'
SAMPLES = [{"hex": "00ff", "expected": [{"values": {"n": 255}}]}]
CODECS: dict[str, dict[str, object]] = {"lua": {"kind": "lua", "script": LUA, "samples": SAMPLES}, "json": {"kind": "json"}}
TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')


@pytest.fixture(scope="module")
def person(platform: Platform) -> httpx.Client:
    """The administrator, signed in as in a browser."""
    client = platform.services.client(follow_redirects=True)
    found = TOKEN.search(client.get("/accounts/login/").text)
    assert found
    sent = {"login": "admin", "password": platform.services.password, "csrfmiddlewaretoken": found[1]}
    answer = client.post("/accounts/login/", data=sent, headers={"Referer": f"{platform.services.url}/accounts/login/"})
    assert answer.status_code == 200
    return client


def programs(person: httpx.Client, account: Account) -> dict[str, str]:
    """What the tab shows right after a rotation: the only moment at which it is complete."""
    headers = {"X-CSRFToken": person.cookies["csrftoken"], "Referer": str(person.base_url)}
    answer = person.post(f"/devices/{account.key}/connect/rotate/", headers=headers)
    answer.raise_for_status()
    found = re.findall(r'<pre[^>]* id="snippet-(\w+)"[^>]*>(.*?)</pre>', answer.text, re.DOTALL)
    return {kind: html.unescape(text) for kind, text in found}


def run(kind: str, program: str) -> None:
    command = [sys.executable, "-c", program] if kind == "python" else ["sh", "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("kind", ["mosquitto", "python", "curl"])
@pytest.mark.parametrize("codec", ["json", "lua"])
def test_a_pasted_program_stores_its_message(platform: Platform, person: httpx.Client, kind: str, codec: str) -> None:
    account = platform.device(platform.product(codec=CODECS[codec]))
    program = pasted(platform, person, account, kind)
    run(kind, program)
    assert eventually(lambda: platform.latest(account)) == {"n": 255 if codec == "lua" else 21.5}


@pytest.mark.parametrize("codec", ["json", "lua"])
def test_the_sketch_stores_its_message(platform: Platform, person: httpx.Client, tmp_path: Path, codec: str) -> None:
    account = platform.device(platform.product(codec=CODECS[codec]))
    sketch = tmp_path / "pasted.ino"
    sketch.write_text(pasted(platform, person, account, "arduino"))
    with Board(compiled(sketch, "esp32"), tmp_path / "flash") as board:
        assert eventually(lambda: platform.latest(account)) == {"n": 255 if codec == "lua" else 21.5}
    assert board.said("not") == 0


def pasted(platform: Platform, person: httpx.Client, account: Account, kind: str) -> str:
    """The program, as soon as it can be used."""
    program = programs(person, account)[kind]
    # New credentials work within two seconds; a person takes longer to paste.
    secret = re.search(r"[A-Za-z0-9]{32}", program)
    assert secret
    eventually(lambda: platform.may_sign_in(Account(account.key, secret[0])))
    return program
