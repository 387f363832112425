"""Fees that providers bill beside tokens, counted from the bodies of a call.

Web searches are ``tool_calls_billed``; whatever else is billed by the unit is ``fees_billed``.
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec.structs import replace

from llm_audit.sources.entry import Request
from llm_audit.sources.records.fields import Json, as_int, first, listing, mapping, objects, text
from llm_audit.vocabulary import Fee

_PREVIEW = "web_search_preview"
_NOT_BILLED = frozenset({"open_page", "find_in_page"})  # of the actions of OpenAI's web search
_PER_QUERY = ("gemini-2", "gemini-1")  # older models bill a grounded prompt, later ones each query of it


def written(fees: Mapping[Fee, int]) -> str | None:
    """Write fees as the ledger holds them; None where there are none."""
    return ",".join(f"{fee}={count}" for fee, count in sorted(fees.items()) if count > 0) or None


def add_fees(request: Request, *, searches: int, fees: Mapping[Fee, int]) -> None:
    """Set what a call is billed beside its tokens."""
    usage = request.usage
    if searches:
        usage = replace(usage, tool_calls_billed=searches)
    request.usage = replace(usage, fees_billed=written(fees)) if fees else usage


def read_responses_fees(request: Request, request_body: Json, body: Json) -> None:
    """Count the tools that OpenAI's Responses ran: searches, file searches and containers of code."""
    searches = files = 0
    containers: set[str] = set()
    for place, item in enumerate(objects(body.get("output"))):
        kind = item.get("type")
        if kind == "web_search_call":
            searches += text(mapping(item.get("action")).get("type")) not in _NOT_BILLED
        elif kind == "file_search_call":
            files += 1
        elif kind == "code_interpreter_call":
            containers.add(text(item.get("container_id")) or str(place))
    fees = {Fee.FILE_SEARCH: files, Fee.CODE_SESSION: len(containers)}
    offered = [text(tool.get("type")) or "" for tool in objects(body.get("tools") or request_body.get("tools"))]
    if searches and request.model.startswith(("gpt-4o", "gpt-4.1")) and any(k.startswith(_PREVIEW) for k in offered):
        fees[Fee.PREVIEW_SEARCH], searches = searches, 0
    add_fees(request, searches=searches, fees={fee: count for fee, count in fees.items() if count})


def read_grounding_fees(request: Request, body: Json) -> None:
    """Count what Gemini looked up: queries to the web and to maps, or grounded prompts with older models."""
    queries: list[object] = []
    web = maps = False
    for candidate in objects(body.get("candidates")):
        found = mapping(first(candidate, "groundingMetadata", "grounding_metadata"))
        chunks = list(objects(first(found, "groundingChunks", "grounding_chunks")))
        maps = maps or any("maps" in chunk for chunk in chunks)
        asked = [query for query in listing(first(found, "webSearchQueries", "web_search_queries")) if query]
        web = web or bool(asked) or any("web" in chunk for chunk in chunks)
        queries += asked
    older = request.model.startswith(_PER_QUERY)
    add_fees(
        request,
        searches=int(web) if older else len(queries) or int(web),
        fees={Fee.MAPS: 1} if maps else {},
    )


def read_search_fees(request: Request, usage: Json) -> None:
    """Count what search models bill by the call: the size of Perplexity's context, the sources xAI used."""
    fees: dict[Fee, int] = {}
    size = (text(usage.get("search_context_size")) or "").lower()
    if size in {"medium", "high"}:
        fees[Fee.MEDIUM_SEARCH if size == "medium" else Fee.HIGH_SEARCH] = 1
    sources = as_int(usage.get("num_sources_used"))
    if sources:
        fees[Fee.LIVE_SOURCE] = sources
    add_fees(request, searches=as_int(usage.get("num_search_queries")) or 0, fees=fees)
