"""OpenAI's usage and costs APIs: rows that sum up so many requests by bucket of time. Inclusive."""

from __future__ import annotations

from collections.abc import Iterator

from llm_audit.sources.entry import Entry, Reason, Record, Rejected, Request, Usage
from llm_audit.sources.formats.interface import Context, Evidence, Format, FormatInfo, Specificity
from llm_audit.sources.formats.usage._sums import BY_MODEL, COSTS_ONLY, read_rows, spread, start_us, sum_of
from llm_audit.sources.records.billing.aggregates import count_of
from llm_audit.sources.records.calls import operation, tier
from llm_audit.sources.records.disjoint import Convention, disjoint_usage
from llm_audit.sources.records.fields import Json, flag, mapping, objects, text
from llm_audit.vocabulary import ServiceTier

_COUNT = "num_model_requests"
_NO_TOKENS = "is measured in images, characters, seconds, calls or bytes, without tokens, and is not audited"


def _row(row: Json) -> Iterator[Entry]:
    kind = (text(row.get("object")) or "").removeprefix("organization.").removesuffix(".result")
    count = count_of(row.get(_COUNT), _COUNT)
    if kind == "costs" or "amount" in row:
        yield Rejected(Reason.BAD_SHAPE, "amount", note=COSTS_ONLY)
    elif row.get("input_tokens") is None and row.get("output_tokens") is None:
        yield Rejected(Reason.BAD_SHAPE, "input_tokens", note=f"{_what(kind)} {_NO_TOKENS}")
    elif count is None:
        yield Rejected(Reason.BAD_SHAPE, _COUNT, note="a row of usage does not say how many requests it sums up")
    elif (model := text(row.get("model"))) is None:
        yield Rejected(Reason.NO_MODEL, "model", note=BY_MODEL)
    else:
        request = Request(
            model=model,
            provider="openai",
            operation=operation(kind),
            time_us=start_us(row),
            service_tier=ServiceTier.BATCH if flag(row.get("batch")) else tier(row.get("service_tier")),
            team=text(row.get("project_id")),
            user=text(row.get("user_id")),
            usage=_usage(row),
        )
        yield from spread(request, row, count=count)


def _what(kind: str) -> str:
    known = {"usage.images", "usage.audio_speeches", "usage.audio_transcriptions", "usage.vector_stores"}
    known |= {"usage.code_interpreter_sessions", "usage.file_search_calls", "usage.web_search_calls"}
    return kind.removeprefix("usage.").replace("_", " ") if kind in known else "a row of usage"


def _usage(row: Json) -> Usage:
    output = sum_of(row, "output_tokens")
    return disjoint_usage(
        sum_of(row, "input_tokens"),
        0 if output is None else output,  # embeddings have none
        cache_read=sum_of(row, "input_cached_tokens"),
        cache_write=sum_of(row, "input_cache_write_tokens"),
        audio_input=sum_of(row, "input_audio_tokens"),
        audio_output=sum_of(row, "output_audio_tokens"),
        image_input=sum_of(row, "input_image_tokens"),
        image_output=sum_of(row, "output_image_tokens"),
        own_input=sum_of(row, "input_uncached_tokens"),
        convention=Convention.INCLUSIVE,
    )


def _matches(record: Record, _context: Context) -> bool:
    if _COUNT in record:
        return True
    kind = text(record.get("object")) or ""
    if kind == "page":
        return mapping(next(objects(record.get("data")), {})).get("object") == "bucket"
    return kind == "bucket" or (kind.startswith("organization.") and kind.endswith(".result"))


FORMAT = Format(
    info=FormatInfo(
        name="openai-usage",
        title="OpenAI usage and costs APIs",
        evidence=Evidence.RECONSTRUCTED,
        input_counts="inclusive",
        tells=("time", "cache", "team", "service_tier"),
        notes="Fields as in OpenAI's API reference and its Ruby SDK (2026). A row is as many requests as it sums up, "
        "each with an equal share of its tokens, priced at the start of its bucket and not judged; prices that depend "
        "on a request's size are those of the share. Rows without a model (group_by=model) and rows without tokens "
        "(costs, images, speech, searches) are rejected.",
    ),
    specificity=Specificity.ENVELOPE,
    matches=_matches,
    entries=lambda record, _: read_rows(record, _row),
    keys=frozenset({_COUNT, "object"}),
)
