"""The documents say what the program does: its help, its commands and its schemas."""

import importlib.util
import json
import os
import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from types import ModuleType
from typing import Any

import jsonschema
import pytest

from llm_audit import __version__
from llm_audit.cli import run
from llm_audit.config import Config
from llm_audit.errors import UsageError
from llm_audit.policy.file.load import _KEYS, PRESETS, parse
from llm_audit.report import registry
from llm_audit.report.glossary import GLOSSARY

ROOT = Path(__file__).resolve().parent.parent
DOCS = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").glob("*.md"))]
PRINTED = [
    *DOCS,
    *(path for kind in ("json", "svg") for path in sorted((ROOT / "docs").rglob(f"*.{kind}"))),
    *sorted((ROOT / ".github").rglob("*.yml")),
]
TEMPLATE = ROOT / "src/llm_audit/cli/templates/llm-audit.yml"


def script(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, ROOT / "scripts" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


REFERENCE = script("build_reference")
SCHEMAS = script("build_schemas")
COMMANDS: dict[tuple[str, ...], Any] = dict(REFERENCE.commands())


# The command line's reference


def test_the_reference_is_what_help_prints_in_any_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"COLUMNS": "61", "FORCE_COLOR": "1", "GITHUB_ACTIONS": "true", "TERMINAL_WIDTH": "70"}.items():
        monkeypatch.setenv(name, value)
    page = (ROOT / "docs/cli.md").read_text(encoding="utf-8")
    assert page == REFERENCE.build(), "docs/cli.md is not what --help prints: run scripts/build_reference.py"
    assert "\x1b" not in page
    blocks = re.findall(r"```text\n(.*?)```", page, flags=re.DOTALL)
    assert len(blocks) == len(COMMANDS)
    assert max(len(line) for block in blocks for line in block.splitlines()) == REFERENCE.WIDTH - 2


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_every_command_argument_and_option_has_help(path: tuple[str, ...]) -> None:
    command = COMMANDS[path]
    assert command.help, path
    assert [parameter.name for parameter in command.params if not parameter.help] == []


# Links and commands in the documents


@pytest.mark.parametrize("page", DOCS, ids=lambda page: page.name)
def test_every_relative_link_resolves(page: Path) -> None:
    text = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    text = re.sub(r"`[^`\n]*`", "code", text)
    dead = []
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        file, _, anchor = target.partition("#")
        if re.match(r"[a-z]+:", target):
            continue
        path = page.parent / file if file else page
        if not path.exists() or (anchor and anchor not in anchors(path)):
            dead.append(target)
    assert dead == []


def anchors(page: Path) -> set[str]:
    """The anchors that GitHub gives a page's headings."""
    heads = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


def shown_commands() -> Iterator[tuple[str, str]]:
    """Every ``llm-audit …`` that a page shows, in a block or in a code span, with the page's name."""
    for page in (*DOCS, TEMPLATE):
        if page.name == "cli.md":  # what is there is printed by the program
            continue
        for line in page.read_text(encoding="utf-8").splitlines():
            if found := re.match(r"[\s$-]*(?:run: )?(llm-audit\s.+)", line):
                yield page.name, found[1]
            for span in re.findall(r"(?<!`)`(llm-audit\s[^`]+)`", line):
                yield page.name, span


@pytest.mark.parametrize(("page", "shown"), sorted(set(shown_commands())))
def test_every_command_shown_is_one(page: str, shown: str) -> None:
    del page  # names the case
    assert mistakes(shown) == []


def test_a_wrong_command_would_be_found() -> None:
    assert mistakes("llm-audit analyse logs/") == ["analyse"]
    assert mistakes("llm-audit check logs/ --basline x -f docx -o a.docx") == ["--basline", "docx", "a.docx"]
    assert mistakes("llm-audit config show|shw") == ["shw"]
    assert mistakes("llm-audit analyze logs/ -q -f json | jq -r .x > out  # --nothing") == []


def mistakes(shown: str) -> list[str]:
    """Words of a command line that the program would not know: commands, options, formats and suffixes."""
    words = []
    for word in shlex.split(shown.replace("…", ""), comments=True):
        if word in {"|", "||", "&&", ">", ">>", ";", "2>"}:
            break
        words.append(word)
    wrong, reached = _descend(words[1:])
    for command, rest in reached:
        wrong += _unknown(command, rest)
    return wrong


