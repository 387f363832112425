"""Fees that providers bill beside tokens, counted from the bodies of a call.

Web searches are ``tool_calls_billed``; whatever else is billed by the unit is ``fees_billed``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from msgspec.structs import replace

from llm_audit.sources.entry import Request
from llm_audit.sources.records.fields import Json, as_int, first, listing, mapping, objects, text
from llm_audit.vocabulary import Fee

_PREVIEW = "web_search_preview"
_NOT_BILLED = frozenset({"open_page", "find_in_page"})  # of the actions of OpenAI's web search
_XAI_TOOLS = {
    "web_search_calls": Fee.SERVER_TOOL,
    "x_search_calls": Fee.SERVER_TOOL,
    "code_interpreter_calls": Fee.SERVER_TOOL,
    "file_search_calls": Fee.FILE_SEARCH,
}
_SEARCHES = frozenset(
    {"search_context_size", "server_side_tool_usage_details", "num_sources_used", "num_search_queries"}
)
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
    """Count the tools that a provider of Responses ran: searches, file searches and containers of code."""
    usage = mapping(body.get("usage"))
    if "server_side_tool_usage_details" in usage:  # xAI's own count
        read_search_fees(request, usage)
        return
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
    tools = list(objects(body.get("tools") or request_body.get("tools")))
    fees = {Fee.FILE_SEARCH: files, Fee.CODE_SESSION: len(containers) * _memory_gb(tools)}
    offered = [text(tool.get("type")) or "" for tool in tools]
    if searches and request.model.startswith(("gpt-4o", "gpt-4.1")) and any(k.startswith(_PREVIEW) for k in offered):
        fees[Fee.PREVIEW_SEARCH], searches = searches, 0
    add_fees(request, searches=searches, fees={fee: count for fee, count in fees.items() if count})


def _memory_gb(tools: Iterable[Json]) -> int:
    """Return the memory of a response's containers; their price is proportional to it."""
    limits = (text(mapping(tool.get("container")).get("memory_limit")) or "" for tool in tools)
    return max((int(limit[:-1]) for limit in limits if limit in {"4g", "16g", "64g"}), default=1)


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


def _server_tools(ran: Mapping[str, int]) -> dict[Fee, int]:
    """Return the fees of the tools that xAI ran, given its counts of their calls."""
    fees = dict.fromkeys((Fee.SERVER_TOOL, Fee.FILE_SEARCH, Fee.OTHER_TOOL), 0)
    for name, count in ran.items():
        fees[_XAI_TOOLS.get(name, Fee.OTHER_TOOL)] += count if name != "mcp_calls" else 0
    return {fee: count for fee, count in fees.items() if count}


def read_search_fees(request: Request, usage: Json) -> None:
    """Count what search models bill by the call: the size of Perplexity's context, the sources xAI used."""
    if _SEARCHES.isdisjoint(usage):
        return
    fees: dict[Fee, int] = {}
    size = (text(usage.get("search_context_size")) or "").lower()
    if size in {"medium", "high"}:
        fees[Fee.MEDIUM_SEARCH if size == "medium" else Fee.HIGH_SEARCH] = 1
    ran = {name: as_int(count) or 0 for name, count in mapping(usage.get("server_side_tool_usage_details")).items()}
    sources = as_int(usage.get("num_sources_used"))
    if any(ran.values()):  # later than live search, and billed by the call
        fees |= _server_tools(ran)
    elif sources:
        fees[Fee.LIVE_SOURCE] = sources
    add_fees(request, searches=as_int(usage.get("num_search_queries")) or 0, fees=fees)
