"""Errors of databases as messages: what happened, where, and what to do about it. No message has a password."""

from __future__ import annotations

from llm_audit.errors import UsageError
from llm_audit.sources.databases.address import Address
from llm_audit.sources.databases.driver import Driver, Failure


class DatabaseError(UsageError):
    """A database that cannot be read."""


def explained(error: Exception, driver: Driver, address: Address, *, table: str = "") -> DatabaseError:
    """Return the error to show for one of a client library."""
    place = f"{address.name}#{table}" if table else address.name
    what = _line(driver.message(error), address)
    match driver.failure(error):
        case Failure.LOGIN:
            look = f", and the password in {driver.password_from}" if driver.password_from else ""
            text = f"{address.name} refused the login: {what}. Check the user{look}."
        case Failure.UNREACHABLE:
            text = f"Cannot connect to {address.name}: {what}. Check the host and the port, and that it can be reached."
        case Failure.DENIED:
            grant = driver.grant.format(table=driver.quote(table) if table else "…", user=address.user or "…")
            text = f"{place} may not be read: {what}. Have its owner run: {grant}."
        case Failure.MISSING:
            text = f"{place} cannot be read: {what}. Check the names of the database and the table in the URI."
        case Failure.LOST:
            text = f"The connection to {place} was lost: {what}. Run again when the server is there."
        case Failure.TOO_LARGE:
            text = f"{place} has a row that is too large to be sent: {what}. Leave it out with --query."
        case _:
            text = f"{place} cannot be read: {what}. Check it with the database's own client."
    return DatabaseError(text)


def _line(message: str, address: Address) -> str:
    """Return the first line of a message, which is about the error and not about the data."""
    lines = [line.strip() for line in message.splitlines() if line.strip()]
    found = lines[0] if lines else "it gave no reason"
    return address.without_secrets(found).rstrip(".")
