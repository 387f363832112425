import json

from llm_audit.sources.entry import TypedRecord
from llm_audit.sources.fast_path import _MAX_MISSES, _MAX_READERS
from llm_audit.sources.files.container import decoded
from llm_audit.sources.format_detector import FormatDetector
from llm_audit.sources.formats.registry import all_formats

ONE = {"model": "m", "input_tokens": 1, "time": 1756720800}
OTHER = {"model": "m", "output_tokens": 2}
PAIR = {"request": {"model": "m", "messages": []}, "response": {"object": "chat.completion", "choices": []}}
UNFIT = ONE | {"input_tokens": "1"}


def kinds(*records, **options):
    """For each record whether it was decoded by a typed reader, read as a file's lines would be."""
    detector = FormatDetector(all_formats(), path="log", **options)
    found = []
    for line, item in decoded(
        enumerate((json.dumps(record).encode() for record in records), 1), detector.fast_path.decode
    ):
        found.append(isinstance(item, TypedRecord))
        detector.entries(line, item)
    return found


def test_the_third_record_of_the_same_keys_is_decoded_by_a_typed_reader():
    assert kinds(ONE, ONE, ONE, ONE) == [False, False, True, True]
    assert kinds(ONE, OTHER, ONE, OTHER, ONE) == [False] * 5


def test_records_of_the_same_keys_need_not_follow_each_other():
    assert kinds(ONE, OTHER, ONE, ONE, OTHER, OTHER) == [False, False, False, True, False, True]


def test_a_typed_reader_is_found_again():
    assert kinds(ONE, ONE, OTHER, ONE, ONE, PAIR, ONE, ONE) == [False, False, False, False, True, False, False, True]


def test_a_value_that_does_not_fit_costs_no_typed_reader():
    assert kinds(ONE, ONE, UNFIT, ONE) == [False, False, False, True]


def test_a_typed_reader_that_keeps_failing_is_given_up():
    assert kinds(ONE, ONE, *[UNFIT] * (_MAX_MISSES + 1), ONE, ONE)[-2:] == [False, False]
    assert kinds(ONE, ONE, *[UNFIT] * _MAX_MISSES, ONE)[-1]


def test_a_file_of_many_shapes_makes_few_readers():
    shapes = [ONE | {f"key{n}": n} for n in range(_MAX_READERS + 1)]
    found = kinds(*[shape for shape in shapes for _ in range(3)])
    assert found == [False, False, True] * _MAX_READERS + [False] * 3


def test_the_usual_columns_of_home_made_logs_alone_tell_their_format():
    record = {"timestamp": 1756720800, "request_id": "r", "model": "m", "messages": [], "stream": True, "usage": None}
    assert kinds(*[record | {"metadata": {}, "trace_id": "t", "latency_ms": 1, "status": 200}] * 3)[-1]


def test_where_more_than_keys_tells_a_format_there_is_no_typed_reader():
    flat = next(form for form in all_formats() if form.info.name == "flat")
    assert not any(kinds(*[ONE] * 4, forced=flat))
    assert not any(kinds(*[{"model": "m", "time": 1756720800, "message": "perhaps a wrapper"}] * 4))
    assert not any(kinds(*[ONE | {"type": "another format's key"}] * 4))
