import importlib.util
import json
import platform
import re
import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path
from pkgutil import iter_modules

import pytest
import typer
from tests.cli.conftest import write_log

from llm_audit import __version__
from llm_audit.classify import Classifier
from llm_audit.cli import COMMANDS, GROUPS, commands, groups, run
from llm_audit.cli.root.application import application
from llm_audit.cli.version import EXTENSIONS
from llm_audit.pricing import PriceBook


def test_version_and_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--version"]) == 0
    assert capsys.readouterr().out == f"llm-audit {__version__}\n"
    assert run(["--help"]) == 0
    assert "analyze" in capsys.readouterr().out


@pytest.mark.parametrize("arguments", [["--version", "-v"], ["-v", "-V"], ["--verbose", "--version"]], ids=" ".join)
def test_the_version_in_full_says_what_is_in_use(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(arguments) == 0
    first, *rest = capsys.readouterr().out.splitlines()
    shown = dict(line.split(": ", 1) for line in rest)
    assert first == f"llm-audit {__version__}"
    assert shown["Python"].startswith(platform.python_version())
    assert f"polars {metadata.version('polars')}" in shown["Libraries"]
    assert shown["Price table"].startswith(f"genai-prices {metadata.version('genai-prices')} ")
    assert shown["Price table"].endswith(PriceBook().fingerprint)
    assert shown["Classifier"] == Classifier.load().fingerprint
    shown_forms = [f"{name.removeprefix('llm_audit.')} {form_of(name)}" for name in EXTENSIONS]
    assert shown["Extensions"].split(", ") == shown_forms


def test_the_version_names_all_extensions() -> None:
    declared = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["tool"]["setuptools"][
        "ext-modules"
    ]
    assert sorted(extension["name"] for extension in declared) == list(EXTENSIONS)


def form_of(extension: str) -> str:
    return "pure Python" if importlib.util.find_spec(extension) is None else "compiled"


def test_the_version_in_full_says_where_nothing_is_compiled(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in EXTENSIONS:
        monkeypatch.setitem(sys.modules, name, None)
    assert run(["--version", "-v"]) == 0
    assert capsys.readouterr().out.count(" pure Python") == len(EXTENSIONS)


def test_verbose_alone_is_for_the_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["-v", "models"]) == 2
    assert "goes with --version" in capsys.readouterr().err


def test_every_command_is_one_module_and_every_module_one_command() -> None:
    assert sorted(COMMANDS) == [module.name for module in iter_modules(commands.__path__)]
    assert sorted(GROUPS) == [module.name for module in iter_modules(groups.__path__)]


def test_the_list_of_commands_says_what_the_help_of_each_begins_with() -> None:
    """The list is printed without loading the commands."""
    shown = typer.main.get_command(application()).commands
    assert {name: shown[name].help.split("\n")[0] for name in shown} == COMMANDS | GROUPS


def test_help_lists_every_command_with_its_whole_summary(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--help"]) == 0
    words = capsys.readouterr().out.split()
    assert [name for name, summary in (COMMANDS | GROUPS).items() if summary.split()[-1] not in words] == []
    assert "..." not in words


@pytest.mark.parametrize("command", COMMANDS)
def test_help_shows_the_names_of_options_whole_at_80_columns(
    command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    assert run([command, "--help"]) == 0
    shown = re.split(r"[\s,]+", capsys.readouterr().out)
    parameters = typer.main.get_command(application()).commands[command].params
    options = [name for parameter in parameters for name in (*parameter.opts, *parameter.secondary_opts)]
    assert [name for name in options if name.startswith("-") and name not in shown] == []


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], ""),
        (["analyse"], "No such command"),
        (["analyze"], "Missing argument"),
        (["analyze", "--nope", "x"], "No such option"),
        (["analyze", "/nonexistent/logs"], "/nonexistent/logs"),
        (["analyze", "x", "-o", "report.docx"], ".docx"),
        (["analyze", "x", "-f", "docx"], "docx"),
        (["report", "/nonexistent.json"], "Cannot read"),
    ],
)
def test_usage_errors_end_with_2_and_one_line(
    arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(arguments) == 2
    error = capsys.readouterr().err
    assert words in error
    assert "Traceback" not in error
    assert error.count("\n") <= 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["analyze"], "Missing argument 'PATH…'. See `llm-audit analyze --help`."),
        (["analyze", "x", "-f"], "Option '-f' requires an argument. See `llm-audit analyze --help`."),
        (["report", "x", "-z"], "No such option: -z. See `llm-audit report --help`."),
        (["formats", "detect"], "Missing argument 'PATH…'. See `llm-audit formats detect --help`."),
        (["policy", "shw"], "No such command 'shw'. Did you mean 'show'? See `llm-audit policy --help`."),
        (["analyse"], "No such command 'analyse'. Did you mean 'analyze'? See `llm-audit --help`."),
        (["check", "check", "-j", "-1"], "greater than or equal to 0. See `llm-audit check --help`."),
    ],
    ids=lambda value: value if isinstance(value, str) else " ".join(value),
)
def test_a_usage_error_is_a_sentence_and_names_the_help_of_its_command(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(arguments) == 2
    assert capsys.readouterr().err.endswith(f"{message}\n")


def test_a_fault_of_our_own_ends_with_70_and_no_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(**_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("llm_audit.config.load", broken)
    assert run(["config", "show"]) == 70
    assert "ZeroDivisionError" in capsys.readouterr().err


def test_control_characters_do_not_reach_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["analyze", "/nonexistent/\x1b[31mred"]) == 2
    assert "\x1b" not in capsys.readouterr().err


def test_a_closed_pipe_is_neither_a_failed_gate_nor_a_traceback() -> None:
    script = f"{sys.executable} -m llm_audit config show | true; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", script], capture_output=True, check=False)
    assert done.returncode == 141
    assert done.stderr == b""