def _descend(words: list[str]) -> tuple[list[str], list[tuple[Any, list[str]]]]:
    """Follow the words that name commands; ``show|verify`` names two."""
    path: tuple[str, ...] = ()
    while words and hasattr(COMMANDS[path], "commands") and re.fullmatch(r"[a-z|]+", words[0]):
        names = words[0].split("|")
        wrong = [name for name in names if (*path, name) not in COMMANDS]
        if wrong:
            return wrong, []
        words = words[1:]
        if len(names) > 1:
            return [], [(COMMANDS[(*path, name)], words) for name in names]
        path = (*path, names[0])
    return [], [(COMMANDS[path], words)]


def _unknown(command: Any, words: list[str]) -> list[str]:
    options = {name for parameter in command.params for name in (*parameter.opts, *parameter.secondary_opts)}
    options |= {"--help", "-h"}
    wrong = [word for word in words if re.match(r"--?[a-z]", word) and word.partition("=")[0] not in options]
    for option, value in pairwise(words):
        if option in {"-f", "--format"} and value not in {*registry.RENDERERS, "terminal", "FORMAT"}:
            wrong.append(value)
        if option in {"-o", "--output"} and "FILE" not in value and not _has_format(value):
            wrong.append(value)
    return wrong


def _has_format(file: str) -> bool:
    return any(file.endswith(suffix) for renderer in registry.RENDERERS.values() for suffix in renderer.suffixes)


