"""Checked access to the keys of a policy file: what is wrong is named with its line and the fix."""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Never, TypeVar

from llm_audit.errors import UsageError
from llm_audit.policy.file.model import Gate

Kind = TypeVar("Kind", bound=StrEnum)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """Checked access to a policy's keys."""

    data: dict[str, Any]
    text: str
    where: str

    def fail(self, key: str, message: str) -> Never:
        """Raise, naming the first line that sets ``key``."""
        pattern = re.compile(rf"""^\s*(?:\[[^\]]*\b)?["']?{re.escape(key)}["']?\s*(?:=|\])""")
        for number, line in enumerate(self.text.splitlines(), start=1):
            if pattern.match(line) or (key in line and "=" in line and key in line.split("=")[0]):
                raise UsageError(f"{self.where}, line {number}: {message}")
        raise UsageError(f"{self.where}: {message}")

    def known(self, table: Mapping[str, Any], keys: Iterable[str]) -> None:
        """Fail at a key that is none of ``keys``."""
        keys = tuple(keys)
        for key in table:
            if key not in keys:
                self.fail(key, f"unknown key {key!r}.{near(key, keys)} Known are {', '.join(keys)}.")

    def string(self, table: Mapping[str, Any], key: str, default: str) -> str:
        """Return a text."""
        value = table.get(key, default)
        if not isinstance(value, str):
            self.fail(key, f'{key} must be text in quotes, as {key} = "…".')
        return value

    def flag(self, table: Mapping[str, Any], key: str) -> bool:
        """Return a truth value, false where not given."""
        value = table.get(key, False)
        if not isinstance(value, bool):
            self.fail(key, f"{key} must be true or false.")
        return value

    def number(self, table: Mapping[str, Any], key: str, low: float, high: float) -> float | None:
        """Return a number within bounds, None where not given."""
        return self.required(table, key, low, high) if key in table else None

    def required(self, table: Mapping[str, Any], key: str, low: float, high: float) -> float:
        """Return a number within bounds."""
        value = table.get(key)
        if key not in table:
            self.fail(key, f"{key} is missing; give a number from {low:g} to {high:g}.")
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            self.fail(key, f"{key} must be a number from {low:g} to {high:g}.")
        if not low <= value <= high:
            self.fail(key, f"{key} = {value:g} is out of range; give a number from {low:g} to {high:g}.")
        return float(value)

    def choice(self, table: Mapping[str, Any], key: str, kind: type[Kind], default: Kind) -> Kind:
        """One of the words of ``kind``."""
        value = self.string(table, key, default.value)
        values = [member.value for member in kind]
        if value not in values:
            self.fail(key, f"{key} = {value!r} is not known.{near(value, values)} Choose from {', '.join(values)}.")
        return kind(value)

    def table(self, table: Mapping[str, Any], key: str) -> dict[str, Any]:
        """Return a table, empty where not given."""
        value = table.get(key, {})
        if not isinstance(value, dict):
            self.fail(key, f"{key} must be a table, as [{key}].")
        return value

    def ladders(self) -> dict[str, tuple[str, ...]]:
        """Return the ladders by name, each naming a model once."""
        ladders: dict[str, tuple[str, ...]] = {}
        for name, models in self.table(self.data, "ladders").items():
            if not isinstance(models, list) or not models or not all(isinstance(model, str) for model in models):
                self.fail(name, f'ladders.{name} must list model names, cheapest first, as ["small", "large"].')
            if len(set(models)) != len(models):
                self.fail(name, f"ladders.{name} names a model twice.")
            ladders[name] = tuple(models)
        return ladders

    def gates(self) -> frozenset[Gate]:
        """Return the gates that are not switched off."""
        given = self.table(self.data, "gates")
        values = [gate.value for gate in Gate]
        self.known(given, values)
        return frozenset(gate for gate in Gate if gate.value not in given or self.flag(given, gate.value))


def near(word: str, words: Iterable[str]) -> str:
    """Return a suggestion of the word that was meant, or nothing."""
    near = difflib.get_close_matches(word, list(words), n=1)
    return f" Did you mean {near[0]!r}?" if near else ""
