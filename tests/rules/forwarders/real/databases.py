"""Real databases: PostgreSQL, MariaDB, InfluxDB, ClickHouse; and an S3 server."""

import json
import os
import subprocess
import sys
from functools import cached_property
from importlib import metadata
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import boto3
import httpx
import psycopg
import pymysql

from iotpanel.local.ports import free_port
from tests.rules.forwarders.contract import Received

from .process import Process, libraries, listens, program, tree

PASSWORD = "right-password"
OPTIONS = ("--bootstrap", "--log-warnings=0", "--enforce-storage-engine=", "--max-allowed-packet=16M")
UNKNOWN_COLUMN = '{"device": "{{ device.key }}", "n": {{ values.n }}, "{{ device.key | replace("a", "n") }}": {{ values.n }}}'
"""Of device a column n, which is there; of device b a column b, which is not."""


class Postgresql:
    """The suite's own server, with a database and a role for this; an outage is a limit of no connections."""

    kind, secret, poison = "postgresql", "password", UNKNOWN_COLUMN

    def __init__(self, home: Path) -> None:
        self.url = urlsplit(os.environ["DATABASE_URL"])
        self.name = f"forwarded_{os.getpid()}"

    def start(self) -> None:
        self._admin("ALTER DATABASE {name} ALLOW_CONNECTIONS true" if self._exists() else "CREATE DATABASE {name}")
        with self._mine() as connection:
            connection.execute("CREATE TABLE IF NOT EXISTS readings (id bigserial PRIMARY KEY, device text, n double precision)")

    def stop(self) -> None:
        self._admin("ALTER DATABASE {name} ALLOW_CONNECTIONS false")
        self._admin("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")

    def maker(self) -> str:
        with self._mine() as connection:
            return f"PostgreSQL {connection.execute('SHOW server_version').fetchone()[0].split()[0]}"  # type: ignore[index]

    def _exists(self) -> bool:
        with psycopg.connect(self.url.geturl()) as connection:
            return bool(connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [self.name]).fetchone())

    def _admin(self, statement: str) -> None:
        with psycopg.connect(self.url.geturl(), autocommit=True) as connection:
            connection.execute(statement.format(name=self.name).encode())

    def _mine(self) -> psycopg.Connection[Any]:
        return psycopg.connect(self.url._replace(path=f"/{self.name}").geturl(), autocommit=True)

    def settings(self) -> dict[str, Any]:
        account = {"username": unquote(self.url.username or ""), "password": unquote(self.url.password or "")}
        return {"host": "127.0.0.1", "port": self.url.port, "database": self.name, "table": "readings"} | account

    def received(self) -> Received:
        with self._mine() as connection:
            return [(device, n) for device, n in connection.execute("SELECT device, n FROM readings ORDER BY id")]


