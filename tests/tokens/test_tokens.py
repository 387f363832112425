import hashlib
from base64 import b64encode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llm_audit.sources.entry import Message, Request, Usage
from llm_audit.tokens import encodings
from llm_audit.tokens.count import _lengths, count_text, text_kind
from llm_audit.tokens.encodings import RankTableError, encoded_length, encoding, ranks
from llm_audit.tokens.estimate import fill
from llm_audit.tokens.images import image_tokens
from llm_audit.tokens.ratio import TextKind, tokenizer, tokenizer_ratio

PUBLISHED_SHA256 = {  # as tiktoken pins them
    "o200k_base": "446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d",
    "cl100k_base": "223921b76ee99bde995b7ff738513eef100fb51d18c93597a113bcffe865b2a7",
}


@pytest.mark.parametrize("name", PUBLISHED_SHA256)
def test_bundled_ranks_are_the_published_table(name):
    text = "".join(f"{b64encode(token).decode()} {rank}\n" for token, rank in ranks(name).items())
    assert hashlib.sha256(text.encode()).hexdigest() == PUBLISHED_SHA256[name]


def test_a_damaged_table_is_refused(monkeypatch):
    monkeypatch.setitem(encodings._PACKED_SHA256, "cl100k_base", "0" * 64)
    with pytest.raises(RankTableError, match="Install llm-audit again"):
        ranks("cl100k_base")


@pytest.mark.parametrize(
    ("text", "o200k", "cl100k"),
    [  # token ids as OpenAI's tokenizer shows them
        ("hello world", [24912, 2375], [15339, 1917]),
        ("tiktoken is great!", [83, 8251, 2488, 382, 2212, 0], [83, 1609, 5963, 374, 2294, 0]),
    ],
)
def test_encodings_give_the_known_ids(text, o200k, cl100k):
    assert encoding("o200k_base").encode_ordinary(text) == o200k
    assert encoding("cl100k_base").encode_ordinary(text) == cl100k
    assert (count_text(text, "gpt-4o"), count_text(text, "gpt-4-turbo")) == (len(o200k), len(cl100k))


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=300))
def test_encoding_loses_nothing(text):
    for name in PUBLISHED_SHA256:
        tokens = encoding(name).encode_ordinary(text)
        assert encoding(name).decode(tokens) == text
        assert encoded_length(text, name) == len(tokens)


@pytest.mark.parametrize(
    "text", [" " * 1_000_000, "\n" * 1_000_000, "a" * 1_000_000, "\ud800" * 1000, "<|endoftext|>" * 9]
)
def test_hostile_text_is_counted_and_ends_no_run(text):
    assert 0 < count_text(text, "gpt-4o") <= 3 * len(text)


def test_an_encoder_that_panics_is_replaced_by_bytes(monkeypatch):
    class PanicException(BaseException):
        pass

    class Panicking:
        def encode_ordinary(self, text):
            raise PanicException(text)

    monkeypatch.setattr(encodings, "encoding", lambda _: Panicking())
    assert encoded_length("x" * 39, "o200k_base") == 10


def test_an_interrupt_is_not_swallowed(monkeypatch):
    class Interrupted:
        def encode_ordinary(self, text):
            raise KeyboardInterrupt(text)

    monkeypatch.setattr(encodings, "encoding", lambda _: Interrupted())
    with pytest.raises(KeyboardInterrupt):
        encoded_length("x", "o200k_base")


def test_the_same_text_is_encoded_once(monkeypatch):
    calls = []
    text = "You are a helpful assistant. " * 40
    _lengths.clear()
    monkeypatch.setattr("llm_audit.tokens.count.encoded_length", lambda text, name: calls.append(name) or len(text))
    assert [count_text(text, "gpt-4o") for _ in range(5)] == [len(text)] * 5
    assert calls == ["o200k_base"]
    assert not any(text in str(key) for key in _lengths)


@pytest.mark.parametrize(
    ("model", "name"),
    [
        ("gpt-4o-mini-2024-07-18", "o200k"), ("o3-mini", "o200k"), ("gpt-5.4", "o200k"), ("gpt-4-turbo", "cl100k"),
        ("gpt-3.5-turbo", "cl100k"), ("text-embedding-3-small", "cl100k"), ("phi-4", "phi-4"),
        ("us.anthropic.claude-3-5-sonnet-20241022-v2:0", "claude-3"), ("claude-opus-4-6", "claude-3"),
        ("claude-opus-4-7", "claude-4.7"), ("claude-sonnet-5", "claude-4.7"), ("claude-2.1", "claude-2"),
        ("deepseek-chat", "deepseek-v3"), ("mixtral-8x7b-instruct", "llama-2"), ("brand-new-model", "unknown"),
    ],
)  # fmt: skip
def test_models_map_to_tokenizers_and_unknown_ones_to_o200k(model, name):
    known = tokenizer(model)
    assert known.name == name
    assert known.encoding in PUBLISHED_SHA256
    assert known.source


