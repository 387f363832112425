"""Every help text is shown whole: nothing in it is taken for markup and lost."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from typer.main import get_command

from llm_audit.cli import application, run


def texts(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], list[str]]]:
    helps = [command.help or "", *(getattr(parameter, "help", None) or "" for parameter in command.params)]
    yield path, [text for text in helps if text]
    for name, inner in getattr(command, "commands", {}).items():
        yield from texts(inner, (*path, name))


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
