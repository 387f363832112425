"""Addresses of databases: URIs taken apart, with the password kept out of everything that is shown."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, quote, unquote

from llm_audit.errors import UsageError

DRIVERS = {
    "postgresql": "postgresql",
    "postgres": "postgresql",
    "mysql": "mysql",
    "mariadb": "mysql",
    "clickhouse": "clickhouse",
    "clickhouses": "clickhouse",
    "duckdb": "duckdb",
    "sqlite": "sqlite",
}
"""The scheme of a URI, and the module in ``drivers`` that reads it."""

_URI = re.compile(
    r"(?P<scheme>[a-z0-9]+)://(?P<server>[^/?#]*)(?P<path>/[^?#]*)?(?:\?(?P<options>[^#]*))?(?:#(?P<table>.*))?"
)
_FILES = frozenset({"duckdb", "sqlite"})
_SECRET = re.compile(r"pass|secret|token|key", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Address:
    """The address of a database, or of one table in it."""

    scheme: str
    host: str
    port: int | None
    user: str | None
    database: str  # its name; of DuckDB and SQLite, the file's path
    table: str  # named after "#"; empty for every known one
    options: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    password: str | None = field(default=None, repr=False)

    @property
    def driver(self) -> str:
        """The module that reads it."""
        return DRIVERS[self.scheme]

    @property
    def name(self) -> str:
        """The URI as reports show it: without table, options and password."""
        if self.driver in _FILES:
            return f"{self.scheme}://{quote(self.database, safe='/')}"
        user = f"{quote(self.user)}@" if self.user else ""
        port = f":{self.port}" if self.port else ""
        return f"{self.scheme}://{user}{self.host}{port}/{quote(self.database)}"

    def without_secrets(self, message: str) -> str:
        """Return a driver's message without the password and the secrets among the options, however written."""
        secrets = [self.password, *(value for name, value in self.options if _SECRET.search(name))]
        for secret in filter(None, secrets):
            for written in {secret, quote(secret), quote(secret, safe="")}:
                message = message.replace(written, "***")
        return message


def is_database(path: str) -> bool:
    """Return whether a path is the URI of a database."""
    scheme, separator, _ = path.partition("://")
    return bool(separator) and scheme in DRIVERS


def parse(uri: str) -> Address:
    """Take a URI apart.

    Raises:
        UsageError: It is not the URI of a database, or its port is no number. The message does not show it.
    """
    found = _URI.fullmatch(uri)
    if found is None or found["scheme"] not in DRIVERS:
        raise UsageError("A database's URI cannot be read. Write it as postgresql://user@host:5432/database#table.")
    scheme, server, path, table = found["scheme"], found["server"], found["path"] or "", unquote(found["table"] or "")
    options = tuple(parse_qsl(found["options"] or "", keep_blank_values=True))
    if DRIVERS[scheme] in _FILES:
        return Address(scheme, "", None, None, unquote(server + path), table, options)
    login, _, place = server.rpartition("@")
    user, separator, password = login.partition(":")
    host, colon, port = place.rpartition(":") if not place.endswith("]") else (place, "", "")
    if not colon:
        host, port = place, ""
    if port and not port.isdecimal():
        raise UsageError(f"The port of {scheme}://…@{host} is not a number. Write host:5432, and %3A for a colon.")
    return Address(
        scheme,
        unquote(host),
        int(port) if port else None,
        unquote(user) or None,
        unquote(path.removeprefix("/")),
        table,
        options,
        unquote(password) if separator else None,
    )


def shown(path: str) -> str:
    """Return a path as it may be shown: the URI of a database without password and options."""
    if not is_database(path):
        return path
    try:
        address = parse(path)
    except UsageError:
        return f"{path.partition('://')[0]}://…"
    return f"{address.name}#{address.table}" if address.table else address.name
