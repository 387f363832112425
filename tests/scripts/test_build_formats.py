"""The documents say which formats there are, and their example of a format is one."""

import importlib.util
import json
import re
from pathlib import Path
from types import ModuleType

import pytest
from tests.sources.formats.fixture_files import tokens

from llm_audit.sources.entry import BadRecordError, Entry, NotACall, Record, Rejected, Request
from llm_audit.sources.formats.interface import Context, Format
from llm_audit.sources.formats.registry import all_formats, built_in, ordered

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs/formats.md").read_text(encoding="utf-8")
GUIDE = PAGE.partition("## Add a format")[2]


def load(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


BUILD = load(ROOT / "scripts/build_formats.py")


def test_the_tables_are_those_of_the_registry() -> None:
    assert BUILD.tables(PAGE) == PAGE, "run scripts/build_formats.py"
    named = re.findall(r"^\| [^|]+ \| `([a-z0-9-]+)` \| (?:real|fixtures|documentation) \|", PAGE, re.MULTILINE)
    assert sorted(named) == sorted(form.info.name for forms in built_in().values() for form in forms)


@pytest.mark.parametrize("name", BUILD.COUNTED)
def test_the_number_of_formats_is_that_of_the_registry(name: str) -> None:
    page = (ROOT / name).read_text(encoding="utf-8")
    assert BUILD.COUNT.search(page)
    assert BUILD.counts(page) == page, "run scripts/build_formats.py"


def test_the_changelog_of_a_release_is_not_rewritten() -> None:
    assert not BUILD.COUNT.search((ROOT / "CHANGELOG.md").read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", ["CONTRIBUTING.md", "docs/formats.md"])
def test_a_guide_names_every_room(name: str) -> None:
    page = (ROOT / name).read_text(encoding="utf-8")
    guide = page.partition("## Add a ")[2]
    assert [room for room in built_in() if f"`{room}`" not in guide] == []


def test_a_room_without_a_table_is_found() -> None:
    with pytest.raises(ValueError, match="the rooms are agents, apps, batches"):
        BUILD.tables(PAGE.replace("<!-- formats: agents -->", ""))


def entries_of(form: Format, record: Record) -> list[Entry]:
    try:
        return list(form.entries(record, Context("x")))
    except BadRecordError as error:
        return [Rejected(error.reason, error.field_name)]


def test_the_example_of_the_guide_is_a_format_and_passes_its_test(tmp_path: Path) -> None:
    blocks = re.search(r"```json\n(.*?)```.*?```python\n(.*?)```.*?```python\n(.*?)```", GUIDE, re.DOTALL)
    assert blocks is not None
    lines, module, test = blocks.groups()
    (tmp_path / "acme.py").write_text(module)
    form = load(tmp_path / "acme.py").FORMAT
    assert form in ordered([*all_formats(), form])
    records = [json.loads(line) for line in lines.splitlines()]
    for record in records:
        matching = {known.info.name for known in [*all_formats(), form] if known.matches(record, Context("x"))}
        assert matching - {"flat"} == {"acme"}
    found = [entry for record in records for entry in entries_of(form, record)]

    def requests(_path: str) -> list[Request]:
        return [entry for entry in found if isinstance(entry, Request)]

    def not_calls(_path: str) -> list[str]:
        return [entry.reason.value for entry in found if isinstance(entry, NotACall)]

    def rejections(_path: str) -> list[tuple[str, str]]:
        return [(entry.reason.value, entry.field) for entry in found if isinstance(entry, Rejected)]

    names: dict[str, object] = {
        "requests": requests, "not_calls": not_calls, "rejections": rejections, "tokens": tokens,
    }  # fmt: skip
    body = "".join(line for line in test.splitlines(keepends=True) if not line.startswith("from "))
    exec(body, names)
    tests = [case for name, case in names.items() if name.startswith("test_") and callable(case)]
    assert len(tests) == 3
    for case in tests:
        case()
