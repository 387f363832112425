"""What if: exactly the requests of one model, or some of them, go to another, whatever a policy would say."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import polars as pl

from llm_audit.arrays import Bools
from llm_audit.catalog import Catalog
from llm_audit.errors import UsageError
from llm_audit.ledger.schema import SCHEMA
from llm_audit.policy import Decision, Plan, Policy, Scope, Traffic, plan
from llm_audit.pricing import PriceBook
from llm_audit.suggestions import did_you_mean

_KEPT = {
    "abstained": "could not be judged",
    "not_chat": "not a chat call",
    "unpriced": "without a price",
    "not_offered": "the model was not on offer",
    "already_cheapest": "the model has no price for them",
}


@dataclass(frozen=True, slots=True)
class Condition:
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


@dataclass(frozen=True, slots=True, kw_only=True)
class WhatIf:
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
        """Return which rows of all pieces meet the conditions.

        Raises:
            UsageError: No request has the value that a condition asks for.
        """
        for condition, values in zip(self._where, self._values, strict=True):
            if condition.value not in values:
                hint = did_you_mean(condition.value, sorted(values))
                raise UsageError(
                    f"No request has {condition.column} {condition.value!r}, which --where asks for.{hint}"
                )
        return np.concatenate(self._met)


def apply(
    what_if: WhatIf, traffic: Traffic, *, like: Policy, met: Bools, catalog: Catalog, book: PriceBook
) -> tuple[Plan, Bools]:
    """Return the plan of the moves, and the requests that they are about.

    Args:
        what_if: The moves.
        traffic: All requests.
        like: The policy whose gates and assumptions hold.
        met: Which requests meet the conditions.
        catalog: Models.
        book: Prices.
    """
    everywhere = plan(traffic, what_if.policy(like), catalog=catalog, book=book)
    index = traffic.models.index()
    about = met & np.isin(traffic.requests.used, [index[used] for used in what_if.moves])
    return everywhere.limited_to(about), about


def kept_reason(applied: Plan, about: Bools) -> str | None:
    """Say why some of the requests that moves are about keep their model; None where all move."""
    if not about.any():
        return "no such request used the model"
    gates = applied.gates_of(about)
    reasons = [f"{count:,} gated by {name.replace('_', ' ')}" for name, count in gates.items()]
    reasons += [
        f"{count:,} {_KEPT.get(outcome, outcome.replace('_', ' '))}"
        for outcome, count in applied.outcomes_of(about).items()
        if outcome not in {"moved", "gated"}
    ]
    kept = int((about & ~applied.moved).sum())
    return f"{kept:,} of {int(about.sum()):,} kept: {', '.join(reasons)}" if reasons else None


def _known(name: str, catalog: Catalog) -> str:
    resolved = catalog.resolve(None, name)
    if resolved is None:
        hint = did_you_mean(name, catalog.frame["model_id"].to_list())
        raise UsageError(f"The catalog does not know the model {name!r}.{hint} `llm-audit models` lists those it does.")
    return str(resolved)
