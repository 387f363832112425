from __future__ import annotations

from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_audit.errors import UsageError
from llm_audit.sources.databases.address import is_database, parse, shown


@pytest.mark.parametrize(
    ("uri", "name"),
    [
        ("postgresql://ada:p%40ss@db.example:5433/llm?sslmode=require#LiteLLM_SpendLogs", "postgresql://ada@db.example:5433/llm"),
        ("postgres://db/llm", "postgres://db/llm"),
        ("postgresql:///llm?host=/var/run/postgresql", "postgresql:///llm"),
        ("mysql://ada:@[::1]:3307/one-api", "mysql://ada@[::1]:3307/one-api"),
        ("clickhouses://ada:x@db", "clickhouses://ada@db/"),
        ("duckdb:///data/my%20logs.duckdb#calls", "duckdb:///data/my%20logs.duckdb"),
        ("sqlite://webui.db", "sqlite://webui.db"),
    ],
)  # fmt: skip
def test_a_uri_is_shown_without_what_is_secret(uri: str, name: str) -> None:
    assert is_database(uri)
    assert parse(uri).name == name


def test_a_uri_is_taken_apart() -> None:
    address = parse("postgresql://a%40b:p%3Ass:w@db:5433/llm%20logs?sslmode=require&x=#public.calls")
    assert (address.user, address.password, address.host, address.port) == ("a@b", "p:ss:w", "db", 5433)
    assert (address.database, address.table) == ("llm logs", "public.calls")
    assert address.options == (("sslmode", "require"), ("x", ""))
    assert "p:ss" not in repr(address)
    assert parse("mysql://[::1]:3307/x").host == "[::1]"


@pytest.mark.parametrize("path", ["logs.jsonl", "s3://bucket/key", "-", "oracle://db/x", "logs/postgresql:"])
def test_other_paths_are_no_databases(path: str) -> None:
    assert not is_database(path)
    assert shown(path) == path


def test_what_cannot_be_read_is_refused_without_showing_it() -> None:
    with pytest.raises(UsageError, match="not a number") as caught:
        parse("postgresql://ada:geheim@db:54x32/llm")
    assert "geheim" not in str(caught.value)
    assert shown("postgresql://ada:geheim@db:54x32/llm") == "postgresql://…"


@given(st.text(min_size=4), st.text())
def test_no_message_has_the_password(password: str, around: str) -> None:
    address = parse(f"postgresql://ada:{quote(password, safe='')}@db/x")
    message = address.without_secrets(f"{around} {password} {quote(password)} {quote(password, safe='')}")
    assert password not in message.replace("***", "")
    assert (
        password not in shown(f"postgresql://ada:{quote(password, safe='')}@db/x")
        or password in "postgresql://ada@db/x"
    )
