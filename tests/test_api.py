"""The public API: what ``dir`` shows, and that every example in it is true."""

import doctest
import subprocess
import sys
from pathlib import Path

import pytest

import llm_audit

ROOT = Path(__file__).resolve().parent.parent
OBJECTS = {name: getattr(llm_audit, name) for name in llm_audit.__all__ if name != "__version__"}


@pytest.fixture
def _in_a_checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLM_AUDIT_CACHE_DIR", str(tmp_path))
    monkeypatch.chdir(ROOT)


def test_dir_shows_the_public_api_and_nothing_else() -> None:
    program = "import llm_audit; print(*dir(llm_audit)); llm_audit.analyze; print(*dir(llm_audit))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == [" ".join(sorted(llm_audit.__all__))] * 2
    assert "__version__" in llm_audit.__all__


def test_an_unknown_name_is_refused() -> None:
    with pytest.raises(AttributeError, match="no attribute 'analyse'"):
        llm_audit.analyse  # noqa: B018


@pytest.mark.usefixtures("_in_a_checkout")
@pytest.mark.parametrize("name", ["", *OBJECTS])
def test_the_example_of_every_public_name_is_true(name: str) -> None:
    text = (OBJECTS[name] if name else llm_audit).__doc__
    names = {"llm_audit": llm_audit, "Path": Path}
    examples = doctest.DocTestParser().get_doctest(text, names, name, None, None)
    assert examples.examples, f"{name} has no example"
    assert doctest.DocTestRunner().run(examples).failed == 0


def test_the_page_shows_every_public_name() -> None:
    page = (ROOT / "docs/api.md").read_text(encoding="utf-8")
    missing = [name for name in OBJECTS if f"\n::: llm_audit.{name}\n" not in page]
    assert missing == []
