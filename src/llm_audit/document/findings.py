"""Parts of the audit document that say what to change: findings, and spend that nothing was gained by."""

from __future__ import annotations

import msgspec

from llm_audit.document.policy import Quality
from llm_audit.document.values import Amount, Count, Number


class Owner(msgspec.Struct, kw_only=True, frozen=True):
    """A team's app whose requests move, with its share of their cost; ``None`` where the log does not name it."""

    team: str | None
    app: str | None
    share: Number | None


class Finding(msgspec.Struct, kw_only=True, frozen=True):
    """Something worth acting on: those that share no request first, then those that overlap with them.

    ``requests`` move; ``amount`` is what all of the subject's requests would save together. ``overlaps``: some of
    its requests are in a finding above it too, so that the two amounts do not add up. ``effort``: ``low`` is one move
    of one app, ``medium`` several moves or apps of one team, ``high`` those of several teams.
    """

    kind: str  # route_template, route_app, route_model …
    title: str
    detail: str
    action: str
    amount: Amount
    low: Amount | None
    high: Amount | None
    requests: Count
    subject: str  # the template, app or model it is about
    p_suffices: Number | None
    overlaps: bool = False
    owners: list[Owner] = []  # largest share first, at most ten
    further_owners: Count = 0
    commands: list[str] = []  # run as they are: to try the move, then to enforce it
    effort: str | None = None  # low, medium, high
    quality: Quality | None = None  # None where the loss of a move is unknown
    monthly: Amount | None = None  # at the log's rhythm; None where the run rate is unknown
    condition: str | None = None  # what would have to be true


class WastePart(msgspec.Struct, kw_only=True, frozen=True):
    """A part of one kind of waste: a template, a tool or an MCP server.

    ``name`` is None where the row is the sum of ``others``.
    """

    name: str | None
    others: Count = 0
    amount: Amount


class Waste(msgspec.Struct, kw_only=True, frozen=True):
    """Waste unrelated to routing, most dollars first. Counted in sequence: no request's dollars are in two rows."""

    kind: str  # failed_requests, retries, repeated_prompts, cache_never_used, cache_written_unread, runaway_output …
    title: str
    detail: str
    amount: Amount
    requests: Count
    parts: list[WastePart] = []
