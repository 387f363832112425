"""Every help text is shown whole: nothing in it is taken for markup and lost."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from typer.main import get_command

from llm_audit.cli import run
from llm_audit.cli.root import help as own_help
from llm_audit.cli.root.application import application, invoke


def texts(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], list[str]]]:
    helps = [command.help or "", *(getattr(parameter, "help", None) or "" for parameter in command.params)]
    yield path, [text for text in helps if text]
    for name, inner in getattr(command, "commands", {}).items():
        yield from texts(inner, (*path, name))


WIDTHS = (1, *range(48, 104), 300)
ALL = dict(texts(get_command(application())))


@pytest.mark.parametrize("path", ALL, ids=" ".join)
def test_help_loses_no_bracket(
    path: tuple[str, ...], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:

    monkeypatch.setenv("COLUMNS", "300")
    monkeypatch.setenv("TERMINAL_WIDTH", "300")
    assert run([*path, "--help"]) == 0
    shown = " ".join(re.sub(r"[│╭╮╰╯─]", " ", capsys.readouterr().out).split())
    for text in ALL[path]:
        first = " ".join(text.split("\n\n")[0].split())
        for part in re.findall(r"\[[^\]]*\]", first):
            assert part in shown, f"{part} of {first!r} is lost"


@pytest.mark.parametrize("arguments", [["--help"], ["-h"], ["--version"], ["-V"]], ids=" ".join)
def test_what_is_answered_without_typer_is_what_typer_prints(
    arguments: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for width in WIDTHS:
        monkeypatch.setenv("COLUMNS", str(width))
        assert run(arguments) == 0
        own = capsys.readouterr().out
        assert own == f"{own_help.answer(arguments)}\n"
        invoke(arguments)
        assert own == capsys.readouterr().out, width


@pytest.mark.parametrize("arguments", [[], ["analyze", "--help"], ["--help", "-v"], ["--version", "-v"], ["-v"]])
def test_all_else_is_left_to_typer(arguments: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    assert own_help.answer(arguments) is None
    monkeypatch.setenv("_LLM_AUDIT_COMPLETE", "complete_bash")
    assert own_help.answer(["--help"]) is None
