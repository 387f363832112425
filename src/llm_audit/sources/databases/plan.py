"""From a database's address to the tables to read: known schemas, a table that the user names, or the user's query."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from typing import Any

from llm_audit.errors import UsageError
from llm_audit.sources.databases import ranges
from llm_audit.sources.databases.address import Address
from llm_audit.sources.databases.driver import Described, Driver
from llm_audit.sources.databases.failures import DatabaseError
from llm_audit.sources.databases.schema import Field, Period, Related, Schema
from llm_audit.sources.databases.schemas import SCHEMAS
from llm_audit.sources.databases.selection import EVERYTHING, Selection
from llm_audit.sources.databases.session import Session
from llm_audit.sources.databases.statements import Condition, Statement
from llm_audit.sources.databases.table import Lookup, Table

_USUAL_SCHEMAS = frozenset({"public", "main", "dbo"})
_NAMED_IN_ERRORS = 12


def tables(address: Address, selection: Selection = EVERYTHING) -> tuple[list[Table], list[str]]:
    """Return the tables to read, and a note for each that is passed over.

    Raises:
        DatabaseError: The database cannot be read, or holds no table to read.
        UsageError: Its client library is not installed.
    """
    with Session(address) as session:
        session.connect()
        if selection.query is not None:
            return [_of_query(address, selection.query)], []
        described = session.ask(session.driver.tables)
        if address.table:
            return [_named(address, described, selection, session)], []
        return _known(address, described, selection, session)


def _known(
    address: Address, described: Sequence[Described], selection: Selection, session: Session
) -> tuple[list[Table], list[str]]:
    found, notes, unlike = [], [], []
    held: set[str] = set()
    for schema in SCHEMAS:
        for table in described:
            if table.name != schema.table or address.driver not in schema.drivers:
                continue
            if missing := _missing(schema, table, described):
                unlike.append(f"{_name(table, address)} has no {missing}, as tables of {schema.name} have")
            elif held.intersection(schema.instead):
                notes.append(
                    f"{address.name}#{_name(table, address)} was not read: it sums up what another table holds"
                )
            else:
                made = _of_schema(schema, table, described, address=address, selection=selection, session=session)
                found.append(made)
                if made.rows:
                    held.add(schema.table)
    if not found:
        raise DatabaseError(_nothing_known(address, described, unlike))
    return found, [*notes, *(f"{address.name}: {text}; it was not read" for text in unlike)]


def _missing(schema: Schema, table: Described, described: Sequence[Described]) -> str:
    """Return the columns and tables that a schema needs and that are not there."""
    columns = [f"column {name}" for name in schema.required if name not in table.names]
    for other in schema.related:
        beside = _beside(table, other, described)
        if other.required and beside is None:
            columns.append(f"table {other.table} beside it")
        elif beside is not None and other.to_column not in beside.names:
            columns.append(f"column {other.table}.{other.to_column}")
    return " and no ".join(columns)


def _nothing_known(address: Address, described: Sequence[Described], unlike: Sequence[str]) -> str:
    if unlike:
        return (
            f"{address.name} cannot be read: {'; '.join(unlike)}. It may be of a version that is not known: write a "
            "--query that gives the columns their names, or describe its result with a [mapping]."
        )
    names = [_name(table, address) for table in described]
    listed = ", ".join(names[:_NAMED_IN_ERRORS]) + (", …" if len(names) > _NAMED_IN_ERRORS else "")
    there = f"it has {listed}" if names else "it has no table that this user may see"
    return (
        f"{address.name} has no table of a known schema; {there}. Name a table after #, as in {address.name}#table, or "
        "give a --query, each with a [mapping] where its columns have names of their own."
    )


def _named(address: Address, described: Sequence[Described], selection: Selection, session: Session) -> Table:
    wanted = address.table
    names = {_name(table, address): table for table in described} | {
        f"{table.schema}.{table.name}": table for table in described
    }
    table = names.get(wanted)
    if table is None:
        close = get_close_matches(wanted, names, n=1)
        hint = f' Did you mean "{close[0]}"?' if close else ""
        raise DatabaseError(f"{address.name} has no table {wanted} that this user may see.{hint}")
    schema = next((known for known in SCHEMAS if known.table == table.name and address.driver in known.drivers), None)
    if schema is not None and not _missing(schema, table, described):
        return _of_schema(schema, table, described, address=address, selection=selection, session=session)
    return _of_any(table, address, session)


def _of_query(address: Address, query: str) -> Table:
    text = query.strip().rstrip(";")
    if not text:
        raise UsageError("--query is empty. Give a SELECT.")
    return Table(address=address, name="query", query=f"SELECT * FROM ({text}) AS query")  # noqa: S608


def _of_any(table: Described, address: Address, session: Session) -> Table:
    """Return a table of any columns, in the order of its primary key; without one it is read in one go."""
    driver = session.driver
    columns = tuple((column.name, driver.quote(column.name)) for column in table.columns)
    key = tuple(column.name for column in table.columns if column.in_key)
    source = _quoted(driver, table)
    statement = Statement(columns=columns, source=source, key=key)
    session.table = name = _name(table, address)
    rows = session.count(*statement.rows(driver))
    if not key or not driver.unique_key:
        return Table(address=address, name=name, query=f"SELECT * FROM {source}", rows=rows)  # noqa: S608
    first = statement.expression(key[0])
    division = ranges.Division(first)
    least, greatest = session.page(*statement.bounds(driver, key[0])).rows[0]
    numbers = division.number(least) is not None and division.number(greatest) is not None
    if not numbers or session.page(*statement.one("count(*)", driver, [Condition(f"{first} IS NULL")])).rows[0][0]:
        return Table(address=address, name=name, statement=statement, rows=rows)
    parts = _cut(division, least, greatest, rows, driver)
    return Table(address=address, name=name, statement=statement, division=division, ranges=parts, rows=rows)


def _cut(
    division: ranges.Division | None, least: Any, greatest: Any, rows: int, driver: Driver
) -> tuple[ranges.Range, ...]:
    if division is None:
        return (ranges.WHOLE,)
    return ranges.cut(division, least=least, greatest=greatest, rows=1 if driver.one_process else rows)


def _of_schema(
    schema: Schema,
    table: Described,
    described: Sequence[Described],
    *,
    address: Address,
    selection: Selection,
    session: Session,
) -> Table:
    driver = session.driver
    columns = tuple(_columns(schema.fields, table.names, driver))
    conditions = [Condition(schema.condition)] if schema.condition else []
    if schema.condition_beside is not None:
        other, condition = schema.condition_beside
        conditions += [Condition(condition) for one in described if (one.schema, one.name) == (table.schema, other)]
    if schema.period is not None:
        begins, ends = (driver.quote(name) for name in (schema.period.begins, schema.period.ends))
        quoted = Period(begins, ends, schema.period.unit)
        conditions += ranges.within(quoted, selection.since, selection.until, driver)
    statement = Statement(
        columns=columns,
        source=_quoted(driver, table, final=schema.final),
        conditions=tuple(conditions),
        key=schema.key,
        wide=frozenset(field.name for field in schema.fields if field.wide and field.name in dict(columns)),
    )
    sql, parameters = statement.rows(driver)
    session.table = name = _name(table, address)
    divided = schema.divided_by
    least, greatest = (None, None) if divided is None else session.page(*statement.bounds(driver, divided)).rows[0]
    rows = session.count(sql, parameters)
    division = None if divided is None else ranges.Division(statement.expression(divided), schema.divided_unit)
    return Table(
        address=address,
        name=name,
        statement=statement,
        schema=schema,
        division=division,
        ranges=_cut(division, least, greatest, rows, driver),
        lookups=tuple(_lookups(schema.related, table, described, driver, final=schema.final)),
        rows=0 if divided is not None and least is None else max(1, rows),
    )


def _lookups(
    related: Sequence[Related], table: Described, described: Sequence[Described], driver: Driver, *, final: bool
) -> Iterator[Lookup]:
    for other in related:
        beside = _beside(table, other, described)
        if beside is not None:
            columns = tuple(_columns(other.fields, beside.names, driver))
            source = _quoted(driver, beside, final=final)
            statement = Statement(columns=columns, source=source, key=(other.order or other.to_column,))
            yield Lookup(other.table, other.from_field, other.to_column, statement)


def _beside(table: Described, other: Related, described: Sequence[Described]) -> Described | None:
    return next((one for one in described if (one.schema, one.name) == (table.schema, other.table)), None)


def _columns(fields: Sequence[Field], there: frozenset[str], driver: Driver) -> Iterator[tuple[str, str]]:
    """Yield the columns that are there; a version of the schema may lack those that are not required."""
    for field in fields:
        if field.expression:
            yield field.name, field.expression
        elif field.name in there:
            yield field.name, driver.quote(field.name)


def _quoted(driver: Driver, table: Described, *, final: bool = False) -> str:
    return f"{driver.quote(table.schema)}.{driver.quote(table.name)}{' FINAL' if final else ''}"


def _name(table: Described, address: Address) -> str:
    usual = table.schema in _USUAL_SCHEMAS or table.schema == address.database
    return table.name if usual else f"{table.schema}.{table.name}"
