"""Build docs/schemas/: JSON schemas of the audit document, the configuration file and the policy file.

    python scripts/build_schemas.py

The first two are made of the types that the program decodes with. A policy is read key by key, so that messages can
name the line; its schema is made of the same vocabularies and is held against the shipped presets by a test.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from enum import StrEnum
from pathlib import Path
from typing import Any

import msgspec

from llm_audit import config
from llm_audit.document.audit import SCHEMA_VERSION, Document
from llm_audit.policy.file.model import ANSWERS, RANGES, READERS, Decision, Gate, Order, Scope
from llm_audit.vocabulary import Category, Stakes

OUT = Path(__file__).parent.parent / "docs/schemas"
DIALECT = "https://json-schema.org/draft/2020-12/schema"
_ENDS = ("favourable", "expected", "pessimistic")
_SHARE = {"type": "number", "minimum": 0, "maximum": 1}


def schemas() -> dict[str, dict[str, Any]]:
    """Return each published schema by the name of its file."""
    made = {
        "audit": (f"The audit document of llm-audit, version {SCHEMA_VERSION}", msgspec.json.schema(Document)),
        "config": ("llm-audit.toml, or [tool.llm-audit] in pyproject.toml", config.schema()),
        "policy": ("A routing policy of llm-audit", _policy()),
    }
    return {
        f"{name}.schema.json": {"$schema": DIALECT, "title": title, **schema} for name, (title, schema) in made.items()
    }


def encode(schema: dict[str, Any]) -> str:
    """Return a schema as the content of its file."""
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def _policy() -> dict[str, Any]:
    models = {"type": "array", "items": {"type": "string"}, "minItems": 1, "uniqueItems": True}
    return _table(
        {
            "name": {"type": "string"},
            "description": {"type": "string"},
            "decision": _choice(Decision, Decision.P_SUFFICES),
            "order": _choice(Order, Order.LADDER),
            "scope": _choice(Scope, Scope.REQUEST),
            "max_quality_loss": _quality_loss(),
            "min_success": {
                "type": "number",
                "minimum": 0,
                "maximum": 1,
                "default": 0,
                "description": "Least P(success) of a route, for decision = quality_loss.",
            },
            "lost_answer_usd": {
                "type": "number",
                "minimum": 0,
                "maximum": 10_000,
                "default": 0,
                "description": "Dollars that one lost answer costs, besides its repeat.",
            },
            "max_preference_gap": _preference_gap(),
            "unmeasured": {
                "type": "boolean",
                "default": False,
                "description": "Whether models that nobody measured in the request's category are candidates.",
            },
            "target": {**_SHARE, "description": "Least P(suffices), for p_suffices."},
            "threshold": {**_SHARE, "description": "Least P(strong wins) that asks for the strong model."},
            "strong_share": {**_SHARE, "description": "Instead of a threshold: the share of strong calls."},
            "quality_difference": {**_SHARE, "description": "Largest P(large) - P(small) that takes the small model."},
            "across_families": {"type": "boolean", "default": False},
            "allow_upgrade": {"type": "boolean", "default": False},
            "gates": _table({gate.value: {"type": "boolean", "default": True} for gate in Gate}),
            "ladders": {
                "type": "object",
                "additionalProperties": models,
                "description": "Models by the ladder's name, cheapest first.",
            },
            "assumptions": _assumptions(),
            "cascade": _table(
                {
                    "check_usd": {"type": "number", "minimum": 0, "maximum": 1000},
                    "recall": _SHARE,
                    "false_alarm": _SHARE,
                },
                required=("check_usd", "recall", "false_alarm"),
            ),
            "stakes": _stakes(),
        }
    ) | {"allOf": _needs()}


def _quality_loss() -> dict[str, Any]:
    """Return the schema of the limits: one number, or a default and the categories that differ."""
    answers = {"type": "number", "minimum": 0, "maximum": ANSWERS}
    names = ("default", *(category.value for category in Category))
    return {
        "anyOf": [answers, _table(dict.fromkeys(names, answers), required=("default",))],
        "description": "Most answers in 100 lost beyond a second run of the model used, for quality_loss.",
    }


def _stakes() -> dict[str, Any]:
    """Return the schema of the limits where something is at stake: requests are kept, or their routes limited."""
    answers = {"type": "number", "minimum": 0, "maximum": ANSWERS}
    limits = {"keep": {"const": False}, "max_quality_loss": answers, "min_success": _SHARE}
    limit = {"anyOf": [_table({"keep": {"const": True}}, required=("keep",)), {**_table(limits), "minProperties": 1}]}
    return {
        "type": "object",
        "propertyNames": {"enum": ["default", *(kind.value for kind in Stakes)]},
        "additionalProperties": limit,
        "description": "Stricter limits where a wrong answer could do harm, under any decision but never.",
    }


def _preference_gap() -> dict[str, Any]:
    """Return the schema of the bounds: one number, or those of some categories."""
    readers = {"type": "number", "minimum": 0, "maximum": READERS}
    names = ("default", *(category.value for category in Category))
    return {
        "anyOf": [readers, _table(dict.fromkeys(names, readers))],
        "description": "Most readers in 100, net, who may prefer the model used; an unknown gap is above it.",
    }


def _assumptions() -> dict[str, Any]:
    ranges = {}
    for name in RANGES:
        number = {"type": "number", "minimum": -10 if name == "ability_shift" else 0, "maximum": 100}
        ranges[name] = {"anyOf": [number, _table(dict.fromkeys(_ENDS, number), required=_ENDS)]}
    ratios = {
        "type": "object",
        "propertyNames": {"pattern": "^[^>]*>[^>]*$"},
        "additionalProperties": {"type": "number", "minimum": 0, "maximum": 100},
        "description": 'Measured output ratios by "used>route".',
    }
    spread = {"type": "number", "minimum": 0, "maximum": 10}
    return _table({**ranges, "output_ratios": ratios, "difficulty_sd": spread, "difficulty_common_sd": spread})


def _needs() -> list[dict[str, Any]]:
    """Return the keys that each decision requires; the first one is the default, so it applies where none is given."""
    pair = {"properties": {"ladders": {"additionalProperties": {"minItems": 2, "maxItems": 2}, "minProperties": 1}}}
    return [
        {
            "if": {**_decides(Decision.QUALITY_LOSS), "required": ["decision"]},
            "then": {"required": ["max_quality_loss"]},
            "else": {"not": {"required": ["max_quality_loss"]}},
        },
        {"if": _decides(Decision.P_SUFFICES), "then": {"required": ["target"]}},
        {
            "if": {**_decides(Decision.STRONG_WINS), "required": ["decision"]},
            "then": {
                **pair,
                "required": ["ladders"],
                "oneOf": [{"required": ["threshold"]}, {"required": ["strong_share"]}],
            },
        },
        {
            "if": {**_decides(Decision.QUALITY_DIFFERENCE), "required": ["decision"]},
            "then": {**pair, "required": ["quality_difference", "ladders"]},
        },
        {
            "if": {**_decides(Decision.NEVER), "required": ["decision"]},
            "then": {"not": {"required": ["stakes"]}},
        },
    ]


def _decides(decision: Decision) -> dict[str, Any]:
    return {"properties": {"decision": {"const": decision.value}}}


def _choice(kind: type[StrEnum], default: StrEnum) -> dict[str, Any]:
    return {"enum": [member.value for member in kind], "default": default.value}


def _table(properties: dict[str, Any], *, required: Iterable[str] = ()) -> dict[str, Any]:
    table = {"type": "object", "properties": properties, "additionalProperties": False}
    return {**table, "required": list(required)} if required else table


if __name__ == "__main__":
    OUT.mkdir(parents=True, exist_ok=True)
    for name, schema in schemas().items():
        (OUT / name).write_text(encode(schema), encoding="utf-8")
