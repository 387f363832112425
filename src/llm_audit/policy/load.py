"""Read a policy file or preset, and say by line what is wrong with one."""

from __future__ import annotations

import difflib
import math
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any, Never, TypeVar

from llm_audit.errors import UsageError
from llm_audit.policy.model import (
    DIFFICULTY_SD,
    RANGES,
    Assumptions,
    Cascade,
    Decision,
    Gate,
    Order,
    Policy,
    Range,
    Scope,
)

PRESETS: tuple[str, ...] = (
    "small-by-default",
    "cheapest-capable",
    "routellm",
    "bedrock-ipr",
    "always-small",
    "keep",
)

_KEYS = (
    "name",
    "description",
    "decision",
    "order",
    "scope",
    "target",
    "threshold",
    "strong_share",
    "quality_difference",
    "across_families",
    "allow_upgrade",
    "gates",
    "ladders",
    "assumptions",
    "cascade",
)
_CASCADE_KEYS = ("check_usd", "recall", "false_alarm")
_ENDS = ("favourable", "expected", "pessimistic")
_NEEDS: dict[Decision, tuple[str, ...]] = {
    Decision.P_SUFFICES: ("target",),
    Decision.STRONG_WINS: ("threshold", "strong_share"),
    Decision.QUALITY_DIFFERENCE: ("quality_difference",),
    Decision.ALWAYS: (),
    Decision.NEVER: (),
}
_Kind = TypeVar("_Kind", bound=StrEnum)


def load(name_or_path: str | Path) -> Policy:
    """Read a preset by its name, or a policy file by its path.

    Raises:
        UsageError: There is no such preset or file, or the file cannot be used; the message names line and fix.
    """
    name = str(name_or_path)
    if name in PRESETS:
        source = resources.files("llm_audit.policy") / "presets" / f"{name}.toml"
        return parse(source.read_text(encoding="utf-8"), where=f"preset {name}")
    path = Path(name_or_path)
    if not path.is_file():
        presets = f"Presets are {', '.join(PRESETS)}.{_near(name, PRESETS)}"
        raise UsageError(f"There is no policy {name!r}: neither a file nor a preset. {presets}")
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"The policy file {path} cannot be read as UTF-8 text: {error}.") from error
    return parse(text, where=str(path))


def parse(text: str, *, where: str) -> Policy:
    """Make a policy of TOML text; ``where`` is what messages call it.

    Raises:
        UsageError: The text is no policy; the message names line and fix.
    """
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{where} is not valid TOML: {error}.") from error
    reader = _Reader(data=data, text=text, where=where)
    reader.known(data, _KEYS)
    decision = reader.choice(data, "decision", Decision, Decision.P_SUFFICES)
    policy = Policy(
        name=reader.string(data, "name", Path(where).stem),
        description=reader.string(data, "description", ""),
        decision=decision,
        order=reader.choice(data, "order", Order, Order.LADDER),
        scope=reader.choice(data, "scope", Scope, Scope.REQUEST),
        target=reader.number(data, "target", 0, 1),
        threshold=reader.number(data, "threshold", 0, 1),
        strong_share=reader.number(data, "strong_share", 0, 1),
        quality_difference=reader.number(data, "quality_difference", 0, 1),
        ladders=reader.ladders(),
        across_families=reader.flag(data, "across_families"),
        gates=reader.gates(),
        allow_upgrade=reader.flag(data, "allow_upgrade"),
        assumptions=_assumptions(reader),
        cascade=_cascade(reader),
        toml=text,
    )
    _check_decision(reader, policy)
    return policy


def _check_decision(reader: _Reader, policy: Policy) -> None:
    needed = _NEEDS[policy.decision]
    given = [key for key in needed if getattr(policy, key) is not None]
    if needed and len(given) != 1:
        found = "both are given" if given else "none is given"
        reader.fail("decision", f'decision = "{policy.decision}" needs {" or ".join(needed)}, one of them; {found}.')
    pairs = policy.decision in {Decision.STRONG_WINS, Decision.QUALITY_DIFFERENCE}
    for name, models in policy.ladders.items():
        if pairs and len(models) != 2:
            reader.fail(name, f"ladders.{name} must name two models, the weaker first; it names {len(models)}.")
    if pairs and not policy.ladders:
        reader.fail("decision", f'decision = "{policy.decision}" needs [ladders] with a pair of models.')


