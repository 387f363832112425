from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from tests.sources.databases import servers
from tests.sources.databases.servers import PASSWORD


@pytest.fixture(scope="session")
def postgres_port() -> Iterator[int]:
    """A PostgreSQL server whose superuser is ``postgres``."""
    pytest.importorskip("psycopg", reason="psycopg is not installed")
    initdb = servers.program("initdb", "usr/lib/postgresql/*/bin")
    server = servers.program("postgres", "usr/lib/postgresql/*/bin")
    user, port = servers.other_user("postgres"), servers.free_port()
    with servers.folder(user) as place:
        secret = place / "secret"
        secret.write_text(PASSWORD)
        secret.chmod(0o644)
        data = str(place / "data")
        servers.subprocess.run(
            [initdb, "-D", data, "-U", "postgres", "-E", "UTF8", "--locale=C", "--no-sync", "--auth=scram-sha-256",
             f"--pwfile={secret}"],
            user=user, check=True, capture_output=True, cwd=place,
        )  # fmt: skip
        command = [server, "-D", data, "-p", str(port), "-c", "listen_addresses=127.0.0.1", "-c", "fsync=off"]
        with servers.running([*command, "-c", "unix_socket_directories="], port, user, place / "log"):
            yield port


class Postgres:
    """A new database, and its address for a user who may read."""

    def __init__(self, port: int, database: str) -> None:
        import psycopg

        self.port, self.database = port, database
        self.login = {"host": "127.0.0.1", "port": port, "user": "postgres", "password": PASSWORD}
        with psycopg.connect(**self.login, dbname="postgres", autocommit=True) as admin:
            admin.execute(f'DROP DATABASE IF EXISTS "{database}"')
            admin.execute(f'CREATE DATABASE "{database}"')
        self.admin = psycopg.connect(**self.login, dbname=database, autocommit=True)

    def uri(self, *, port: int | None = None, password: str | None = PASSWORD, user: str = "postgres") -> str:
        secret = "" if password is None else f":{quote(password, safe='')}"
        return f"postgresql://{user}{secret}@127.0.0.1:{port or self.port}/{self.database}"

    def execute(self, sql: str, *parameters: Any) -> None:
        self.admin.execute(sql, parameters or None)

    def many(self, sql: str, rows: list[tuple[Any, ...]]) -> None:
        with self.admin.cursor() as cursor:
            cursor.executemany(sql, rows)


@pytest.fixture
def postgres(postgres_port: int) -> Iterator[Postgres]:
    made = Postgres(postgres_port, "audited")
    yield made
    made.admin.close()
