"""The manifests of docs/scale.md do what they say: each command line is run as its scheduler would run it."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from textwrap import dedent
from typing import Any

import msgspec
import pytest
import yaml
from tests.cli.conftest import write_log

from llm_audit.api import audit_ledger, open_ledger
from llm_audit.cli import run
from llm_audit.config import Config
from llm_audit.ledger import read_ledger

PAGE = Path(__file__).resolve().parent.parent / "docs/scale.md"
SHARDS = 3
WRITTEN = 100
"""Shards of the manifests, of which the tests make three."""

Command = tuple[list[str], dict[str, str]]
"""What a scheduler starts, and the variables that it sets."""


def block(tab: str, language: str) -> str:
    """Return the first block of a language under a tab of the page."""
    [body] = re.findall(rf'^=== "{tab}"\n((?:\n|    .*\n)+)', PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    return next(re.finditer(rf"```{language}\n(.*?)```", dedent(body), re.DOTALL)).group(1)


def fewer(text: str) -> str:
    """Return a command with as many shards as the tests have."""
    return text.replace(f"/{WRITTEN}", f"/{SHARDS}")


def slurm() -> Iterator[Command]:
    script = block("Slurm", "bash")
    first, last = re.search(r"^#SBATCH --array=(\d+)-(\d+)$", script, re.MULTILINE).groups()
    assert (int(first), int(last)) == (1, WRITTEN)
    for index in range(1, SHARDS + 1):
        yield ["bash", "-c", script], {"SLURM_ARRAY_TASK_ID": str(index)}
    submitted = block("Slurm", "console").replace("$ ", "", 1).replace("\n$ ", "\n").splitlines()[1]
    words = shlex.split(submitted)
    assert words[:2] == ["sbatch", "--dependency=afterok:$id"]
    yield ["sh", "-c", words[words.index("--wrap") + 1]], {}


def kubernetes() -> Iterator[Command]:
    job = yaml.safe_load(block("Kubernetes", "yaml"))
    spec, pod = job["spec"], job["spec"]["template"]["spec"]
    assert (job["apiVersion"], job["kind"], spec["completionMode"]) == ("batch/v1", "Job", "Indexed")
    assert spec["completions"] == WRITTEN
    assert pod["restartPolicy"] == "Never", "backoffLimitPerIndex takes no other"
    [container] = pod["containers"]
    for index in range(SHARDS):  # from nothing
        yield [*container["command"], *container["args"]], {"JOB_COMPLETION_INDEX": str(index)}
    yield merged("Kubernetes")


def aws_batch() -> Iterator[Command]:
    job = json.loads(block("AWS Batch", "json"))
    assert job["arrayProperties"]["size"] == WRITTEN
    for index in range(SHARDS):
        yield job["containerOverrides"]["command"], {"AWS_BATCH_JOB_ARRAY_INDEX": str(index)}
    yield merged("AWS Batch")


def argo() -> Iterator[Command]:
    spec = yaml.safe_load(block("Argo", "yaml"))["spec"]
    templates = {template["name"]: template for template in spec["templates"]}
    [[ingest], [merge]] = templates[spec["entrypoint"]]["steps"]
    sequence = ingest["withSequence"]
    assert (sequence["start"], sequence["end"]) == ("1", str(WRITTEN)), "both ends are included"
    [given] = ingest["arguments"]["parameters"]
    for item in range(1, SHARDS + 1):
        value = given["value"].replace("{{item}}", str(item))
        container = templates[ingest["template"]]["container"]
        words = [*container["command"], *container["args"]]
        yield [word.replace(f"{{{{inputs.parameters.{given['name']}}}}}", value) for word in words], {}
    container = templates[merge["template"]]["container"]
    [mount] = container["volumeMounts"]
    assert mount["name"] in {volume["name"] for volume in spec["volumes"]}, "or the ledger ends with the pod"
    assert container["command"][-1].startswith(f"{mount['mountPath']}/")
    yield container["command"], {}


def merged(tab: str) -> Command:
    return ["sh", "-c", block(tab, "console").splitlines()[-1].removeprefix("$ ")], {}


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("logs")
    for number in range(4):
        write_log(folder / f"{number}.jsonl", requests=8, seed=number)
    return folder


def report(ledger: Any) -> bytes:
    return msgspec.json.encode(audit_ledger(ledger, config=Config(resamples=5)).document)


@pytest.fixture(scope="module")
def of_one_process(logs: Path) -> bytes:
    return report(open_ledger([logs], config=Config(cache=False, jobs=1)))


@pytest.mark.parametrize("commands", [slurm, kubernetes, aws_batch, argo])
def test_the_shards_and_the_merge_of_a_manifest_give_the_report_of_one_process(
    commands: Callable[[], Iterator[Command]], logs: Path, of_one_process: bytes, tmp_path: Path
) -> None:
    said, program = tmp_path / "said", tmp_path / "bin/llm-audit"
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\nprintf '%s\\0' \"$@\" > {said}\n")
    program.chmod(0o755)
    given = list(commands())
    assert len(given) == SHARDS + 1
    for words, variables in given:
        environment = {"PATH": f"{program.parent}:{os.environ['PATH']}", **variables}
        subprocess.run([fewer(word) for word in words], env=environment, check=True, timeout=30)
        asked = said.read_text(encoding="utf-8").split("\0")[:-1]
        assert run(here(asked, logs, tmp_path)) == 0
        said.unlink()
    assert report(read_ledger(tmp_path / "ledger")) == of_one_process


def here(words: list[str], logs: Path, folder: Path) -> list[str]:
    """Return the command with logs, workspace and ledger of this machine."""
    after = dict(zip(words[1:], words, strict=False))
    found = []
    for word in words:
        if word.endswith("/run"):
            found.append(str(folder / "run"))
        elif after.get(word) == "--save-ledger":
            found.append(str(folder / "ledger"))
        elif after.get(word) == "ingest":
            found.append(str(logs))
        else:
            found.append(word)
    return found