def test_a_reader_that_went_away_still_gets_its_files(tmp_path: Path) -> None:
    log, report = write_log(tmp_path / "log.jsonl"), tmp_path / "audit.json"
    script = f"{sys.executable} -m llm_audit analyze {log} -o {report} | true; exit ${{PIPESTATUS[0]}}"
    assert subprocess.run(["bash", "-c", script], capture_output=True, check=False).returncode == 141
    assert json.loads(report.read_text())["requests"]["audited"] > 0


NO_DISK = pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a disk that is always full")


@pytest.mark.parametrize(
    ("redirection", "words"),
    [pytest.param(">/dev/full", "No space left", marks=NO_DISK), (">&-", "is closed")],
)
def test_a_standard_output_that_cannot_be_written_is_no_fault_of_ours(
    tmp_path: Path, redirection: str, words: str
) -> None:
    log = write_log(tmp_path / "log.jsonl", requests=3)
    script = f"{sys.executable} -m llm_audit analyze {log} -f json {redirection}"
    done = subprocess.run(["bash", "-c", script], capture_output=True, check=False)
    assert done.returncode == 2
    assert words in done.stderr.decode()
    assert done.stderr.count(b"\n") == 1


@pytest.mark.parametrize("command", ["analyze -", "formats detect -", "formats suggest -"])
def test_a_closed_standard_input_is_a_usage_error(command: str) -> None:
    script = f"{sys.executable} -m llm_audit {command} <&-"
    done = subprocess.run(["bash", "-c", script], capture_output=True, check=False)
    assert done.returncode == 2
    assert done.stderr.decode().startswith("error: Standard input is closed")
    assert "Pipe the logs in" in done.stderr.decode()


def test_a_format_that_needs_gates_is_refused_before_reading(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["analyze", "/nonexistent", "-f", "junit"]) == 2
    assert "use it with check" in capsys.readouterr().err
    assert run(["report", "/nonexistent", "-f", "csv"]) == 2
    assert "row per request" in capsys.readouterr().err
