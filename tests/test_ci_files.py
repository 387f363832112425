"""The CI files run: each shell step of the workflow, the action and the GitLab job, against sample logs."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from llm_audit import __version__
from llm_audit.compare.rules import UNITS, parse
from llm_audit.errors import ExitCode
from llm_audit.report.formats import markdown

ROOT = Path(__file__).resolve().parent.parent
CI = (ROOT / "docs/ci.md").read_text(encoding="utf-8")
ACTION = (ROOT / "action.yml").read_text(encoding="utf-8")
WORKFLOW = (ROOT / "src/llm_audit/cli/templates/llm-audit.yml").read_text(encoding="utf-8")
OWN = sorted((ROOT / ".github").rglob("*.yml"))
WORKFLOWS = [path for path in OWN if path.parent.name == "workflows"]
BLOCKS = re.findall(r"^```yaml\n(.*?)^```", CI, flags=re.MULTILINE | re.DOTALL)
GITLAB = next(block for block in BLOCKS if block.startswith("llm-audit:"))
PROGRAM = f"#!{sys.executable}\nfrom llm_audit.cli import main\n\nmain()\n"
STEP_SUMMARY_BYTES = 1024 * 1024  # GitHub drops a larger summary
COMMENT_CHARACTERS = 65_536  # GitHub refuses a longer comment


def steps(text: str) -> Iterator[str]:
    """The shell of every ``run:`` in a YAML text whose blocks are indented by spaces."""
    lines = text.splitlines()
    for number, line in enumerate(lines):
        if found := re.match(r"(\s*)(?:- )?run: (.+)", line):
            if found[2] != "|":
                yield found[2]
                continue
            rest = lines[number + 1 :]
            indent = len(rest[0]) - len(rest[0].lstrip())
            ends = (at for at, inner in enumerate(rest) if inner.strip() and not inner.startswith(" " * indent))
            yield "\n".join(inner[indent:] for inner in rest[: next(ends, len(rest))]) + "\n"


def step(text: str, word: str) -> str:
    return next(shell for shell in steps(text) if word in shell)


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache that jobs share, as those of a repository may."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def job(tmp_path: Path, cache: Path) -> Path:
    """A checkout with logs and rules, and the program where a job finds it."""
    program = tmp_path / "runner/llm-audit/bin/llm-audit"
    program.parent.mkdir(parents=True)
    program.write_text(PROGRAM)
    (tmp_path / "runner/.cache").symlink_to(cache)
    program.chmod(0o755)
    checkout = tmp_path / "checkout"
    shutil.copytree(ROOT / "sample_logs/tutoring", checkout / "logs")
    (checkout / "llm-audit.toml").write_text('fail_on = ["cost_per_request:+10%", "total_cost:500USD"]\n')
    return checkout


def bash(shell: str, job: Path, **variables: str) -> tuple[int, str, str]:
    """Run a step as GitHub does; return its exit code, its standard output and the step summary."""
    runner = job.parent / "runner"
    summary = runner / "summary.md"
    summary.unlink(missing_ok=True)
    environment = {
        "PATH": f"{runner / 'llm-audit/bin'}:{os.environ['PATH']}",
        "HOME": str(runner),
        "CI": "true",
        "RUNNER_TEMP": str(runner),
        "GITHUB_STEP_SUMMARY": str(summary),
        **variables,
    }
    command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", shell]
    done = subprocess.run(command, cwd=job, env=environment, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout, summary.read_text() if summary.exists() else ""


def without_pictures(shell: str) -> str:
    """Return a step without its HTML report, which takes longer than all else and which its first run has written."""
    shorter = shell.replace(" -o llm-audit.html", "")
    assert shorter != shell
    return shorter


@pytest.mark.parametrize("text", [ACTION, WORKFLOW, *BLOCKS])
def test_the_files_are_plain_yaml_with_shell_that_parses(text: str) -> None:
    assert "\t" not in text
    assert all((len(line) - len(line.lstrip())) % 2 == 0 for line in text.splitlines())
    for shell in steps(text):
        subprocess.run(["bash", "-n", "-c", shell], check=True)


@pytest.mark.parametrize("path", [*OWN, ROOT / ".pre-commit-config.yaml"], ids=lambda path: path.name)
def test_the_project_s_own_files_are_yaml_with_shell_that_parses(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert yaml.safe_load(text)
    for shell in steps(text):
        assert "${{" not in shell
        subprocess.run(["bash", "-n", "-c", shell], check=True)


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_the_project_s_own_workflows_pin_actions_and_may_do_little(path: Path) -> None:
    workflow = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert workflow["permissions"] == {"contents": "read"}
    for name, job in workflow["jobs"].items():
        assert job["timeout-minutes"] <= 60
        used = [step["uses"] for step in job["steps"] if "uses" in step]
        assert [action for action in used if not re.fullmatch(r"[\w./-]+@(release/)?v\d+(\.\d+)*", action)] == []
        further = {scope for scope, access in job.get("permissions", {}).items() if access == "write"}
        assert further == ({"id-token", "attestations"} if name == "publish" else set())


def test_the_workflow_covers_the_pythons_of_the_classifiers_on_each_system() -> None:
    jobs = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text(encoding="utf-8"))["jobs"]
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    pythons = re.findall(r"Python :: (3\.\d+)", "\n".join(project["classifiers"]))
    assert jobs["test"]["strategy"]["matrix"] == {"os": ["ubuntu-latest", "macos-latest"], "python": pythons}
    assert jobs["windows"]["strategy"]["matrix"] == {"python": pythons}
    assert jobs["no-compiler"]["env"] == {"LLM_AUDIT_PURE": "1"}


def test_the_workflows_call_targets_that_there_are() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), flags=re.MULTILINE))
    called = [step.split() for path in WORKFLOWS for step in steps(path.read_text(encoding="utf-8")) if "make" in step]
    words = {word for line in called if line[0] == "make" for word in line[1:] if "=" not in word}
    assert words >= {"lint", "types", "unit", "coverage", "docs"}
    assert words <= targets


def test_the_release_workflow_takes_the_version_that_the_files_have(job: Path) -> None:
    shell = step((ROOT / ".github/workflows/release.yml").read_text(encoding="utf-8"), "CHANGELOG.md")
    shutil.copy(ROOT / "pyproject.toml", job / "pyproject.toml")
    (job / "src/llm_audit").mkdir(parents=True)
    shutil.copy(ROOT / "src/llm_audit/__init__.py", job / "src/llm_audit")
    (job / "CHANGELOG.md").write_text(f"## [{__version__}] - 2026-12-01\n")
    assert bash(shell, job, TAG=f"v{__version__}")[0] == 0
    assert bash(shell, job, TAG="v9.9.9")[0] != 0
    (job / "CHANGELOG.md").write_text("## [Unreleased]\n")
    assert bash(shell, job, TAG=f"v{__version__}")[0] != 0


def test_training_data_that_is_not_there_is_explained_in_one_line() -> None:
    command = ["make", "--silent", "--directory", str(ROOT), "training-data", "DATA=nowhere"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "DATA=FOLDER" in (line := done.stderr.splitlines()[0])
    assert "docs/classifier.md#model-card" in line


def test_the_page_shows_the_workflow_that_init_writes() -> None:
    assert WORKFLOW in BLOCKS


def test_the_page_names_every_exit_code_metric_and_input() -> None:
    assert [int(code) for code in re.findall(r"^\| (\d+) \|", CI, flags=re.MULTILINE)] == sorted(ExitCode)
    assert dict(re.findall(r"^\| `(\w+)` \| (USD|share|count) \|", CI, flags=re.MULTILINE)) == UNITS
    inputs = re.findall(r"^  ([\w-]+):\n    description:", ACTION, flags=re.MULTILINE)
    assert inputs == ["paths", "baseline", "fail-on", "output", "version"]
    assert re.findall(r"^\| `([\w-]+)` \| [^|]*\|$", CI.split("| input |")[1], flags=re.MULTILINE) == inputs
    assert sorted(set(re.findall(r"inputs\.([\w-]+)", ACTION))) == sorted(inputs)
    for rule in re.findall(r"`((?:\w+)(?:\[[^\]]+\])?:[+-]?\d+(?:%|pp|USD))`", CI):
        assert parse(rule).text == rule


def test_no_input_is_pasted_into_shell() -> None:
    assert [shell for shell in (*steps(ACTION), *steps(WORKFLOW)) if "${{" in shell] == []


def test_a_markdown_report_fits_a_comment_and_a_step_summary() -> None:
    assert markdown.LIMIT < COMMENT_CHARACTERS
    assert 4 * markdown.LIMIT < STEP_SUMMARY_BYTES


def test_the_workflow_passes_without_a_baseline_then_fails_on_a_worse_bill(job: Path) -> None:
    check = step(WORKFLOW, "llm-audit check")
    code, printed, summary = bash(check, job)
    assert code == ExitCode.DONE
    assert "::warning file=" in printed
    assert "there is no baseline" in printed
    assert summary == (job / "llm-audit.md").read_text()
    assert summary.startswith(markdown.MARKER)
    assert (job / "llm-audit.html").stat().st_size > 0
    (job / ".baseline").mkdir()
    shutil.copy(job / "llm-audit.json", job / ".baseline")
    (job / "llm-audit.toml").write_text('fail_on = ["cost_per_request:+10%", "total_cost:0.5USD"]\n')
    code, printed, summary = bash(without_pictures(check), job)
    assert code == ExitCode.GATE_FAILED
    assert re.search(
        r"^::error file=.*llm-audit\.toml,line=1,title=total_cost%3A0\.5USD failed::", printed, re.MULTILINE
    )
    assert "::warning" not in printed
    assert "1 of 2 gates failed" in summary


def test_the_workflow_says_what_to_adapt(job: Path) -> None:
    shell = step(WORKFLOW, "Adapt the step")
    assert bash(shell, job)[0] == 0
    shutil.rmtree(job / "logs")
    code, printed, _ = bash(shell, job)
    assert code == ExitCode.USAGE
    assert printed.startswith("::error::")


def test_the_workflow_goes_on_where_no_run_has_passed(job: Path) -> None:
    program = job.parent / "runner/llm-audit/bin/gh"
    program.write_text("#!/bin/sh\nexit 0\n")
    program.chmod(0o755)
    code, printed, _ = bash(step(WORKFLOW, "gh run list"), job, BRANCH="main")
    assert code == 0
    assert "There is no baseline yet" in printed


def test_the_action_takes_its_inputs_or_the_configuration_and_shows_no_old_summary(job: Path) -> None:
    (job / "more logs").mkdir()
    for log in (job / "logs").iterdir():
        shutil.copy(log, job / "more logs")
    inputs = {
        "PATHS": "logs/\n  more logs\n",
        "BASELINE": "missing.json",
        "FAIL_ON": "unpriced_share:50%\ncost_per_request:+10%\n",
        "OUTPUT": "audit.json\nout/audit.junit.xml\nout/audit.sarif\n",
    }
    check = step(ACTION, "--format github")
    code, printed, summary = bash(check, job, **inputs)
    assert code == ExitCode.DONE
    assert "There is no baseline yet" in printed
    assert "`unpriced_share:50%` passed" in summary
    assert (job / "out/audit.sarif").exists()
    assert 'tests="2" failures="0" errors="0" skipped="1"' in (job / "out/audit.junit.xml").read_text()
    (job / "llm-audit.toml").write_text('fail_on = ["total_cost:0USD"]\n')
    code, printed, summary = bash(check, job, PATHS="logs", BASELINE="audit.json", FAIL_ON="", OUTPUT="")
    assert code == ExitCode.GATE_FAILED
    assert "::error" in printed
    assert "1 of 1 gates failed" in summary
    code, _, summary = bash(check, job, PATHS="nowhere", BASELINE="", FAIL_ON="", OUTPUT="")
    assert (code, summary) == (ExitCode.USAGE, "")


def test_the_action_installs_its_own_code_or_the_release_asked_for(job: Path) -> None:
    runner = job.parent / "runner"
    fake = runner / "llm-audit/bin/python3"
    said = '#!/bin/sh\\necho "$@"\\n'  # a python that repeats what it is asked to install
    fake.write_text(f"#!/bin/sh\nmkdir -p $3/bin\nprintf '{said}' > $3/bin/python\nchmod +x $3/bin/python\n")
    fake.chmod(0o755)
    install = step(ACTION, "pip install")
    _, own, _ = bash(install, job, VERSION="", GITHUB_ACTION_PATH="action")
    assert own.split()[-3:] == ["-c", "action/constraints.txt", "action"]
    _, release, _ = bash(install, job, VERSION="0.1.0", GITHUB_ACTION_PATH="action")
    assert release.split()[-1] == "llm-audit==0.1.0"


def test_the_gitlab_job_keeps_the_audit_that_passed(job: Path) -> None:
    lines = re.findall(r"^    - (.+)$", GITLAB.split("  script:\n")[1].split("  allow_failure")[0], flags=re.MULTILINE)
    script = "\n".join(line for line in lines if not line.startswith(("pip install", "./fetch-logs.sh")))
    assert len(lines) == script.count("\n") + 3
    assert bash(script, job)[0] == ExitCode.DONE
    first = (job / ".baseline/llm-audit.json").read_bytes()
    assert (job / "llm-audit.junit.xml").exists()
    (job / "llm-audit.toml").write_text('fail_on = ["cost_per_request:+10%", "total_cost:0.5USD"]\n')
    assert bash(without_pictures(script), job)[0] == ExitCode.GATE_FAILED
    assert 'failures="1" errors="0" skipped="0"' in (job / "llm-audit.junit.xml").read_text()
    assert (job / ".baseline/llm-audit.json").read_bytes() == first