def _assumptions(reader: _Reader) -> Assumptions:
    given = reader.table(reader.data, "assumptions")
    reader.known(given, (*RANGES, "output_ratios", "difficulty_sd"))
    defaults = _default_ranges()
    ranges = {name: _range(reader, given, name, defaults[name]) for name in RANGES}
    ratios = reader.table(given, "output_ratios")
    for pair in ratios:
        if pair.count(">") != 1:
            reader.fail(pair, f'output_ratios has the key {pair!r}; write it "used>route", as "gpt-4o>gpt-4o-mini".')
    spread = reader.number(given, "difficulty_sd", 0, 10)
    return Assumptions(
        output_ratio=ranges["output_ratio"],
        reasoning_ratio=ranges["reasoning_ratio"],
        added_reasoning=ranges["added_reasoning"],
        tokenizer_ratio=ranges["tokenizer_ratio"],
        extra_steps=ranges["extra_steps"],
        escalation=ranges["escalation"],
        cache_kept=ranges["cache_kept"],
        ability_shift=ranges["ability_shift"],
        output_ratios={pair: reader.required(ratios, pair, 0, 100) for pair in ratios},
        difficulty_sd=DIFFICULTY_SD if spread is None else spread,
    )


def _range(reader: _Reader, given: Mapping[str, Any], name: str, default: Range) -> Range:
    if name not in given:
        return default
    low = -10 if name == "ability_shift" else 0
    value = given[name]
    if not isinstance(value, dict):
        fixed = reader.required(given, name, low, 100)
        return Range(favourable=fixed, expected=fixed, pessimistic=fixed)
    reader.known(value, _ENDS)
    missing = [end for end in _ENDS if end not in value]
    if missing:
        reader.fail(name, f"{name} lacks {', '.join(missing)}; give all of {', '.join(_ENDS)}, or one number.")
    ends = [reader.required(value, end, low, 100) for end in _ENDS]
    if sorted(ends) not in (ends, ends[::-1]):
        reader.fail(name, f"{name}: expected must lie between favourable and pessimistic.")
    return Range(favourable=ends[0], expected=ends[1], pessimistic=ends[2])


@cache
def _default_ranges() -> dict[str, Range]:
    text = (resources.files("llm_audit.policy") / "defaults.toml").read_text(encoding="utf-8")
    return {name: Range(**values) for name, values in tomllib.loads(text).items()}


def _cascade(reader: _Reader) -> Cascade | None:
    given = reader.table(reader.data, "cascade")
    if not given:
        return None
    reader.known(given, _CASCADE_KEYS)
    return Cascade(
        check_usd=reader.required(given, "check_usd", 0, 1_000),
        recall=reader.required(given, "recall", 0, 1),
        false_alarm=reader.required(given, "false_alarm", 0, 1),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reader:
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
        keys = tuple(keys)
        for key in table:
            if key not in keys:
                self.fail(key, f"unknown key {key!r}.{_near(key, keys)} Known are {', '.join(keys)}.")

    def string(self, table: Mapping[str, Any], key: str, default: str) -> str:
        value = table.get(key, default)
        if not isinstance(value, str):
            self.fail(key, f'{key} must be text in quotes, as {key} = "…".')
        return value

    def flag(self, table: Mapping[str, Any], key: str) -> bool:
        value = table.get(key, False)
        if not isinstance(value, bool):
            self.fail(key, f"{key} must be true or false.")
        return value

    def number(self, table: Mapping[str, Any], key: str, low: float, high: float) -> float | None:
        return self.required(table, key, low, high) if key in table else None

    def required(self, table: Mapping[str, Any], key: str, low: float, high: float) -> float:
        value = table.get(key)
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            self.fail(key, f"{key} must be a number from {low:g} to {high:g}.")
        if not low <= value <= high:
            self.fail(key, f"{key} = {value:g} is out of range; give a number from {low:g} to {high:g}.")
        return float(value)

    def choice(self, table: Mapping[str, Any], key: str, kind: type[_Kind], default: _Kind) -> _Kind:
        value = self.string(table, key, default.value)
        values = [member.value for member in kind]
        if value not in values:
            self.fail(key, f"{key} = {value!r} is not known.{_near(value, values)} Choose from {', '.join(values)}.")
        return kind(value)

    def table(self, table: Mapping[str, Any], key: str) -> dict[str, Any]:
        value = table.get(key, {})
        if not isinstance(value, dict):
            self.fail(key, f"{key} must be a table, as [{key}].")
        return value

    def ladders(self) -> dict[str, tuple[str, ...]]:
        ladders: dict[str, tuple[str, ...]] = {}
        for name, models in self.table(self.data, "ladders").items():
            if not isinstance(models, list) or not models or not all(isinstance(model, str) for model in models):
                self.fail(name, f'ladders.{name} must list model names, cheapest first, as ["small", "large"].')
            if len(set(models)) != len(models):
                self.fail(name, f"ladders.{name} names a model twice.")
            ladders[name] = tuple(models)
        return ladders

    def gates(self) -> frozenset[Gate]:
        given = self.table(self.data, "gates")
        values = [gate.value for gate in Gate]
        self.known(given, values)
        return frozenset(gate for gate in Gate if gate.value not in given or self.flag(given, gate.value))


def _near(word: str, words: Iterable[str]) -> str:
    near = difflib.get_close_matches(word, list(words), n=1)
    return f" Did you mean {near[0]!r}?" if near else ""