class Mariadb:
    kind, secret, poison = "mysql", "password", UNKNOWN_COLUMN

    def __init__(self, home: Path) -> None:
        self.port = free_port()
        home.mkdir(parents=True)
        data = home / "data"
        data.mkdir()
        server = str(program("usr/sbin/mariadbd"))
        share = tree() / "usr/share/mysql"
        places: tuple[str, ...] = (
            "--no-defaults",
            f"--datadir={data}",
            f"--lc-messages-dir={share}",
            f"--character-sets-dir={share}/charsets",
            "--user=root",
        )
        places += (f"--plugin-dir={tree()}/usr/lib/mysql/plugin", f"--socket={home}/socket", f"--tmpdir={home}")
        lines = ["CREATE DATABASE mysql;", "USE mysql;"]
        for name in ("mysql_system_tables.sql", "mysql_performance_tables.sql", "mysql_system_tables_data.sql"):
            lines.append((share / name).read_text())
        lines.append("CREATE DATABASE plant;\nFLUSH PRIVILEGES;\n")
        for place in ("localhost", "127.0.0.1"):
            lines.append(f"CREATE USER us@'{place}' IDENTIFIED BY '{PASSWORD}';\nGRANT ALL ON plant.* TO us@'{place}';\n")
        lines.append("CREATE TABLE plant.readings (id bigint AUTO_INCREMENT PRIMARY KEY, device varchar(64), n double);\n")
        (home / "bootstrap.sql").write_text("\n".join(lines))
        with (home / "bootstrap.sql").open() as said, (home / "bootstrap.log").open("w") as log:
            make = [server, *places, *OPTIONS]
            subprocess.run(make, check=True, stdin=said, stdout=log, stderr=log, env=os.environ | libraries(), timeout=240)
        argv = (server, *places, "--bind-address=127.0.0.1", f"--port={self.port}", "--skip-log-bin", "--innodb-buffer-pool-size=32M")
        self.process = Process("mariadb", home, argv, listens(self.port), libraries())

    def start(self) -> None:
        self.process.start()

    def stop(self) -> None:
        self.process.stop()

    def settings(self) -> dict[str, Any]:
        return {"host": "127.0.0.1", "port": self.port, "database": "plant", "table": "readings", "username": "us", "password": PASSWORD}

    def maker(self) -> str:
        return f"MariaDB {self._asked('SELECT version()')[0][0].split('-')[0]}"

    def received(self) -> Received:
        return [(row[0], row[1]) for row in self._asked("SELECT device, n FROM readings ORDER BY id")]

    def _asked(self, query: str) -> Any:
        with pymysql.connect(host="127.0.0.1", port=self.port, user="us", password=PASSWORD, database="plant") as connection:
            with connection.cursor() as cursor:
                cursor.execute(query)
                return cursor.fetchall()


class Influxdb:
    kind, secret = "influxdb", "password"
    # A field that is a number cannot be a text as well: of device a another field is one, of device b this one.
    poison = (
        '{"device": "{{ device.key }}", "values": '
        '{"n": {{ values.n }}, "{{ device.key | replace("a", "m") | replace("b", "n") }}": "text"}}'
    )

    def __init__(self, home: Path) -> None:
        self.port = free_port()
        home.mkdir(parents=True)
        (home / "influxdb.conf").write_text(f"""
reporting-disabled = true
bind-address = "127.0.0.1:{free_port()}"
[meta]
dir = "{home}/meta"
[data]
dir = "{home}/data"
wal-dir = "{home}/wal"
[http]
bind-address = "127.0.0.1:{self.port}"
auth-enabled = true
""")
        argv = (str(program("usr/bin/influxd")), "run", "-config", str(home / "influxdb.conf"))
        self.process = Process("influxdb", home, argv, listens(self.port), libraries())

    def start(self) -> None:
        self.process.start()
        self._ask(f"CREATE USER us WITH PASSWORD '{PASSWORD}' WITH ALL PRIVILEGES")
        self._ask("CREATE DATABASE plant")

    def stop(self) -> None:
        self.process.stop()

    def maker(self) -> str:
        return f"InfluxDB {httpx.get(f'http://127.0.0.1:{self.port}/ping').headers['X-Influxdb-Version']}"

    def _ask(self, query: str) -> Any:
        url = f"http://127.0.0.1:{self.port}/query"
        return httpx.post(url, params={"q": query, "db": "plant"}, auth=("us", PASSWORD), timeout=30).json()

    def settings(self) -> dict[str, Any]:
        address = f"http://127.0.0.1:{self.port}"
        return {"url": address, "database": "plant", "measurement": "readings", "username": "us", "password": PASSWORD}

    def received(self) -> Received:
        result = self._ask("SELECT device, n FROM readings")["results"][0]
        return [(row[1], row[2]) for series in result.get("series", []) for row in series["values"]]


