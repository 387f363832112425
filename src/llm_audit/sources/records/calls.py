"""Parts that calls of any format have in common: identity, outcome, tier, kind and stated cost."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, TypeVar

from msgspec.structs import replace

from llm_audit.money import pico
from llm_audit.sources.entry import BadRecordError, Entry, Rejected, Request, Usage
from llm_audit.sources.records.column_names import Columns
from llm_audit.sources.records.fields import flag, number, text
from llm_audit.sources.remembered import remembered
from llm_audit.vocabulary import Operation, ServiceTier, Status

_TIERS = {
    "batch": ServiceTier.BATCH,
    "flex": ServiceTier.FLEX,
    "priority": ServiceTier.PRIORITY,
    "on_demand_priority": ServiceTier.PRIORITY,
    "on_demand_flex": ServiceTier.FLEX,
    "fast": ServiceTier.FAST,
    **dict.fromkeys(
        ("provisioned", "provisioned_throughput", "reserved", "scale", "ptu", "provisionedmanaged"),
        ServiceTier.PROVISIONED,
    ),
}
_CLOUDS = {"gcp": "google", "az": "azure"}
_OPERATIONS = (
    ("embed", Operation.EMBEDDING.value),
    ("image", Operation.IMAGE.value),
    ("transcription", Operation.AUDIO.value),
    ("speech", Operation.AUDIO.value),
    ("audio", Operation.AUDIO.value),
    ("rerank", Operation.RERANK.value),
    ("moderation", Operation.MODERATION.value),
)
_CHAT = Operation.CHAT.value


_STANDARD = ServiceTier.STANDARD  # members of enumerations are looked up slowly
_OK, _ERROR, _UNKNOWN = Status.OK.value, Status.ERROR.value, Status.UNKNOWN.value

_Item = TypeVar("_Item")


def reject_on_error(read: Callable[[_Item], Entry], item: _Item) -> Entry:
    """Read one of the items that a record holds, so that a bad one does not cost those around it."""
    try:
        return read(item)
    except BadRecordError as error:
        return Rejected(error.reason, error.field_name, note=error.note)


def merge_key(response_id: object, *, model: str, status: str = Status.OK) -> str | None:
    """Return what repeats of one call share; None where the provider's response id is not logged.

    The id alone would not do: ids collide across gateways, and a failed try may carry that of the one that worked.
    """
    found = text(response_id)
    return None if found is None else f"{found}|{model}|{status}"


def span_key(trace: str | None, span: str | None, *, model: str, status: str = Status.OK) -> str | None:
    """Return what exports of one span share; None where it carries no id."""
    return None if span is None else f"span|{trace or ''}|{span}|{model}|{status}"


def set_usage(request: Request, usage: Usage) -> None:
    """Set the usage of a request. An embedding has no output, whether or not its log states that."""
    request.usage = usage
    if usage.output_tokens is None and usage.input_tokens is not None and request.operation == Operation.EMBEDDING:
        request.usage = replace(usage, output_tokens=0)


def cost_pico(value: object) -> int | None:
    """Return a stated amount of dollars as pico-dollars; None where there is none, or it is not an amount."""
    if value is None or isinstance(value, bool) or not isinstance(value, int | float | str | Decimal):
        return None
    found = pico(value)
    return found if found is None or found >= 0 else None


def provider(name: object) -> str | None:
    """Return the provider of a tracer's name for a system (``openai.responses``, ``gcp.vertex_ai``).

    >>> provider("anthropic.messages"), provider("gcp.gemini"), provider("z.ai"), provider("")
    ('anthropic', 'google', 'z.ai', None)
    """
    found = text(name)
    return None if found is None else _provider(found)


@remembered
def _provider(name: str) -> str | None:
    lowered = name.strip().lower()
    head = lowered.split(".")[0]
    return lowered if lowered == "z.ai" else _CLOUDS.get(head, head) or None


def tier(value: object) -> str:
    """Return the service tier of this name; standard where it is none of the others."""
    return _TIERS.get(value.strip().lower(), _STANDARD) if isinstance(value, str) else _STANDARD


def is_batched(record: Mapping[str, Any], columns: Columns) -> bool:
    """Return whether a column says that a call was made by a batch API.

    A bare ``batch`` of 1 or "1" may as well be a batch's number or size, and says so only under ``is_batch``.
    """
    value, is_bare = record.get(columns.batch), columns.names("batch", "batch")
    if value is None:
        value, is_bare = record.get("batch"), True
    is_number = not isinstance(value, bool) and number(value) is not None
    return flag(value) is True and not (is_number and is_bare)


def operation(name: object) -> str:
    """Return the kind of call that an operation, path or call type names; chat where it names none other."""
    return _operation(name) if isinstance(name, str) else _CHAT


@remembered
def _operation(name: str) -> str:
    lowered = name.lower()
    return next((kind for word, kind in _OPERATIONS if word in lowered), _CHAT)


def outcome(code: int | None) -> str:
    """Return how a call ended by its HTTP status; unknown where there is none."""
    if code is None:
        return _UNKNOWN
    return _OK if 200 <= code < 400 else _ERROR
