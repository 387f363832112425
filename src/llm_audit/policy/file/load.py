"""Read a policy file or preset, and say by line what is wrong with one."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from llm_audit.errors import UsageError
from llm_audit.policy.file.model import (
    DIFFICULTY_SD,
    RANGES,
    Assumptions,
    Cascade,
    Decision,
    Order,
    Policy,
    Range,
    Scope,
)
from llm_audit.policy.file.validate import Reader, near

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


def load(name_or_path: str | Path) -> Policy:
    """Read a preset by its name, or a policy file by its path.

    Raises:
        UsageError: There is no such preset or file, or the file cannot be used; the message names line and fix.

    Examples:
        >>> llm_audit.load_policy("keep").description
        'Every request keeps the model it had.'
    """
    name = str(name_or_path)
    if name in PRESETS:
        source = resources.files("llm_audit.policy.file") / "presets" / f"{name}.toml"
        return parse(source.read_text(encoding="utf-8"), where=f"preset {name}")
    path = Path(name_or_path)
    if not path.is_file():
        presets = f"Presets are {', '.join(PRESETS)}.{near(name, PRESETS)}"
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
    reader = Reader(data=data, text=text, where=where)
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


def _check_decision(reader: Reader, policy: Policy) -> None:
    needed = _NEEDS[policy.decision]
    given = [key for key in needed if getattr(policy, key) is not None]
    if needed and len(given) != 1:
        found = "both are given" if given else "it is not given" if len(needed) == 1 else "neither is given"
        reader.fail("decision", f'decision = "{policy.decision}" needs {" or ".join(needed)}; {found}.')
    for decision, keys in _NEEDS.items():
        for key in keys:
            if key not in needed and getattr(policy, key) is not None:
                reader.fail(
                    key, f'{key} is for decision = "{decision}", and this is "{policy.decision}": drop one of them.'
                )
    pairs = policy.decision in {Decision.STRONG_WINS, Decision.QUALITY_DIFFERENCE}
    for name, models in policy.ladders.items():
        if pairs and len(models) != 2:
            reader.fail(name, f"ladders.{name} must name two models, the weaker first; it names {len(models)}.")
    if pairs and not policy.ladders:
        reader.fail("decision", f'decision = "{policy.decision}" needs [ladders] with a pair of models.')


def _assumptions(reader: Reader) -> Assumptions:
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


def _range(reader: Reader, given: Mapping[str, Any], name: str, default: Range) -> Range:
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
    if (ends[2] - ends[0]) * (default.pessimistic - default.favourable) < 0:
        side = "lower" if default.favourable < default.pessimistic else "higher"
        reader.fail(name, f"{name} runs the wrong way: its favourable end is the {side} one.")
    return Range(favourable=ends[0], expected=ends[1], pessimistic=ends[2])


@cache
def _default_ranges() -> dict[str, Range]:
    text = (resources.files("llm_audit.policy.file") / "defaults.toml").read_text(encoding="utf-8")
    return {name: Range(**values) for name, values in tomllib.loads(text).items()}


def _cascade(reader: Reader) -> Cascade | None:
    if "cascade" not in reader.data:
        return None
    given = reader.table(reader.data, "cascade")
    reader.known(given, _CASCADE_KEYS)
    return Cascade(
        check_usd=reader.required(given, "check_usd", 0, 1_000),
        recall=reader.required(given, "recall", 0, 1),
        false_alarm=reader.required(given, "false_alarm", 0, 1),
    )
