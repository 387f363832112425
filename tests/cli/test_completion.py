"""Completion for bash, zsh and fish, asked as their scripts ask, without any of these shells."""

import os
import subprocess
import sys

import pytest

from llm_audit.cli import COMMANDS, GROUPS

PROGRAM = "import sys; sys.argv[0] = 'llm-audit'; from llm_audit.cli import main; main()"
HEAVY = ("polars", "pyarrow", "genai_prices", "altair", "numpy", "vl_convert", "tiktoken")


def ask(instruction: str, program: str = PROGRAM, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {
        "PATH": os.environ["PATH"],
        "TERM": "dumb",
        "COLUMNS": "60",
        "_LLM_AUDIT_COMPLETE": instruction,
        **variables,
    }
    return subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=False)


def complete(shell: str, line: str) -> list[str]:
    """What the program offers a shell for the last word of a line."""
    if shell == "bash":
        words = line.split(" ")
        said = ask("complete_bash", COMP_WORDS="\n".join(words), COMP_CWORD=str(len(words) - 1)).stdout
        return said.splitlines()
    if shell == "zsh":
        said = ask("complete_zsh", _TYPER_COMPLETE_ARGS=line).stdout
        return [part.split('"')[1] for part in said.replace("_arguments '*: :((", "").splitlines() if '"' in part]
    said = ask("complete_fish", _TYPER_COMPLETE_ARGS=line, _TYPER_COMPLETE_FISH_ACTION="get-args").stdout
    return [part.split("\t")[0] for part in said.splitlines()]


@pytest.mark.parametrize(
    ("shell", "words"),
    [
        ("bash", ["complete -o default -F _llm_audit_completion llm-audit", "_LLM_AUDIT_COMPLETE=complete_bash"]),
        ("zsh", ["#compdef llm-audit", "compdef _llm_audit_completion llm-audit", "_LLM_AUDIT_COMPLETE=complete_zsh"]),
        ("fish", ["complete --command llm-audit", "_LLM_AUDIT_COMPLETE=complete_fish"]),
    ],
)
def test_each_shell_gets_its_script(shell: str, words: list[str]) -> None:
    printed = ask(f"source_{shell}")
    assert [word for word in words if word not in printed.stdout] == []
    assert (printed.returncode, printed.stderr) == (0, "")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("llm-audit ch", ["check"]),
        ("llm-audit config s", ["show", "schema"]),
        ("llm-audit check --fail", ["--fail-on"]),
        ("llm-audit check --no-c", ["--no-cache"]),
    ],
)
def test_each_shell_is_offered_commands_and_options(shell: str, line: str, offered: list[str]) -> None:
    assert complete(shell, line) == offered


def test_a_description_is_one_line() -> None:
    said = ask("complete_fish", _TYPER_COMPLETE_ARGS="llm-audit ", _TYPER_COMPLETE_FISH_ACTION="get-args").stdout
    assert dict(line.split("\t") for line in said.splitlines()) == COMMANDS | GROUPS


@pytest.mark.parametrize(("line", "code"), [("llm-audit che", 0), ("llm-audit check logs", 1)])
def test_fish_is_told_whether_to_complete_files_itself(line: str, code: int) -> None:
    asked = ask("complete_fish", _TYPER_COMPLETE_ARGS=line, _TYPER_COMPLETE_FISH_ACTION="is-args")
    assert asked.returncode == code


def test_completing_imports_nothing_heavy() -> None:
    program = (
        "import atexit, sys\n"
        "sys.argv[0] = 'llm-audit'\n"
        f"atexit.register(lambda: print([name for name in {HEAVY} if name in sys.modules], file=sys.stderr))\n"
        "from llm_audit.cli import main\n"
        "main()"
    )
    done = ask("complete_bash", program, COMP_WORDS="llm-audit ch", COMP_CWORD="1")
    assert done.stdout == "check\n"
    assert done.stderr == "[]\n"
