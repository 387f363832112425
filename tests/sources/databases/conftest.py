from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from tests.sources.databases import servers
from tests.sources.databases.servers import LIMIT_SECONDS, PASSWORD

from llm_audit.sources.databases import session


@pytest.fixture(autouse=True)
def _quick_and_alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Wait for no lost connection, and use no cache and no password file of the user's."""
    monkeypatch.setattr(session, "_FIRST_WAIT_SECONDS", 0.01)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("HOME", str(tmp_path))


@pytest.fixture(scope="session")
def postgres_port() -> Iterator[int]:
    """A PostgreSQL server whose superuser is ``postgres``."""
    pytest.importorskip("psycopg", reason="psycopg is not installed")
    with servers.postgres() as port:
        yield port


class Postgres:
    """A new database, and its address for a user who may read."""

    def __init__(self, port: int, database: str) -> None:
        import psycopg

        self.port, self.database = port, database
        self.login = {"host": "127.0.0.1", "port": port, "user": "postgres", "password": PASSWORD}
        self.login |= {"connect_timeout": LIMIT_SECONDS}
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


@pytest.fixture(scope="session")
def mariadb_port() -> Iterator[int]:
    """A MariaDB server with a user ``auditor`` who may do anything."""
    pytest.importorskip("pymysql", reason="PyMySQL is not installed")
    with servers.mariadb() as port:
        yield port


class MariaDB:
    """A new database, and its address."""

    def __init__(self, port: int, database: str) -> None:
        import pymysql

        self.port, self.database = port, database
        self.admin = pymysql.connect(
            host="127.0.0.1",
            port=port,
            user="auditor",
            password=PASSWORD,
            autocommit=True,
            read_timeout=LIMIT_SECONDS,
        )
        self.execute(f"DROP DATABASE IF EXISTS {database}")
        self.execute(f"CREATE DATABASE {database}")
        self.admin.select_db(database)

    def uri(self, *, port: int | None = None, password: str | None = PASSWORD, user: str = "auditor") -> str:
        secret = "" if password is None else f":{quote(password, safe='')}"
        return f"mysql://{user}{secret}@127.0.0.1:{port or self.port}/{self.database}"

    def execute(self, sql: str) -> None:
        with self.admin.cursor() as cursor:
            cursor.execute(sql)

    def many(self, sql: str, rows: list[tuple[Any, ...]]) -> None:
        with self.admin.cursor() as cursor:
            cursor.executemany(sql, rows)


@pytest.fixture
def mariadb(mariadb_port: int) -> Iterator[MariaDB]:
    made = MariaDB(mariadb_port, "audited")
    yield made
    made.admin.close()
