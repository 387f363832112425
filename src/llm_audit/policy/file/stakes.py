"""The ``[stakes]`` table of a policy: stricter limits where a wrong answer could do harm."""

from __future__ import annotations

from llm_audit.policy.file.model import ANSWERS, Decision, Policy, StakesLimit
from llm_audit.toml_reader import TomlTable
from llm_audit.vocabulary import Stakes

_DEFAULT = "default"
_KEYS = ("keep", "max_quality_loss", "min_success")


def stakes_limits(given: TomlTable) -> dict[Stakes, StakesLimit]:
    """Read the limits: a table for each kind of stakes, and ``default`` for those that have none of their own.

    Raises:
        UsageError: The table cannot be used; the message names line and fix.
    """
    given.check_keys((_DEFAULT, *(kind.value for kind in Stakes)))
    limits = {name: _limit(given, name) for name in given.values}
    by_default = dict.fromkeys(Stakes, limits.pop(_DEFAULT)) if _DEFAULT in limits else {}
    return by_default | {Stakes(name): limit for name, limit in limits.items()}


def check_stakes(given: TomlTable, policy: Policy) -> None:
    """Fail where a limit asks no more than the policy asks of every request.

    Raises:
        UsageError: The message names line and fix.
    """
    if policy.stakes and policy.decision is Decision.NEVER:
        given.fail(
            next(iter(given.values)), '[stakes] limits what moves, and nothing moves with decision = "never": drop it.'
        )
    most = max(policy.max_quality_loss.values(), default=ANSWERS)
    for name in given.values:
        limit, table = _limit(given, name), given.table(name)
        if limit.max_quality_loss is not None and limit.max_quality_loss > most:
            table.fail(
                "max_quality_loss",
                f"max_quality_loss is {limit.max_quality_loss:g} for {name} stakes, and {most:g} for every request: "
                "give a lower limit, or drop it.",
            )
        if limit.min_success is not None and limit.min_success < policy.min_success:
            table.fail(
                "min_success",
                f"min_success is {limit.min_success:g} for {name} stakes, and {policy.min_success:g} for every "
                "request: give a higher limit, or drop it.",
            )


def _limit(given: TomlTable, name: str) -> StakesLimit:
    table = given.table(name)
    table.check_keys(_KEYS)
    limit = StakesLimit(
        keep=table.flag("keep"),
        max_quality_loss=table.number("max_quality_loss", 0, ANSWERS),
        min_success=table.number("min_success", 0, 1),
    )
    if not table.values:
        given.fail(name, f"stakes.{name} is empty; give max_quality_loss, min_success or keep = true.")
    if limit.keep and len(table.values) > 1:
        table.fail("keep", f"stakes.{name} keeps every request, so a limit has no effect: drop keep or the limits.")
    return limit
