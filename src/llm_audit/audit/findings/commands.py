"""Commands that carry a finding out, which run as they are printed."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

import msgspec

from llm_audit.catalog import Catalog
from llm_audit.errors import UsageError
from llm_audit.policy import Policy, Target, export

WORKSHEET = "worksheet.jsonl"

_TARGETS = (Target.ROUTELLM, Target.BEDROCK, Target.LITELLM)
"""Those that ask most of a policy and its models first: where they can express both, they are what is in use."""


class Move(msgspec.Struct, kw_only=True, frozen=True):
    """The move of a finding that saves most.

    Attributes:
        selector: Options of ``sample`` that select the finding's requests.
        used: The model in use.
        route: Where most of its requests go.
        ladder: All models that its requests go to, cheapest first, and the one in use.
    """

    selector: Sequence[str]
    used: str
    route: str
    ladder: Sequence[str]


def commands(move: Move, *, policy: Policy, catalog: Catalog, sampling: str) -> list[str]:
    """Return the commands that write a worksheet of the move's requests, and configuration that enforces it.

    Args:
        move: The move.
        policy: The policy; one without a file or a preset's name cannot be exported.
        catalog: Models.
        sampling: The command that samples the audit's requests; empty where the audit was made in Python.
    """
    found = []
    if sampling:
        options = [*move.selector, "--from", move.used, "--to", move.route, "-o", WORKSHEET]
        found.append(f"{sampling} {shlex.join(options)}")
    target = _target(move, policy, catalog) if policy.source else None
    if target is not None:
        found.append(
            shlex.join(
                ["llm-audit", "policy", "export", policy.source, "--to", target, "--ladder", ",".join(move.ladder)]
            )
        )
    return found


def _target(move: Move, policy: Policy, catalog: Catalog) -> Target | None:
    """Return the first system that the policy and the ladder can be exported to; None where there is none."""
    for target in _TARGETS:
        try:
            export(policy, target, ladder=move.ladder, catalog=catalog)
        except UsageError:
            continue
        return target
    return None