def test_no_document_names_this_machine() -> None:
    places = {str(ROOT), str(ROOT.parent), str(Path.home()), sys.prefix}
    named = [re.escape(place) for place in places if len(Path(place).parts) > 1]
    indexes = subprocess.run(
        [sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True, check=True
    ).stdout
    named += [re.escape(host) for host in re.findall(r"://([\w.:-]+)", indexes + os.environ.get("PIP_INDEX_URL", ""))]
    pattern = re.compile(rf"(?<![\w.~])(?:{'|'.join(named)})(?![\w-])")
    for page in (*PRINTED, TEMPLATE, ROOT / "action.yml"):
        assert pattern.findall(page.read_text(encoding="utf-8")) == [], page


def test_the_changelog_has_the_usual_form_and_this_version() -> None:
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    first, *releases = re.findall(r"^## (.+)$", text, flags=re.MULTILINE)
    assert first == "[Unreleased]"
    dated = [re.fullmatch(r"\[(\d+\.\d+\.\d+)\] - (\d{4}-\d\d-\d\d|unreleased)", release) for release in releases]
    assert __version__ in [release and release[1] for release in dated]
    assert None not in dated
    kinds = {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}
    assert set(re.findall(r"^### (.+)$", text, flags=re.MULTILINE)) <= kinds


def test_the_glossary_defines_every_term_of_the_reports_in_the_same_words() -> None:
    page = (ROOT / "docs/glossary.md").read_text(encoding="utf-8")
    defined = {
        term: " ".join(text.split())
        for term, text in re.findall(r"^- \*\*(.+?)\*\*: (.+(?:\n  .+)*)", page, flags=re.MULTILINE)
    }
    assert set(GLOSSARY) <= set(defined)
    for term, meaning in GLOSSARY.items():
        first = meaning.partition(". ")[0].rstrip(".")
        assert defined[term].startswith(first), term


# Schemas


@pytest.mark.parametrize("name", SCHEMAS.schemas())
def test_the_schemas_are_current(name: str) -> None:
    schema = SCHEMAS.schemas()[name]
    jsonschema.Draft202012Validator.check_schema(schema)
    rebuild = f"docs/schemas/{name} is out of date: run scripts/build_schemas.py"
    assert (ROOT / "docs/schemas" / name).read_text(encoding="utf-8") == SCHEMAS.encode(schema), rebuild


def validator(name: str) -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator(SCHEMAS.schemas()[f"{name}.schema.json"])


def test_an_audit_is_valid_and_a_wrong_one_is_not(tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    logs = ROOT / "sample_logs/tutoring"
    assert run(["analyze", str(logs), "-f", "json", "--no-cache", "-o", str(tmp_path / "audit.json")]) == 0
    printed = capfdbinary.readouterr().out
    assert printed == (tmp_path / "audit.json").read_bytes()
    document = json.loads(printed)
    validator("audit").validate(document)
    document["cost"]["actual"] = 1.5
    assert [error.json_path for error in validator("audit").iter_errors(document)] == ["$.cost.actual"]


def test_the_configuration_that_init_writes_is_valid() -> None:
    text = (TEMPLATE.parent / "llm-audit.toml").read_text(encoding="utf-8")
    validator("config").validate(tomllib.loads(text))
    shown = re.sub(r"^# (?=[a-z_]+ = |\[|\")", "", text, flags=re.MULTILINE)
    validator("config").validate(tomllib.loads(shown))
    assert set(tomllib.loads(shown)) == set(Config.__struct_fields__)
    assert not validator("config").is_valid({"polcy": "keep"})


@pytest.mark.parametrize("name", PRESETS)
def test_the_presets_are_valid_policies(name: str) -> None:
    text = (ROOT / f"src/llm_audit/policy/file/presets/{name}.toml").read_text(encoding="utf-8")
    validator("policy").validate(tomllib.loads(text))


@pytest.mark.parametrize(
    "policy",
    [
        "target = 1.5",
        "decision = 'quality_loss'",
        "decision = 'quality_loss'\nmax_quality_loss = 101",
        "decision = 'quality_loss'\n[max_quality_loss]\ncode = 1.0",
        "decision = 'quality_loss'\n[max_quality_loss]\ndefault = 1.0\ncooking = 2.0",
        "target = 0.9\nmax_quality_loss = 2.0",
        "target = 0.9\nlost_answer_usd = -1",
        "target = 0.9\nmax_preference_gap = 101",
        "target = 0.9\n[max_preference_gap]\ncooking = 5",
        "target = 0.9\nunmeasured = 'yes'",
        "targe = 0.9",
        "name = 'no target'",
        "decision = 'sometimes'",
        "decision = 'strong_wins'\nthreshold = 0.5",
        "decision = 'strong_wins'\nthreshold = 0.5\nstrong_share = 0.5\n[ladders]\na = ['x', 'y']",
        "decision = 'quality_difference'\nquality_difference = 0.1\n[ladders]\na = ['x', 'y', 'z']",
        "target = 0.9\n[ladders]\na = ['x', 'x']",
        "target = 0.9\n[gates]\nsmell = true",
        "target = 0.9\n[cascade]\nrecall = 0.9",
        "target = 0.9\n[assumptions]\nescalation = { expected = 1.0 }",
        "target = 0.9\n[assumptions.output_ratios]\ngpt-4o = 1.0",
        "target = 0.9\n[stakes.medical]",
        "target = 0.9\n[stakes.culinary]\nkeep = true",
        "target = 0.9\n[stakes.medical]\nkeep = true\nmin_success = 0.9",
        "decision = 'never'\n[stakes.medical]\nkeep = true",
    ],
)
def test_what_the_program_refuses_the_schema_refuses(policy: str) -> None:
    with pytest.raises(UsageError):
        parse(policy, where="policy.toml")
    assert not validator("policy").is_valid(tomllib.loads(policy))


def test_what_the_program_takes_the_schema_takes() -> None:
    policy = """
        decision = "strong_wins"
        order = "cost"
        scope = "trace"
        strong_share = 0.3
        allow_upgrade = true
        [ladders]
        openai = ["gpt-4o-mini", "gpt-4o"]
        [gates]
        vision = false
        [assumptions]
        ability_shift = -1.0
        escalation = { favourable = 0.0, expected = 1.0, pessimistic = 2.0 }
        difficulty_sd = 0.5
        [assumptions.output_ratios]
        "gpt-4o>gpt-4o-mini" = 1.1
        [stakes.default]
        max_quality_loss = 2
        min_success = 0.9
        [stakes.security]
        keep = true
        [cascade]
        check_usd = 0.001
        recall = 0.9
        false_alarm = 0.05
        """
    assert parse(policy, where="policy.toml").strong_share == 0.3
    validator("policy").validate(tomllib.loads(policy))
    assert set(SCHEMAS.schemas()["policy.schema.json"]["properties"]) == set(_KEYS)


@pytest.mark.parametrize("limits", ["max_quality_loss = 1.5", "[max_quality_loss]\ndefault = 2.0\ncode = 0.5"])
def test_limits_are_one_number_or_a_table_by_category(limits: str) -> None:
    policy = f"decision = 'quality_loss'\nlost_answer_usd = 0.5\nunmeasured = true\n{limits}"
    assert parse(policy, where="policy.toml").max_quality_loss["code"] == (1.5 if "1.5" in limits else 0.5)
    validator("policy").validate(tomllib.loads(policy))
