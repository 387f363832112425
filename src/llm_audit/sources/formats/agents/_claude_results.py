"""Results that Claude Code prints at the end of a run (``--output-format json`` and ``stream-json``).

A result sums up the run by model: what its rows hold only the beginning of (a reply's row is printed before its output
is counted), and calls that have no rows. What the rows before it do not account for is yielded as calls, since only
sums are known of them. The results of a session that goes on in one process add up from the first one on.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import NamedTuple

from llm_audit.model_names import canonical, parse
from llm_audit.sources.entry import BadRecordError, Entry, NotACall, NotCallReason, Reason, Record, Request, Usage
from llm_audit.sources.formats.agents._transcript import TOOLS
from llm_audit.sources.formats.interface import Context
from llm_audit.sources.records.billing.aggregates import UNCOUNTED, shared_out
from llm_audit.sources.records.calls import cost_pico, merge_key, tier
from llm_audit.sources.records.disjoint import REPORTED, as_count, read_count
from llm_audit.sources.records.fields import Json, as_int, at, mapping, text

_WINDOW = 200_000  # tokens of input that a request has at most, where it is not of a long context


class Sums(NamedTuple):
    """Sums of the counts of some calls, disjoint."""

    input: int = 0
    read: int = 0
    written: int = 0
    output: int = 0
    searches: int = 0

    def plus(self, other: Sums) -> Sums:
        """Return the sums of both."""
        return Sums(*(mine + its for mine, its in zip(self, other, strict=True)))

    def minus(self, other: Sums) -> Sums:
        """Return what is left of each."""
        return Sums(*(max(mine - its, 0) for mine, its in zip(self, other, strict=True)))

    def holds(self, other: Sums) -> bool:
        """Return whether none of these is below the other's."""
        return all(mine >= its for mine, its in zip(self, other, strict=True))


class Run:
    """What a file tells of the runs of one session: its model, the calls that rows hold, and the last result."""

    def __init__(self) -> None:
        self.model: str | None = None
        self.last: dict[str, Sums] = {}
        self._calls: dict[str, tuple[str, Sums]] = {}

    def add(self, request: Request) -> None:
        """Add a row of a reply; of several the fullest counts."""
        usage, key = request.usage, request.merge_key or str(len(self._calls))
        written = (usage.cache_write_5m_tokens or 0) + (usage.cache_write_1h_tokens or 0)
        read, searches = usage.cache_read_tokens or 0, usage.tool_calls_billed or 0
        sums = Sums(usage.input_tokens or 0, read, written, usage.output_tokens or 0, searches)
        held = self._calls.get(key)
        if held is None or held[1].output <= sums.output:
            self._calls[key] = canonical(request.model), sums

    def take(self) -> dict[str, Sums]:
        """Return the sums of the rows since the last result, by model line."""
        found: dict[str, Sums] = {}
        for line, sums in self._calls.values():
            found[line] = found.get(line, Sums()).plus(sums)
        self._calls.clear()
        return found


def run_of(context: Context, session: str | None) -> Run:
    """Return what the file told so far of a session's runs."""
    runs: dict[str | None, Run] = context.state.setdefault("runs", {})
    return runs.setdefault(session, Run())


def entries(record: Record, run: Run, session: str | None) -> Iterator[Entry]:
    """Yield the calls of a run that no row holds; where rows hold all of them, the result is no call."""
    counted = run.take()
    by_model = {name: _sums(mapping(given)) for name, given in mapping(record.get("modelUsage")).items()}
    if any(any(sums) for name, sums in by_model.items() if text(name) is None):
        raise BadRecordError(Reason.NO_MODEL, "modelUsage")
    if not by_model and not counted and any(sums := _sums(mapping(record.get("usage")))):
        if run.model is None:
            raise BadRecordError(Reason.NO_MODEL, "modelUsage")
        by_model = {run.model: sums}  # other programs print one sum
    lines = {line: {name for name in by_model if canonical(name) == line} for line in map(canonical, by_model)}
    whole = {line: _total(by_model, names) for line, names in lines.items()}
    goes_on = bool(run.last) and bool(counted) and _add_up(whole, run.last, counted)
    began, run.last = run.last if goes_on else {}, whole
    known = counted.keys() <= whole.keys()  # a row under a name that the sums do not have may be in any of them
    found = False
    for line, sums in whole.items() if known else ():
        left = sums.minus(began.get(line, Sums())).minus(counted.get(line, Sums()))
        if any(left):
            found = True
            yield from _calls(
                record, max(sorted(lines[line]), key=by_model.__getitem__), left, session, is_all=not counted
            )
    if not found:
        yield NotACall(NotCallReason.METADATA)


def _calls(record: Record, model: str, sums: Sums, session: str | None, *, is_all: bool) -> Iterator[Request]:
    """Yield the calls of a model: as many as the run had turns, where these are all calls of it, else the fewest."""
    usage, own = mapping(record.get("usage")), mapping(mapping(record.get("modelUsage")).get(model))
    is_main = sums.output == read_count(usage, "output_tokens", "outputTokens")
    long = as_count(at(usage, "cache_creation", "ephemeral_1h_input_tokens")) if is_main else None
    long = min(long or 0, sums.written)
    run_id = text(record.get("uuid")) or f"{session}:{record.get('duration_ms')}:{record.get('total_cost_usd')}"
    stated = own.get("costUSD") if _sums(own) == sums else None
    whole = Request(
        model=model,
        provider=parse("anthropic", model).provider if "claude" in model.lower() else None,
        service_tier=tier("fast" if usage.get("speed") == "fast" else usage.get("service_tier")),
        merge_key=merge_key(f"claude-code:{run_id}", model=model),
        conversation=session,
        trace=session,
        tags=(UNCOUNTED,),
        stated_cost_pico=cost_pico(stated),
        tools=TOOLS,
        usage=Usage(
            usage_source=REPORTED,
            input_tokens=sums.input,
            cache_read_tokens=sums.read,
            cache_write_5m_tokens=sums.written - long,
            cache_write_1h_tokens=long,
            output_tokens=sums.output,
            tool_calls_billed=sums.searches or None,
        ),
    )
    turns = (as_int(record.get("num_turns")) or 1) if is_main and is_all else 1
    fewest = math.ceil((sums.input + sums.read + sums.written) / _WINDOW)
    yield from shared_out(whole, max(1, fewest, min(turns, sums.output)))


def _sums(given: Json) -> Sums:
    searches = read_count(given, "webSearchRequests")
    return Sums(
        read_count(given, "inputTokens", "input_tokens") or 0,
        read_count(given, "cacheReadInputTokens", "cache_read_input_tokens", "cacheReadTokens") or 0,
        read_count(given, "cacheCreationInputTokens", "cache_creation_input_tokens", "cacheWriteTokens") or 0,
        read_count(given, "outputTokens", "output_tokens") or 0,
        (as_count(at(given, "server_tool_use", "web_search_requests")) if searches is None else searches) or 0,
    )


def _total(by_model: dict[str, Sums], names: set[str]) -> Sums:
    total = Sums()
    for name in names:
        total = total.plus(by_model[name])
    return total


def _add_up(whole: dict[str, Sums], last: dict[str, Sums], counted: dict[str, Sums]) -> bool:
    """Return whether a result adds up from an earlier one on: it then holds that one, and all rows since."""
    lines = {*last, *counted}
    since = {line: last.get(line, Sums()).plus(counted.get(line, Sums())) for line in lines}
    return all(whole.get(line, Sums()).holds(sums) for line, sums in since.items())
