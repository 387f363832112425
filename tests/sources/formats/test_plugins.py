"""A log format of another distribution, installed beside the program, is read like the program's own."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from llm_audit.sources.files.limits import SHARD_BYTES

MODULE = """
from llm_audit.sources.entry import Request, Usage
from llm_audit.sources.formats.interface import Evidence, Format, FormatInfo, Specificity


def entries(record, context):
    usage = Usage(usage_source="reported", input_tokens=record["acme_in"], output_tokens=record["acme_out"])
    yield Request(model=record["acme_model"], usage=usage)


FORMAT = Format(
    info=FormatInfo(name={name!r}, title="Acme gateway log", evidence=Evidence.FIXTURE),
    specificity=Specificity.PRODUCT,
    matches=lambda record, _: "acme_model" in record,
    entries=entries,
    keys=frozenset({{"acme_model"}}),
    keys_decide=True,
)
"""
RECORD = {"acme_model": "gpt-4o", "acme_in": 10, "acme_out": 2}


def install(site: Path, *, module: str = MODULE, name: str = "acme", version: str = "1.0", value: str = "") -> None:
    """Put a distribution with one entry point into a folder, as an installer does."""
    info = site / "llm_audit_acme.dist-info"
    info.mkdir(parents=True, exist_ok=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: llm-audit-acme\nVersion: {version}\n")
    (info / "entry_points.txt").write_text(f"[llm_audit.formats]\nacme = {value or 'acme_format:FORMAT'}\n")
    (site / "acme_format.py").write_text(module.format(name=name) if "{name!r}" in module else module)


def program(site: Path, *arguments: str, cache: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run the command line with the plug-in on its path."""
    path = os.pathsep.join([str(site), *filter(None, [os.environ.get("PYTHONPATH")])])
    environment = {**os.environ, "PYTHONPATH": path, "NO_COLOR": "1", "COLUMNS": "200"}
    if cache is not None:
        environment["LLM_AUDIT_CACHE_DIR"] = str(cache)
    command = [sys.executable, "-m", "llm_audit", *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def written(log: Path, count: int = 3, **fields: object) -> Path:
    log.write_text((json.dumps(RECORD | fields) + "\n") * count)
    return log


def input_tokens(done: subprocess.CompletedProcess[str]) -> int:
    """Return the input tokens of a report in JSON."""
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)["tokens"]["input"]


def test_a_plugin_is_listed_and_reads_its_logs(tmp_path: Path) -> None:
    install(tmp_path / "site")
    log = written(tmp_path / "log.jsonl")
    listed = json.loads(program(tmp_path / "site", "formats", "-f", "json").stdout)
    assert [row["title"] for row in listed if row["name"] == "acme"] == ["Acme gateway log"]
    assert (
        "of the first 3 records, 3 are of the format acme"
        in program(tmp_path / "site", "formats", "detect", str(log)).stdout
    )
    done = program(tmp_path / "site", "analyze", str(log), "-f", "json", "--no-cache")
    assert input_tokens(done) == 30


def test_worker_processes_load_plugins_too(tmp_path: Path) -> None:
    install(tmp_path / "site")
    padding = "x" * 4000
    count = SHARD_BYTES // 4000 + 10
    log = written(tmp_path / "log.jsonl", count, padding=padding)
    assert log.stat().st_size > SHARD_BYTES
    done = program(tmp_path / "site", "analyze", str(log), "-f", "json", "--no-cache", "--jobs", "2")
    assert input_tokens(done) == 10 * count


def test_another_version_of_a_plugin_reads_the_logs_anew(tmp_path: Path) -> None:
    site, cache, log = tmp_path / "site", tmp_path / "cache", written(tmp_path / "log.jsonl")
    command = ("analyze", str(log), "-f", "json")

    def tokens(module: str, version: str) -> int:
        install(site, module=module, version=version)
        return input_tokens(program(site, *command, cache=cache))

    assert tokens(MODULE, "1.0") == 30
    doubled = MODULE.replace('record["acme_in"]', '2 * record["acme_in"]')
    assert tokens(doubled, "1.0") == 60
    assert tokens(MODULE, "1.0") == 30


def fingerprint(site: Path) -> str:
    code = "from llm_audit.engines.context import code_fingerprint; print(code_fingerprint())"
    path = os.pathsep.join([str(site), *filter(None, [os.environ.get("PYTHONPATH")])])
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


def test_the_fingerprint_of_the_code_covers_plugins(tmp_path: Path) -> None:
    site = tmp_path / "site"
    site.mkdir()
    found = [fingerprint(site)]
    install(site)
    found.append(fingerprint(site))
    install(site, version="1.1")
    found.append(fingerprint(site))
    install(site, version="1.1", module=MODULE + "\n")
    found.append(fingerprint(site))
    assert len(set(found)) == 4
    assert fingerprint(site) == found[-1]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"module": "import nothing_of_this_name\n"}, "ModuleNotFoundError: No module named 'nothing_of_this_name'"),
        ({"module": "FORMAT = 7\n"}, "it names a value of type int, not a log format"),
        ({"value": "acme_format:OTHER"}, "has no attribute 'OTHER'"),
        ({"value": "no_such_module:FORMAT"}, "No module named 'no_such_module'"),
        ({"name": "litellm"}, 'Two log formats are called "litellm"'),
    ],
)
def test_a_broken_plugin_is_named_with_what_to_do(tmp_path: Path, changes: dict[str, str], message: str) -> None:
    install(tmp_path / "site", **changes)
    log = written(tmp_path / "log.jsonl")
    command = ("formats",) if "value" in changes else ("analyze", str(log))
    done = program(tmp_path / "site", *command, cache=tmp_path / "cache")
    assert done.returncode == 2
    assert message in done.stderr.replace("\n", " ")
    assert "llm-audit-acme 1.0" in done.stderr
    assert "Update or uninstall llm-audit-acme." in done.stderr
    assert "Traceback" not in done.stderr
