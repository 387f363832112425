import json

from llm_audit.sources.files.container import decoded
from llm_audit.sources.format_detector import FormatDetector
from llm_audit.sources.formats.interface import TypedRecord
from llm_audit.sources.formats.registry import FORMATS
from llm_audit.sources.layouts import _MAX_LAYOUTS, _MAX_MISSES

ONE = {"model": "m", "input_tokens": 1, "time": 1756720800}
OTHER = {"model": "m", "output_tokens": 2}
PAIR = {"request": {"model": "m", "messages": []}, "response": {"object": "chat.completion", "choices": []}}
UNFIT = ONE | {"input_tokens": "1"}


def kinds(*records, **options):
    """For each record whether it was decoded by a layout, read as a file's lines would be."""
    detector = FormatDetector(FORMATS, path="log", **options)
    found = []
    for line, item in decoded(enumerate((json.dumps(record).encode() for record in records), 1), detector.layouts):
        found.append(isinstance(item, TypedRecord))
        detector.entries(line, item)
    return found


def test_the_third_record_of_the_same_keys_is_decoded_by_a_layout():
    assert kinds(ONE, ONE, ONE, ONE) == [False, False, True, True]
    assert kinds(ONE, OTHER, ONE, OTHER, ONE) == [False] * 5


def test_a_layout_is_found_again():
    assert kinds(ONE, ONE, OTHER, ONE, ONE, PAIR, ONE, ONE) == [False, False, False, False, True, False, False, True]


def test_a_value_that_does_not_fit_costs_no_layout():
    assert kinds(ONE, ONE, UNFIT, ONE) == [False, False, False, True]


def test_a_layout_that_keeps_failing_is_given_up():
    assert kinds(ONE, ONE, *[UNFIT] * (_MAX_MISSES + 1), ONE, ONE)[-2:] == [False, False]
    assert kinds(ONE, ONE, *[UNFIT] * _MAX_MISSES, ONE)[-1]


def test_a_file_of_many_shapes_makes_few_layouts():
    shapes = [ONE | {f"key{n}": n} for n in range(_MAX_LAYOUTS + 1)]
    found = kinds(*[shape for shape in shapes for _ in range(3)])
    assert found == [False, False, True] * _MAX_LAYOUTS + [False] * 3


def test_where_more_than_keys_tells_a_format_there_is_no_layout():
    flat = next(form for form in FORMATS if form.info.name == "flat")
    assert not any(kinds(*[ONE] * 4, forced=flat))
    assert not any(kinds(*[ONE | {"message": "a wrapper's key"}] * 4))
    assert not any(kinds(*[ONE | {"type": "another format's key"}] * 4))
