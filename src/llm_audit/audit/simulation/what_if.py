"""What if: exactly the requests of one model, or some of them, go to another, whatever a policy would say."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Self

import msgspec
import numpy as np
import polars as pl
from msgspec.structs import replace

from llm_audit.arrays import Bools
from llm_audit.catalog import Catalog
from llm_audit.errors import UsageError
from llm_audit.ledger.schema import SCHEMA
from llm_audit.policy import GATE_REASONS, OUTCOMES, Decision, Plan, Policy, Scope, Traffic
from llm_audit.suggestions import did_you_mean

_KEPT = {
    "abstained": "could not be judged",
    "not_chat": "not a chat call",
    "unpriced": "without a price",
    "not_offered": "the model was not on offer",
    "already_cheapest": "the model has no price for them",
}


class Condition(msgspec.Struct, frozen=True):
    """A value that a column of the ledger, or ``tag:<key>``, must have."""

    column: str
    value: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``COLUMN=VALUE``.

        Raises:
            UsageError: It has no equals sign, or the ledger no such column.
        """
        column, equals, value = (part.strip() for part in text.partition("="))
        if not (equals and column and value):
            raise UsageError(f"--where {text!r} is not a condition; write COLUMN=VALUE, such as app=search.")
        names = [name for name, kind in SCHEMA.items() if not kind.is_numeric() and not kind.is_temporal()]
        if column not in names and not column.startswith("tag:"):
            hint = did_you_mean(column, names) or " Columns are app, team, user, environment, template_hash and such."
            raise UsageError(f"The ledger has no column {column!r} for --where.{hint} Give tag:KEY for a tag.")
        return cls(column, value)


class WhatIf(msgspec.Struct, kw_only=True, frozen=True):
    """Moves from models to others, by canonical id, and what their requests must have."""

    moves: dict[str, str]
    where: tuple[Condition, ...] = ()

    @classmethod
    def parse(cls, text: str, where: Sequence[Condition], *, catalog: Catalog) -> Self:
        """Read ``MODEL=MODEL``, or several of them separated by commas.

        Raises:
            UsageError: It is not of that form, or names an unknown model.
        """
        moves: dict[str, str] = {}
        for part in text.split(","):
            used, equals, route = (name.strip() for name in part.partition("="))
            if not (equals and used and route):
                raise UsageError(f"--what-if {text!r} is not a move; write USED=OTHER, such as gpt-5=gpt-5-mini.")
            source, target = (_known(name, catalog) for name in (used, route))
            if source == target:
                raise UsageError(f"--what-if {text!r} sends {source} to itself; name two models.")
            if source in moves:
                raise UsageError(f"--what-if {text!r} sends {source} to two models; give one --what-if for each.")
            moves[source] = target
        if both := sorted(set(moves) & set(moves.values())):
            raise UsageError(
                f"--what-if {text!r} sends requests both from and to {both[0]}; give one --what-if for each move."
            )
        return cls(moves=moves, where=tuple(where))

    @property
    def name(self) -> str:
        """Return the moves and conditions as they are written."""
        moves = ",".join(f"{used}={route}" for used, route in self.moves.items())
        conditions = " and ".join(f"{condition.column}={condition.value}" for condition in self.where)
        return f"{moves} where {conditions}" if conditions else moves

    def about(self, traffic: Traffic, met: Bools) -> Bools:
        """Return which requests the moves are about, given those that meet the conditions."""
        index = traffic.models.index()
        return np.asarray(met & np.isin(traffic.requests.used, [index[used] for used in self.moves]))

    def policy(self, like: Policy) -> Policy:
        """Return the policy that makes the moves, with the gates and assumptions of another."""
        return replace(
            like,
            name=self.name,
            description="",
            decision=Decision.ALWAYS,
            scope=Scope.REQUEST,
            ladders={used: (route, used) for used, route in self.moves.items()},
            across_families=False,
            allow_upgrade=True,
            max_quality_loss={},
            max_preference_gap={},
            min_success=0.0,
            lost_answer_usd=0.0,
            stakes={},
            target=None,
            threshold=None,
            strong_share=None,
            quality_difference=None,
            cascade=None,
        )


class Conditions:
    """Finds the rows that meet conditions, in pieces of a ledger as they pass."""

    def __init__(self, where: Sequence[Condition]) -> None:
        self._where = where
        self._met: list[Bools] = []
        self._values: list[set[str]] = [set() for _ in where]

    def reading(self, pieces: Iterable[pl.DataFrame]) -> Iterator[pl.DataFrame]:
        """Yield the pieces, and note which of their rows meet the conditions."""
        for piece in pieces:
            met = np.ones(piece.height, dtype=np.bool_)
            for condition, values in zip(self._where, self._values, strict=True):
                column = piece[condition.column].cast(pl.String)
                values.update(column.drop_nulls().unique().to_list())
                met &= (column == condition.value).fill_null(value=False).to_numpy()
            self._met.append(met)
            yield piece

    def met(self) -> Bools:
        """Return which rows of all pieces meet the conditions."""
        return np.concatenate(self._met)

    def values(self) -> dict[int, frozenset[str]]:
        """Return, by the condition's place, the value that it asks for where a row has it, and else all there are."""
        return {
            place: frozenset({condition.value} & values or values)
            for place, (condition, values) in enumerate(zip(self._where, self._values, strict=True))
        }


def check_values(where: Sequence[Condition], values: Mapping[int, frozenset[str]]) -> None:
    """Refuse conditions that no request of a log can meet.

    Raises:
        UsageError: No request has the value that a condition asks for.
    """
    for place, condition in enumerate(where):
        if condition.value not in values[place]:
            hint = did_you_mean(condition.value, sorted(values[place]))
            raise UsageError(f"No request has {condition.column} {condition.value!r}, which --where asks for.{hint}")


class KeptSums(msgspec.Struct, kw_only=True, frozen=True):
    """Requests that moves are about: all, those that keep their model, by gate, and by why they have their route."""

    about: int
    kept: int
    gates: dict[str, int]
    outcomes: dict[str, int]


def kept_sums(applied: Plan, about: Bools) -> KeptSums:
    """Count the requests that moves are about."""
    return KeptSums(
        about=int(about.sum()),
        kept=int((about & ~applied.moved).sum()),
        gates=applied.gates_of(about),
        outcomes=applied.outcomes_of(about),
    )


def kept_reason(sums: KeptSums) -> str | None:
    """Say why some of the requests that moves are about keep their model; None where all move."""
    if not sums.about:
        return "no such request used the model"
    reasons = [f"{sums.gates[name]:,} gated by {name.replace('_', ' ')}" for name in GATE_REASONS if name in sums.gates]
    reasons += [
        f"{sums.outcomes[outcome]:,} {_KEPT.get(outcome, outcome.replace('_', ' '))}"
        for outcome in OUTCOMES
        if outcome in sums.outcomes and outcome not in {"moved", "gated"}
    ]
    return f"{sums.kept:,} of {sums.about:,} kept: {', '.join(reasons)}" if reasons else None


def _known(name: str, catalog: Catalog) -> str:
    resolved = catalog.resolve(None, name)
    if resolved is None:
        hint = did_you_mean(name, catalog.frame["model_id"].to_list())
        raise UsageError(f"The catalog does not know the model {name!r}.{hint} `llm-audit models` lists those it does.")
    return str(resolved)
