from llm_audit.sources.formats.interface import Context


def test_what_formats_share_about_a_record_is_worked_out_once() -> None:
    calls = []

    def work(record: dict[str, int]) -> int:
        calls.append(record)
        return len(record)

    context, first, second = Context("log"), {"a": 1}, {"a": 1}
    assert [context.once(work, first), context.once(work, first)] == [1, 1]
    assert calls == [first]
    assert context.once(work, second) == 1
    assert len(calls) == 2
    assert calls[1] is second


def test_another_file_shares_nothing() -> None:
    record = {"a": 1}
    assert Context("one").once(id, record) == id(record)
    assert Context("two").once(len, record) == 1