def test_ratios_between_tokenizers():
    assert tokenizer_ratio("gpt-4o", "gpt-4o-mini") == 1.0
    assert tokenizer_ratio("gpt-4o", "claude-haiku-4-5") == 1.16
    assert tokenizer_ratio("gpt-4o", "claude-haiku-4-5", "code") == 1.30
    assert tokenizer_ratio("gpt-4o", "claude-haiku-4-5", "math") == 1.21
    assert tokenizer_ratio("claude-haiku-4-5", "gpt-4o", "code") == pytest.approx(1 / 1.30)
    assert tokenizer_ratio("claude-sonnet-4-6", "claude-opus-4-7") == pytest.approx(1.39 / 1.16)


def test_counts_of_other_tokenizers_are_scaled_by_the_kind_of_text():
    prose, code = "The quick brown fox jumps over the lazy dog. " * 20, "def f(x):\n    return {x: [x, (x + 1)]}\n" * 20
    assert (text_kind(prose), text_kind(code), text_kind("你好世界" * 9)) == (
        TextKind.ENGLISH,
        TextKind.CODE,
        TextKind.CHINESE,
    )
    for text, ratio in ((prose, 1.16), (code, 1.30)):
        assert count_text(text, "claude-haiku-4-5") == round(count_text(text, "gpt-4o") * ratio)


@pytest.mark.parametrize(
    ("model", "size", "tokens"),
    [  # worked examples of the developers' documentation
        ("gpt-4o", (1024, 1024), 765), ("gpt-4o", (2048, 4096), 1105), ("gpt-4o-mini", (1024, 1024), 25501),
        ("claude-haiku-4-5", (1092, 1092), 1590), ("claude-haiku-4-5", (200, 200), 54),
        ("gemini-2.5-flash", (384, 384), 258), ("gemini-2.5-flash", (960, 540), 516),
    ],
)  # fmt: skip
def test_images_take_what_the_documentation_says(model, size, tokens):
    assert image_tokens(model, *size) == tokens


def request(**fields):
    messages = [Message("system", "hello world"), Message("user", "hello world")]
    return Request(**{"model": "gpt-4o", "messages": messages, "completion": "hello world"} | fields)


def test_missing_counts_are_filled_from_text_and_labelled():
    call = request()
    fill(call)
    assert call.usage == Usage(input_tokens=3 + 2 * (3 + 2), output_tokens=2, usage_source="estimated")


def test_reported_counts_are_never_touched():
    call = request(usage=Usage(input_tokens=99, output_tokens=1, usage_source="reported"))
    fill(call)
    assert (call.usage.input_tokens, call.usage.output_tokens, call.usage.usage_source) == (99, 1, "reported")
    cached = request(usage=Usage(cache_read_tokens=50, output_tokens=1, usage_source="reported"))
    fill(cached)
    assert (cached.usage.input_tokens, cached.usage.usage_source) == (None, "reported")


def test_a_stream_cut_off_before_its_usage_gets_its_output_counted():
    call = request(usage=Usage(input_tokens=99, usage_source="reported"))
    fill(call)
    assert (call.usage.input_tokens, call.usage.output_tokens, call.usage.usage_source) == (99, 2, "estimated")


ZEROS = Usage(input_tokens=0, cache_read_tokens=0, output_tokens=0, usage_source="reported")


def test_zeros_of_a_call_that_took_tokens_are_unknown_counts():
    call = request(usage=ZEROS)
    fill(call)
    assert call.usage == Usage(input_tokens=13, output_tokens=2, usage_source="estimated")
    cut = request(usage=ZEROS, status="cancelled")
    fill(cut)
    assert cut.usage.usage_source == "estimated"  # it has a reply
    silent = request(usage=ZEROS, messages=None, completion=None)
    fill(silent)
    assert silent.usage == Usage()


@pytest.mark.parametrize("operation", ["image", "audio", "rerank"])
def test_what_images_and_speech_took_is_not_told_by_their_prompts(operation):
    for usage in (Usage(), ZEROS):
        call = request(operation=operation, completion=None, usage=usage)
        fill(call)
        assert call.usage == Usage()


@pytest.mark.parametrize(
    "fields",
    [
        {"status": "error"},
        {"status": "cancelled", "completion": None},
        {"operation": "moderation"},  # which is free
        {"usage": Usage(input_tokens=0, output_tokens=0, tool_calls_billed=1, usage_source="reported")},
        {"usage": Usage(input_tokens=0, output_tokens=0, fees_billed="search=1", usage_source="reported")},
    ],
)
def test_zeros_of_other_calls_are_kept(fields):
    call = request(**{"usage": ZEROS} | fields)
    fill(call)
    assert call.usage == fields.get("usage", ZEROS)


@pytest.mark.parametrize("fields", [{"redacted": True}, {"status": "error"}, {"messages": None, "completion": None}])
def test_nothing_is_made_up_where_there_is_no_text_or_no_bill(fields):
    call = request(**fields)
    fill(call)
    assert (call.usage.input_tokens, call.usage.output_tokens, call.usage.usage_source) == (None, None, "none")


def test_images_and_tools_have_their_overheads():
    call = request(messages=[Message("user", "hello world", images=2)], tools=("search", "search"))
    fill(call)
    assert call.usage.image_input_tokens == 2 * 765
    assert call.usage.input_tokens == 3 + (3 + 2) + 2 * 765 + 2 * (1 + 7) + 12
    claude = request(model="claude-haiku-4-5", messages=[Message("user", "hello")], tools=("search",))
    fill(claude)
    assert claude.usage.input_tokens == 3 + (3 + 1) + 1 + 7 + 346
