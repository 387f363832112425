"""The entries that a log format reads from a record: requests, or a reason why there is none.

Every record read is accounted for, so an adapter yields one entry for each thing it read: a ``Request``, a
``NotACall`` (transcript metadata, a gateway cache hit, a parent span) or a ``Rejected`` with its reason. The text a
``Request`` carries stays in the ingest half: it is hashed and judged there, and dropped.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

import msgspec

Record = Mapping[str, Any]
"""A decoded record of a log."""


class Reason(StrEnum):
    """The reasons for which a record is rejected."""

    NOT_JSON = "not_json"
    NOT_AN_OBJECT = "not_an_object"
    TRUNCATED = "truncated"
    TOO_LONG = "too_long"
    UNKNOWN_FORMAT = "unknown_format"
    BINARY = "binary"
    NO_MODEL = "no_model"
    BAD_TOKENS = "bad_tokens"  # negative, fractional or absurd counts
    BAD_TIME = "bad_time"
    BAD_SHAPE = "bad_shape"  # the format is known, a field of the record is not as it should be
    ARCHIVE = "archive"  # an archive where none is opened: inside another, or in object storage
    UNREADABLE = "unreadable"  # a file that cannot be opened, or stopped being readable
    INTERNAL_ERROR = "internal_error"  # an adapter failed on the record, which is a bug


class NotCallReason(StrEnum):
    """The reasons for which a record is not a call to a provider."""

    METADATA = "metadata"
    GATEWAY_CACHE_HIT = "gateway_cache_hit"
    PARENT_SPAN = "parent_span"
    NOT_SENT = "not_sent"  # refused or blocked before it reached a provider
    NOT_A_MODEL_CALL = "not_a_model_call"  # token counting, file uploads, a tool's own span


class Message(msgspec.Struct, frozen=True, gc=False):
    """One message of a prompt, whatever the provider's shape.

    ``text`` joins the text parts by a newline. ``calls`` is the canonical text of the tool calls in an assistant
    message; ``call_id`` is, in a tool message, the id of the call it responds to, and in an assistant message that of
    its first call. ``failed`` is set where a tool message says that the call failed.
    """

    role: str  # system (developer too), user, assistant or tool
    text: str
    calls: str = ""
    call_id: str = ""
    images: int = 0
    audio: int = 0
    failed: bool = False


class Usage(msgspec.Struct, kw_only=True, frozen=True, gc=False):
    """Disjoint token counts of one call. Each field is a column of the ledger of that name; None is unknown."""

    usage_source: str = "none"
    input_tokens: int | None = None
    cache_read_tokens: int | None = None
    cache_write_5m_tokens: int | None = None
    cache_write_1h_tokens: int | None = None
    output_tokens: int | None = None
    audio_input_tokens: int | None = None
    audio_output_tokens: int | None = None
    reasoning_tokens: int | None = None
    image_input_tokens: int | None = None
    image_output_tokens: int | None = None
    ambiguous_tokens: int | None = None
    unexplained_tokens: int | None = None
    unread_counts: str | None = None
    tool_calls_billed: int | None = None
    fees_billed: str | None = None


NO_USAGE = Usage()


class Request(msgspec.Struct, kw_only=True):
    """One call to a model, as one record describes it. Fields mean what the ledger's columns of that name mean.

    ``None`` is unknown. Identifiers are still the log's own strings here; the ledger hashes them. ``merge_key`` is the
    string that repeats of one call share (never an id alone: provider, response id, model and status together).
    """

    model: str
    model_requested: str | None = None
    provider: str | None = None
    operation: str = "chat"
    time_us: int | None = None  # microseconds since 1970, UTC
    service_tier: str = "standard"
    region: str | None = None

    request_id: str | None = None
    merge_key: str | None = None
    conversation: str | None = None
    trace: str | None = None
    span: str | None = None
    parent_span: str | None = None
    wraps_calls: bool = False

    team: str | None = None
    app: str | None = None
    user: str | None = None
    environment: str | None = None
    tags: tuple[str, ...] = ()

    usage: Usage = NO_USAGE

    needs_json_schema: bool = False
    needs_reasoning: bool = False
    streamed: bool | None = None
    max_output_tokens: int | None = None

    status: str = "ok"
    status_code: int | None = None
    latency_ms: float | None = None
    stated_cost_pico: int | None = None

    messages: list[Message] | None = None  # the prompt; None where the log holds none
    tools: tuple[str, ...] = ()  # names of the tools offered
    tool_chars: tuple[int, ...] = ()  # characters of each one's definition; 0 where the request sends none
    completion: str | None = None
    completion_calls: str = ""  # canonical text of the tool calls in the reply
    completion_call_id: str | None = None  # id of the first tool call in the reply
    redacted: bool = False  # the log says that the text was removed


class NotACall(msgspec.Struct, frozen=True):
    """A record that is not a call to a provider."""

    reason: NotCallReason


class Rejected(msgspec.Struct, frozen=True):
    """A record that cannot be used, and the reason.

    Attributes:
        reason: Why it is rejected.
        field: The name of the offending field, never its value.
        unread_bytes: The bytes passed over to find the next record, where damage hides what they hold.
        note: What the user should know of it besides: a time or a number may be shown, and no other text of it.
    """

    reason: Reason
    field: str = ""
    unread_bytes: int = 0
    note: str = ""


Entry = Request | NotACall | Rejected


class TypedRecord(msgspec.Struct):
    """Base of the structs that formats make for records of certain keys, to decode lines straight into."""


class BadRecordError(Exception):
    """A field of a record cannot be right. An adapter raises it, and the record becomes a ``Rejected``."""

    def __init__(self, reason: Reason, field_name: str = "", note: str = "") -> None:
        super().__init__(f"{reason}: {field_name}")
        self.reason = reason
        self.field_name = field_name
        self.note = note
