"""Read a policy file or preset, and say by line what is wrong with one."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib import resources
from pathlib import Path

from msgspec.structs import replace

from llm_audit.errors import UsageError
from llm_audit.policy.file.model import (
    ANSWERS,
    DIFFICULTY_COMMON_SD,
    DIFFICULTY_SD,
    RANGES,
    READERS,
    Assumptions,
    Cascade,
    Decision,
    Gate,
    Order,
    Policy,
    Range,
    Scope,
)
from llm_audit.policy.file.stakes import check_stakes, stakes_limits
from llm_audit.suggestions import did_you_mean
from llm_audit.toml_reader import TomlTable, parse_toml
from llm_audit.vocabulary import Category

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
    "max_quality_loss",
    "min_success",
    "lost_answer_usd",
    "max_preference_gap",
    "unmeasured",
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
    "stakes",
)
_CASCADE_KEYS = ("check_usd", "recall", "false_alarm")
_ENDS = ("favourable", "expected", "pessimistic")
_NEEDS: dict[Decision, tuple[str, ...]] = {
    Decision.QUALITY_LOSS: ("max_quality_loss",),
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
        return replace(parse(source.read_text(encoding="utf-8"), where=f"preset {name}"), source=name)
    path = Path(name_or_path)
    if not path.is_file():
        presets = f"Presets are {', '.join(PRESETS)}.{did_you_mean(name, PRESETS)}"
        raise UsageError(f"There is no policy {name!r}: neither a file nor a preset. {presets}")
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"The policy file {path} cannot be read as UTF-8 text: {error}.") from error
    return replace(parse(text, where=str(path)), source=str(path))


def parse(text: str, *, where: str) -> Policy:
    """Make a policy of TOML text; ``where`` is what messages call it.

    Raises:
        UsageError: The text is not a policy; the message names line and fix.
    """
    document = parse_toml(text, file=where)
    document.check_keys(_KEYS)
    decision = document.option("decision", Decision, Decision.P_SUFFICES)
    policy = Policy(
        name=document.text("name", Path(where).stem),
        description=document.text("description"),
        decision=decision,
        order=document.option("order", Order, Order.LADDER),
        scope=document.option("scope", Scope, Scope.REQUEST),
        max_quality_loss=_by_category(document, "max_quality_loss", ANSWERS, complete=True),
        min_success=document.number("min_success", 0, 1) or 0.0,
        lost_answer_usd=document.number("lost_answer_usd", 0, 10_000) or 0.0,
        stakes=stakes_limits(document.table("stakes")),
        max_preference_gap=_by_category(document, "max_preference_gap", READERS, complete=False),
        unmeasured=document.flag("unmeasured"),
        target=document.number("target", 0, 1),
        threshold=document.number("threshold", 0, 1),
        strong_share=document.number("strong_share", 0, 1),
        quality_difference=document.number("quality_difference", 0, 1),
        ladders=_ladders(document.table("ladders")),
        across_families=document.flag("across_families"),
        gates=_gates(document.table("gates")),
        allow_upgrade=document.flag("allow_upgrade"),
        assumptions=_assumptions(document.table("assumptions")),
        cascade=_cascade(document.table("cascade")) if "cascade" in document else None,
        toml=text,
    )
    _check_decision(document, policy)
    check_stakes(document.table("stakes"), policy)
    return policy


def _ladders(given: TomlTable) -> dict[str, tuple[str, ...]]:
    """Return the ladders by name, each naming a model once."""
    ladders: dict[str, tuple[str, ...]] = {}
    for name, models in given.values.items():
        if not isinstance(models, list) or not models or not all(isinstance(model, str) for model in models):
            given.fail(name, f'ladders.{name} must list model names, cheapest first, such as ["small", "large"].')
        if len(set(models)) != len(models):
            given.fail(name, f"ladders.{name} names a model twice.")
        ladders[name] = tuple(models)
    return ladders


def _gates(given: TomlTable) -> frozenset[Gate]:
    """Return the gates that are not switched off."""
    given.check_keys(gate.value for gate in Gate)
    return frozenset(gate for gate in Gate if given.flag(gate.value, default=True))


def _check_decision(document: TomlTable, policy: Policy) -> None:
    needed = _NEEDS[policy.decision]
    given = [key for key in needed if getattr(policy, key) not in (None, {})]
    if needed and len(given) != 1:
        found = "both are given" if given else "it is not given" if len(needed) == 1 else "neither is given"
        document.fail("decision", f'decision = "{policy.decision}" needs {" or ".join(needed)}; {found}.')
    for decision, keys in _NEEDS.items():
        for key in keys:
            if key not in needed and getattr(policy, key) not in (None, {}):
                document.fail(
                    key, f'{key} is for decision = "{decision}", and this is "{policy.decision}": drop one of them.'
                )
    pairs = policy.decision in {Decision.STRONG_WINS, Decision.QUALITY_DIFFERENCE}
    ladders = document.table("ladders")
    for name, models in policy.ladders.items():
        if pairs and len(models) != 2:
            ladders.fail(name, f"ladders.{name} must name two models, the weaker first; it names {len(models)}.")
    if pairs and not policy.ladders:
        document.fail("decision", f'decision = "{policy.decision}" needs [ladders] with a pair of models.')


def _by_category(document: TomlTable, key: str, most: float, *, complete: bool) -> dict[str, float]:
    """Read limits: one number for all categories, or a table with a default and the categories that differ.

    A table that need not be ``complete`` may have no default; categories that it does not name are then not limited.
    """
    if key not in document:
        return {}
    categories = [category.value for category in Category]
    if not isinstance(document.values[key], dict):
        return dict.fromkeys(categories, document.required_number(key, 0, most))
    given = document.table(key)
    given.check_keys(("default", *categories))
    limits = {}
    if complete or "default" in given:
        limits = dict.fromkeys(categories, given.required_number("default", 0, most))
    return limits | {name: given.required_number(name, 0, most) for name in given.values if name != "default"}


def _assumptions(given: TomlTable) -> Assumptions:
    given.check_keys((*RANGES, "output_ratios", "difficulty_sd", "difficulty_common_sd"))
    defaults = _default_ranges()
    ranges = {name: _range(given, name, defaults[name]) for name in RANGES}
    ratios = given.table("output_ratios")
    for pair in ratios.values:
        if pair.count(">") != 1:
            ratios.fail(pair, f'output_ratios has the key {pair!r}; write it "used>route", as "gpt-4o>gpt-4o-mini".')
    spread = given.number("difficulty_sd", 0, 10)
    common = given.number("difficulty_common_sd", 0, 10)
    return Assumptions(
        output_ratio=ranges["output_ratio"],
        reasoning_ratio=ranges["reasoning_ratio"],
        added_reasoning=ranges["added_reasoning"],
        tokenizer_ratio=ranges["tokenizer_ratio"],
        extra_steps=ranges["extra_steps"],
        escalation=ranges["escalation"],
        cache_kept=ranges["cache_kept"],
        ability_shift=ranges["ability_shift"],
        output_ratios={pair: ratios.required_number(pair, 0, 100) for pair in ratios.values},
        difficulty_sd=DIFFICULTY_SD if spread is None else spread,
        difficulty_common_sd=DIFFICULTY_COMMON_SD if common is None else common,
    )


def _range(given: TomlTable, name: str, default: Range) -> Range:
    if name not in given:
        return default
    low = -10 if name == "ability_shift" else 0
    if not isinstance(given.values[name], dict):
        fixed = given.required_number(name, low, 100)
        return Range(favourable=fixed, expected=fixed, pessimistic=fixed)
    value = given.table(name)
    value.check_keys(_ENDS)
    missing = [end for end in _ENDS if end not in value]
    if missing:
        value.fail(None, f"{name} lacks {', '.join(missing)}; give all of {', '.join(_ENDS)}, or one number.")
    ends = [value.required_number(end, low, 100) for end in _ENDS]
    if sorted(ends) not in (ends, ends[::-1]):
        value.fail(None, f"{name}: expected must lie between favourable and pessimistic.")
    if (ends[2] - ends[0]) * (default.pessimistic - default.favourable) < 0:
        side = "lower" if default.favourable < default.pessimistic else "higher"
        value.fail(None, f"{name} runs the wrong way: its favourable end is the {side} one.")
    return Range(favourable=ends[0], expected=ends[1], pessimistic=ends[2])


@cache
def _default_ranges() -> dict[str, Range]:
    text = (resources.files("llm_audit.policy.file") / "defaults.toml").read_text(encoding="utf-8")
    return {name: Range(**values) for name, values in tomllib.loads(text).items()}


def _cascade(given: TomlTable) -> Cascade:
    given.check_keys(_CASCADE_KEYS)
    return Cascade(
        check_usd=given.required_number("check_usd", 0, 1_000),
        recall=given.required_number("recall", 0, 1),
        false_alarm=given.required_number("false_alarm", 0, 1),
    )
