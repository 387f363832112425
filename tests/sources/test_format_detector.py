from hypothesis import example, given, settings
from hypothesis import strategies as st

from llm_audit.sources.entry import BadRecordError, NotACall, NotCallReason, Reason, Rejected
from llm_audit.sources.format_detector import FormatDetector
from llm_audit.sources.formats.interface import Context, Evidence, Format, FormatInfo, Specificity
from llm_audit.sources.formats.registry import all_formats
from llm_audit.sources.formats.signatures import Signatures
from llm_audit.sources.unwrap import unwrap

KEYS = sorted(
    {
        "timestamp",
        "model",
        "messages",
        "prompt",
        "stream",
        "metadata",
        "trace_id",
        "latency_ms",
        "status",
        "team",
        "cost",
        "uuid",
        "content",
    }
    | {key for known in all_formats() for key in known.keys}
)
TYPES = ["message", "response", "chat", "user", "gemini", "session_meta", "session", "response.done", "model_change"]
CALL = NotACall(NotCallReason.METADATA)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=6) | st.sampled_from(TYPES),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(
            st.sampled_from(["role", "content", "usage", "type", "prompt_tokens", "input_tokens", "message", "id"]),
            inner,
            max_size=3,
        )
    ),
    max_leaves=6,
)


def a_format(name: str, entries, *, key: str) -> Format:
    info = FormatInfo(name=name, title=name, evidence=Evidence.FIXTURE)
    return Format(info=info, specificity=Specificity.PRODUCT, matches=lambda record, _: key in record, entries=entries)


def calls(_record, _context):
    yield CALL


def failing(error: Exception):
    def entries(_record, _context):
        yield CALL
        raise error

    return entries


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from(KEYS), VALUES, max_size=6))
@example({"data": [{}], "ai.operationId": None})
def test_asking_only_the_formats_that_keys_allow_finds_the_same(record: dict) -> None:
    signatures = Signatures(all_formats())
    tried = [
        next((known.info.name for known in all_formats() if known.matches(inner.record, Context("x"))), "")
        for inner in unwrap(record, lambda inner: signatures.rank(inner, Context("x")))
    ]
    assert {name for name, _ in FormatDetector(all_formats(), path="log").entries(1, record)} == set(tried)


def test_the_first_format_that_matches_takes_a_record() -> None:
    formats = [a_format("one", calls, key="a"), a_format("two", calls, key="b")]
    reader = FormatDetector(formats, path="log")
    found = [name for record in ({"b": 1}, {"a": 1, "b": 1}, {"c": 1}) for name, _ in reader.entries(1, record)]
    assert found == ["two", "one", ""]
    assert reader.records == {"one": 1, "two": 1}


def test_a_fallback_takes_what_no_format_knows_and_a_forced_one_everything() -> None:
    one, two = a_format("one", calls, key="a"), a_format("two", calls, key="b")
    reader = FormatDetector([one, two], path="log", fallback=two)
    assert [name for record in ({"a": 1}, {"c": 1}) for name, _ in reader.entries(1, record)] == ["one", "two"]
    reader = FormatDetector([one, two], path="log", forced=two)
    assert [name for name, _ in reader.entries(1, {"a": 1})] == ["two"]


def test_what_an_adapter_refuses_or_did_not_foresee_is_one_entry() -> None:
    refused = BadRecordError(Reason.BAD_TOKENS, "usage")
    cases = [(refused, Reason.BAD_TOKENS), (KeyError("x"), Reason.INTERNAL_ERROR), (RecursionError(), Reason.BAD_SHAPE)]
    for error, reason in cases:
        reader = FormatDetector([a_format("one", failing(error), key="a")], path="log")
        entries = [entry for _, entry in reader.entries(1, {"a": 1})]
        assert entries[0] == CALL
        assert [entry.reason for entry in entries[1:] if isinstance(entry, Rejected)] == [reason]


def test_what_could_not_be_read_passes_through() -> None:
    rejected = Rejected(Reason.NOT_JSON)
    assert list(FormatDetector([], path="log").entries(3, rejected)) == [("", rejected)]


def test_a_format_remembers_within_its_file_and_knows_its_line() -> None:
    def counting(_record, context):
        context.state["seen"] = context.state.get("seen", 0) + 1
        seen.append((context.path, context.line, context.state["seen"]))
        yield CALL

    seen: list[tuple[str, int, int]] = []
    reader = FormatDetector([a_format("one", counting, key="a")], path="log")
    for line in (4, 9):
        list(reader.entries(line, {"a": 1}))
    assert seen == [("log", 4, 1), ("log", 9, 2)]


def test_an_adapter_that_finds_nothing_in_its_record_leaves_a_rejection() -> None:
    reader = FormatDetector([a_format("one", lambda _record, _context: iter(()), key="a")], path="log")
    assert reader.entries(1, {"a": 1}) == [("one", Rejected(Reason.BAD_SHAPE))]