class Clickhouse:
    """The last that Debian packaged; later ones speak the same HTTP.

    Of its simple engines only one thread reads the blocks of several inserts in the order in which they were written.
    """

    kind, secret, poison = "clickhouse", "password", UNKNOWN_COLUMN

    def __init__(self, home: Path) -> None:
        self.port, self.home = free_port(), home
        home.mkdir(parents=True)
        (home / "config.xml").write_text(f"""<yandex>
<logger><level>warning</level><console>1</console></logger>
<http_port>{self.port}</http_port><tcp_port>{free_port()}</tcp_port><listen_host>127.0.0.1</listen_host>
<path>{home}/data/</path><tmp_path>{home}/tmp/</tmp_path><mark_cache_size>5368709</mark_cache_size>
<users_config>{home}/users.xml</users_config><default_profile>default</default_profile><default_database>default</default_database>
</yandex>""")
        (home / "users.xml").write_text(f"""<yandex><profiles><default></default></profiles><quotas><default></default></quotas><users>
<us><password>{PASSWORD}</password><networks><ip>::/0</ip></networks><profile>default</profile><quota>default</quota></us></users></yandex>""")
        argv = (str(program("usr/sbin/clickhouse-server")), f"--config-file={home}/config.xml")
        self.process = Process("clickhouse", home, argv, listens(self.port), libraries())

    def start(self) -> None:
        self.process.start()
        self._ask("CREATE TABLE IF NOT EXISTS readings (device String, n Float64, at DateTime DEFAULT now()) ENGINE = Log")

    def stop(self) -> None:
        self.process.stop()

    def maker(self) -> str:
        return f"ClickHouse {self._ask('SELECT version()').strip()}"

    def _ask(self, query: str) -> str:
        account = {"X-ClickHouse-User": "us", "X-ClickHouse-Key": PASSWORD}
        answer = httpx.post(f"http://127.0.0.1:{self.port}/", params={"max_threads": 1}, content=query, headers=account, timeout=30)
        assert answer.status_code == 200, answer.text
        return answer.text

    def settings(self) -> dict[str, Any]:
        return {"url": f"http://127.0.0.1:{self.port}", "table": "readings", "username": "us", "password": PASSWORD}

    def received(self) -> Received:
        rows = self._ask("SELECT device, n FROM readings FORMAT JSONEachRow").splitlines()
        return [(row["device"], row["n"]) for row in map(json.loads, rows)]


class S3:
    """moto's server; it checks no signature, which is why the signature has a test of its own against botocore's."""

    kind, secret = "s3", ""

    def __init__(self, home: Path) -> None:
        self.port = free_port()
        argv = (sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(self.port))
        self.process = Process("moto", home, argv, listens(self.port))
        self.kept: Received = []

    def start(self) -> None:
        self.process.start()
        self.client.create_bucket(Bucket="plant")

    def stop(self) -> None:
        """It keeps everything in memory only."""
        self.kept = self.received()
        self.process.stop()

    def maker(self) -> str:
        return f"moto {metadata.version('moto')}"

    @cached_property
    def client(self) -> Any:
        keys = {"aws_access_key_id": "us", "aws_secret_access_key": PASSWORD}
        return boto3.client("s3", endpoint_url=f"http://127.0.0.1:{self.port}", region_name="us-east-1", **keys)

    def settings(self) -> dict[str, Any]:
        return {"url": f"http://127.0.0.1:{self.port}", "bucket": "plant", "access_key": "us", "secret_key": PASSWORD}

    def received(self) -> Received:
        """Objects by the time when they were written, and their lines."""
        listed = self.client.get_paginator("list_objects_v2").paginate(Bucket="plant")
        objects = sorted(
            (each for page in listed for each in page.get("Contents", [])), key=lambda each: (each["LastModified"], each["Key"])
        )
        bodies = [self.client.get_object(Bucket="plant", Key=each["Key"])["Body"].read() for each in objects]
        return self.kept + [(row["device"], row["n"]) for body in bodies for row in map(json.loads, body.splitlines())]
