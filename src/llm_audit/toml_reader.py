"""Read TOML files with checked access: a mistake is reported with its file, its line and the remedy."""

from __future__ import annotations

import math
import re
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, Never, TypeVar

import msgspec

from llm_audit.errors import UsageError
from llm_audit.suggestions import did_you_mean

Option = TypeVar("Option", bound=StrEnum)

_HEADER = re.compile(r"\s*\[{1,2}[^\]]*\]{1,2}\s*(?:#.*)?$")


class TomlTable(msgspec.Struct, kw_only=True, frozen=True):
    """A table of a TOML file, or the whole document.

    Attributes:
        values: Its keys and values as ``tomllib`` reads them.
        file: The file's name in messages.
        lines: The file's lines.
        name: The table's header, such as ``assumptions.output_ratio``; empty for the document.
        line: The number of the line it starts on.
    """

    values: Mapping[str, Any]
    file: str
    lines: tuple[str, ...]
    name: str = ""
    line: int = 1

    def __contains__(self, key: str) -> bool:
        return key in self.values

    def fail(self, key: str | None, message: str) -> Never:
        """Raise a ``UsageError`` at the line that sets ``key``, or at the table's first line."""
        raise UsageError(f"{self.file}:{self.line if key is None else self.line_of(key)}: {message}")

    def line_of(self, key: str) -> int:
        """Return the number of the line that sets a key; the table's first line where none does."""
        if isinstance(self.values.get(key), dict | list) and (headers := self._headers(key)):
            return headers[0]
        section = list(self._section())
        key_pattern = rf"""\s*["']?{re.escape(key)}["']?\s*[=.]"""
        own_line, inline = re.compile(rf"^{key_pattern}"), re.compile(rf"[{{,]{key_pattern}")
        headed = not self.name or _HEADER.match(section[0][1])
        for pattern in (own_line, inline) if headed else (inline, own_line):
            for number, text in section:
                if pattern.search(text):
                    return number
        return self.line

    def _section(self) -> Iterator[tuple[int, str]]:
        """Yield the table's lines with their numbers, up to the next header; for the document, all lines."""
        for number, text in enumerate(self.lines[self.line - 1 :], self.line):
            if number > self.line and self.name and _HEADER.match(text):
                return
            yield number, text

    def check_keys(self, known: Iterable[str]) -> None:
        """Fail at the first key that is not a known one."""
        known = tuple(known)
        for key in self.values:
            if key not in known:
                place = f" in [{self.name}]" if self.name else ""
                hint = f"{did_you_mean(key, known)} Known keys: {', '.join(known)}."
                self.fail(key, f"unknown key {key!r}{place}.{hint}")

    def text(self, key: str, default: str = "") -> str:
        """Return a text, or the default where it is not given."""
        value = self.values.get(key, default)
        if not isinstance(value, str):
            self.fail(key, f'{key} must be text in quotes, such as {key} = "…".')
        return value

    def flag(self, key: str, *, default: bool = False) -> bool:
        """Return a truth value, or the default where it is not given."""
        value = self.values.get(key, default)
        if not isinstance(value, bool):
            self.fail(key, f"{key} must be true or false.")
        return value

    def number(self, key: str, low: float, high: float) -> float | None:
        """Return a number within bounds; None where it is not given."""
        return self.required_number(key, low, high) if key in self.values else None

    def required_number(self, key: str, low: float, high: float) -> float:
        """Return a number within bounds; fail where it is not given."""
        return float(self._number(key, low, high))

    def decimal(self, key: str, low: float, high: float) -> Decimal:
        """Return an exact number within bounds; fail where it is not given."""
        return Decimal(self._number(key, low, high))

    def whole_number(self, key: str) -> int | None:
        """Return a whole number of at least 0; None where it is not given."""
        value = self.values.get(key)
        if value is not None and (not isinstance(value, int) or isinstance(value, bool) or value < 0):
            self.fail(key, f"{key} must be a whole number, 0 or more.")
        return value

    def option(self, key: str, options: type[Option], default: Option) -> Option:
        """Return a member of an enumeration, or the default where it is not given."""
        value = self.text(key, default.value)
        names = [member.value for member in options]
        if value not in names:
            self.fail(key, f"{key} = {value!r} is unknown.{did_you_mean(value, names)} Choose from {', '.join(names)}.")
        return options(value)

    def options(self, key: str, known: Iterable[str]) -> list[str]:
        """Return a list of at least one of the known words, or all of them where it is not given."""
        known = list(known)
        value = self.values.get(key, known)
        if not isinstance(value, list) or not value or any(word not in known for word in value):
            self.fail(key, f"{key} must be a list of some of {', '.join(known)}.")
        return value

    def day(self, key: str) -> date | None:
        """Return a date; None where it is not given."""
        value = self.values.get(key)
        if value is not None and (not isinstance(value, date) or isinstance(value, datetime)):
            self.fail(key, f"{key} must be a date without quotes, such as {key} = 2026-01-31.")
        return value

    def table(self, key: str) -> TomlTable:
        """Return a table below this one, empty where it is not given."""
        value = self.values.get(key, {})
        if not isinstance(value, dict):
            self.fail(key, f"{key} must be a table, headed [{self._header(key)}].")
        return self._below(key, value, self.line_of(key))

    def tables(self, key: str) -> list[TomlTable]:
        """Return the tables of an array of tables, none where it is not given."""
        values = self.values.get(key, [])
        if not isinstance(values, list) or not all(isinstance(value, dict) for value in values):
            self.fail(key, f"write each {key} as a table of its own, headed [[{self._header(key)}]].")
        lines = [*self._headers(key), *[self.line_of(key)] * len(values)]  # an inline array has no headers
        return [self._below(key, value, line) for value, line in zip(values, lines, strict=False)]

    def _number(self, key: str, low: float, high: float) -> int | float | Decimal:
        expected = f"a number from {low:.12g} to {high:.12g}"
        if key not in self.values:
            self.fail(None, f"{key} is missing; give {expected}.")
        value = self.values[key]
        number = isinstance(value, int | float | Decimal) and not isinstance(value, bool)
        if not number or not (isinstance(value, int) or math.isfinite(value)):
            self.fail(key, f"{key} must be {expected}, without quotes.")
        found: int | float | Decimal = value
        if not low <= found <= high:
            self.fail(key, f"{key} {out_of_range(found, low, high)}")
        return found

    def _header(self, key: str) -> str:
        return f"{self.name}.{key}" if self.name else key

    def _headers(self, key: str) -> list[int]:
        """Return the numbers of the lines ``[name.key]`` or ``[[name.key]]``."""
        parts = (re.escape(part) for part in (*filter(None, self.name.split(".")), key))
        pattern = re.compile(r"\s*\[{1,2}\s*" + r"\s*\.\s*".join(rf"""["']?{part}["']?""" for part in parts) + r"\s*\]")
        return [number for number, text in enumerate(self.lines, 1) if pattern.match(text)]

    def _below(self, key: str, values: Mapping[str, Any], line: int) -> TomlTable:
        return TomlTable(values=values, file=self.file, lines=self.lines, name=self._header(key), line=line)


def out_of_range(value: float | Decimal, low: float, high: float) -> str:
    """Return the end of a message about a number that lies outside its bounds."""
    return f"is {value}, which is out of range; give a number from {low:.12g} to {high:.12g}."


def parse_toml(content: str | bytes, *, file: str, parse_float: Callable[[str], float | Decimal] = float) -> TomlTable:
    """Parse a TOML document; ``file`` is its name in messages.

    Raises:
        UsageError: The content is not valid TOML in UTF-8.
    """
    try:
        text = content if isinstance(content, str) else content.decode("utf-8")
        values = tomllib.loads(text, parse_float=parse_float)
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UsageError(f"{file} is not valid TOML: {error}. Correct it there.") from None
    return TomlTable(values=values, file=file, lines=tuple(text.splitlines()) or ("",))
