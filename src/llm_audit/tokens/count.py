"""Count the tokens of texts, with a cache for repeated texts."""

from __future__ import annotations

import re
from collections import OrderedDict

import xxhash

from llm_audit.tokens.encodings import encoded_length
from llm_audit.tokens.ratio import TextKind, tokenizer

CACHED_FROM_CHARS = 200
CACHE_ENTRIES = 20_000

_SAMPLE_CHARS = 2000
_CJK = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\uac00-\ud7af]")
_CODE = re.compile(r"[{}();=<>\[\]_\\|&#]")
_CJK_SHARE = 0.2
_CODE_SHARE = 0.06


def count_text(text: str, model: str) -> int:
    """Return the tokens of a text for a model: exact for OpenAI's encodings, else estimated by the tokenizer's ratio.

    Any text is accepted: lone surrogates, runs of a million spaces, the text of special tokens (counted as text).
    """
    if not text:
        return 0
    known = tokenizer(model)
    count = _cached_length(text, known.encoding)
    scale = known.scale
    return round(count * scale.get(text_kind(text), scale.get(TextKind.ENGLISH, 1.0))) if scale else count


def text_kind(text: str) -> TextKind:
    """Return the kind of a text by its first characters: Chinese, Japanese or Korean; code or data; or prose."""
    sample = text[:_SAMPLE_CHARS]
    if len(_CJK.findall(sample)) > _CJK_SHARE * len(sample):
        return TextKind.CHINESE
    return TextKind.CODE if len(_CODE.findall(sample)) > _CODE_SHARE * len(sample) else TextKind.ENGLISH


_lengths: OrderedDict[tuple[int, str], int] = OrderedDict()


def _cached_length(text: str, encoding: str) -> int:
    """Return a text's length in tokens; system prompts and histories repeat, so lengths are cached by digest."""
    if len(text) < CACHED_FROM_CHARS:
        return encoded_length(text, encoding)
    key = (xxhash.xxh3_128_intdigest(text.encode("utf-8", "surrogatepass")), encoding)
    if key in _lengths:
        _lengths.move_to_end(key)
        return _lengths[key]
    length = encoded_length(text, encoding)
    _lengths[key] = length
    if len(_lengths) > CACHE_ENTRIES:
        _lengths.popitem(last=False)
    return length
