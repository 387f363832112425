"""Billing bases of requests, as the configuration declares them by team, format or provider."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec

from llm_audit.vocabulary import API_EQUIVALENT, BillingBasis

if TYPE_CHECKING:
    import polars as pl

COLUMNS = ("team", "format", "provider")
"""Columns that declarations name. Of those that match a request the first in this order counts: a team's own
arrangement before a tool's, and a tool's before the provider's account."""

AGENT_FORMATS = (
    *("claude-code", "cline", "codex", "gemini-cli", "gemini-cli-telemetry", "goose", "opencode", "pi", "qwen-code"),
)
"""Formats of coding agents that run on plans as well as on keys; a cost in them is the agent's own estimate."""

PLAN_FORMATS = ("copilot", "cursor")
"""Formats of services on plans, whose rows state a cost where they are billed beyond the plan."""


class Declaration(msgspec.Struct, kw_only=True, frozen=True):
    """The basis of the requests whose ``column`` has a value; ``usd_per_month`` is the price of the plan, if given."""

    column: str
    value: str
    basis: BillingBasis
    usd_per_month: Decimal | None = None

    @property
    def key(self) -> str:
        """Return the declaration as the configuration writes it, such as ``format=claude-code``."""
        return f"{self.column}={self.value}"


class Billing(msgspec.Struct, frozen=True):
    """Declared bases; requests that none of them matches are paid as they go."""

    declarations: tuple[Declaration, ...] = ()

    @property
    def by_key(self) -> dict[str, Declaration]:
        """Return the declarations by their key."""
        return {each.key: each for each in self.declarations}

    def columns(self) -> dict[str, pl.Expr]:
        """Return what gives requests their ``billing_key``, null where nothing is declared, and ``billing_basis``."""
        import polars as pl

        found = [
            pl.col(column).cast(pl.String).replace_strict(keys, default=None, return_dtype=pl.String)
            for column in COLUMNS
            if (keys := {each.value: each.key for each in self.declarations if each.column == column})
        ]
        key = pl.coalesce(found) if found else pl.lit(None, pl.String)
        bases = {each.key: each.basis.value for each in self.declarations}
        default = pl.lit(BillingBasis.PAY_AS_YOU_GO.value, pl.String)
        basis = key.replace_strict(bases, default=default, return_dtype=pl.String) if bases else default
        return {"billing_key": key, "billing_basis": basis}


def is_billed() -> pl.Expr:
    """Select requests that are billed by use, by their ``billing_basis``."""
    import polars as pl

    return ~pl.col("billing_basis").is_in([basis.value for basis in API_EQUIVALENT])


def may_be_on_a_plan() -> pl.Expr:
    """Select requests of coding agents that no declaration covers and no bill is stated for."""
    import polars as pl

    name = pl.col("format").cast(pl.String)
    unbilled = name.is_in(PLAN_FORMATS) & pl.col("stated_cost_pico").is_null()
    return pl.col("billing_key").is_null() & (name.is_in(AGENT_FORMATS) | unbilled)
