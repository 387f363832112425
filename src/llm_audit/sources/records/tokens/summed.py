"""Token counts that are parts of a sum, as Langfuse keeps them: each token is in one count only.

``{"input": 100, "input_cached_tokens": 900, "output": 20, "output_reasoning_tokens": 8, "total": 1028}``
"""

from __future__ import annotations

import re
from collections import defaultdict

from msgspec.structs import replace

from llm_audit.sources.entry import NO_USAGE, Usage
from llm_audit.sources.records.disjoint import Convention, as_count, disjoint_usage
from llm_audit.sources.records.fields import Json
from llm_audit.sources.records.tokens.names import normalize_name

_KINDS = tuple(
    (kind, re.compile(pattern))
    for kind, pattern in (
        ("total", r"total(_tokens?)?(_count)?"),
        ("prediction", r"(output_)?(accepted|rejected)_prediction(_tokens)?"),
        ("cache_write_1h", r"(?=.*cache).*_1h\b.*|.*ephemeral_1h_input_tokens"),
        ("cache_write_5m", r"(?=.*cache).*_5m\b.*|.*ephemeral_5m_input_tokens"),
        ("cache_write", r".*cached?_(creation|write).*"),
        ("cached_content", r"cached_content_token_count"),
        ("cached_modality", r"cached_modality_.*"),
        ("cache_read", r".*(cached|cache_read|cache_hit).*"),
        ("reasoning", r".*(reasoning|thoughts|thinking).*"),
        ("audio_input", r"(input|prompt)_.*audio.*"),
        ("audio_output", r"(output|completion)_.*audio.*"),
        ("image_input", r"(input|prompt)_.*image.*"),
        ("image_output", r"(output|completion)_.*image.*"),
        ("input", r"(input|prompt|tool_use_prompt)(_.*)?"),
        ("output", r"(output|completion|candidates)(_.*)?"),
    )
)
"""Kinds of tokens by the names of their counts, the first that matches."""

_NAME = re.compile(r"[a-z_]{1,60}")  # an id or a key may stand where a name should


def read_parts(details: Json) -> Usage:
    """Read counts that add up to their total; a total that they do not add up to says what includes what.

    Gemini's own ``cached_content_token_count`` is part of the input, which ``cached_modality_…`` counts are not.
    """
    found: defaultdict[str, dict[int, int]] = defaultdict(dict)  # counts by kind; of equal ones of a kind, one
    unread: list[str] = []
    stated, everything = None, 0
    for name, value in details.items():
        kind, count = _kind(name), as_count(value, name)
        if kind == "total":
            stated = count
        elif count is not None:
            everything += count
            if kind is None and count:
                unread.append(named if _NAME.fullmatch(named := normalize_name(name)) else "…")
            elif kind is not None:
                _add(found[kind], count, once="cache" in kind or kind == "reasoning")
    sums = {kind: sum(counts.values()) for kind, counts in found.items()}
    if "input" not in sums and "output" not in sums:
        return NO_USAGE
    usage = _disjoint(sums, None if stated == everything else stated)
    return replace(usage, unread_counts=",".join(unread)) if unread else usage


def _kind(name: str) -> str | None:
    normalized = normalize_name(name)
    return next((kind for kind, pattern in _KINDS if pattern.fullmatch(normalized)), None)


def _add(counts: dict[int, int], count: int, *, once: bool) -> None:
    counts[count] = count if once else counts.get(count, 0) + count


def _disjoint(sums: dict[str, int], stated: int | None) -> Usage:
    get = sums.get
    long, short, created = get("cache_write_1h"), get("cache_write_5m"), get("cache_write")
    if created is not None and created != (long or 0) + (short or 0):
        short = (short or 0) + created  # what has no lifetime has the default one
    elif short is None and created is not None:
        short = 0
    read = get("cached_modality", get("cache_read"))
    inclusive = read is None and "cached_content" in sums
    into = sum(get(kind, 0) for kind in ("input", "audio_input", "image_input"))
    outof = sum(get(kind, 0) for kind in ("output", "audio_output", "image_output"))
    reasoning = get("reasoning")
    cached = 0 if inclusive else (read or 0) + (short or 0) + (long or 0)
    return disjoint_usage(
        into if sums.keys() & {"input", "audio_input", "image_input"} else None,
        outof if sums.keys() & {"output", "audio_output", "image_output"} else None,
        cache_read=get("cached_content") if inclusive else read,
        cache_write=short,
        cache_write_1h=long,
        reasoning=reasoning,
        audio_input=get("audio_input") or None,
        audio_output=get("audio_output") or None,
        image_input=get("image_input") or None,
        image_output=get("image_output") or None,
        total=into + outof + (reasoning or 0) + cached if stated is None else stated,
        convention=Convention.INCLUSIVE if inclusive else Convention.EXCLUSIVE,
    )
