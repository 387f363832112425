"""The recipe of ``docs/ci.md`` for a repository without a bucket of logs: it runs, and what it writes is audited."""

import asyncio
import json
import re
import shutil
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
import yaml

from llm_audit.cli import run

ROOT = Path(__file__).resolve().parent.parent
CI = (ROOT / "docs/ci.md").read_text(encoding="utf-8")
CAPTURES = Path(__file__).parent / "captures"
LITELLM, OTEL = re.findall(r"^```python\n(.*?)^```", CI, flags=re.MULTILINE | re.DOTALL)
BLOCKS = re.findall(r"^```yaml\n(.*?)^```", CI, flags=re.MULTILINE | re.DOTALL)


def captured(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (CAPTURES / name).read_text(encoding="utf-8").splitlines()]


def modules(monkeypatch: pytest.MonkeyPatch, **contents: dict[str, Any]) -> None:
    """Stand-ins for packages that are not installed; ``__`` stands for a dot."""
    for name, names in contents.items():
        module = ModuleType(dotted := name.replace("__", "."))
        vars(module).update(names)
        monkeypatch.setitem(sys.modules, dotted, module)


def checked(tmp_path: Path) -> dict[str, Any]:
    """Check what was captured as the workflow does; return the audit that it keeps."""
    kept = tmp_path / "llm-audit.json"
    rules = ["--fail-on", "total_cost:5USD", "--fail-on", "tokens_per_request:+10%", "-q"]
    assert run(["check", "llm-logs/", *rules, "-o", str(kept)]) == 0
    assert run(["check", "llm-logs/", "--baseline", str(kept), *rules]) == 0
    return json.loads(kept.read_text())


@pytest.fixture(autouse=True)
def _checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LLM_AUDIT_CACHE_DIR", str(tmp_path / "cache"))


def test_the_litellm_callback_writes_what_is_audited(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    modules(
        monkeypatch,
        litellm={"callbacks": []},
        litellm__integrations={},
        litellm__integrations__custom_logger={"CustomLogger": object},
    )
    names: dict[str, Any] = {}
    exec(LITELLM, names)
    log = names["CallLog"]()
    call, asynchronous, failed = captured("litellm.jsonl")
    log.log_success_event({"standard_logging_object": call}, None, None, None)
    asyncio.run(log.async_log_success_event({"standard_logging_object": asynchronous}, None, None, None))
    log.log_success_event({"standard_logging_object": asynchronous}, None, None, None)  # LiteLLM may say it twice
    log.log_failure_event({"standard_logging_object": failed}, None, None, None)
    log.log_success_event({}, None, None, None)
    audit = checked(tmp_path)
    requests = audit["requests"]
    assert (requests["read"], requests["audited"], requests["duplicates"], requests["rejected"]) == (4, 3, 1, 0)
    # 10 tokens in and 20 out: gpt-4o-mini at $0.15 and $0.60 a million, gpt-4o at $2.50 and $10.
    assert audit["cost"]["actual"] == "0.0002385"
    assert audit["inputs"][0]["format"] == "litellm"


def test_spans_of_the_console_exporter_are_audited(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    exporters: list[dict[str, Any]] = []

    def anything() -> SimpleNamespace:
        return SimpleNamespace(instrument=lambda: None, add_span_processor=lambda _: None)

    modules(
        monkeypatch,
        opentelemetry={"trace": SimpleNamespace(set_tracer_provider=lambda _: None)},
        opentelemetry__instrumentation={},
        opentelemetry__instrumentation__openai_v2={"OpenAIInstrumentor": anything},
        opentelemetry__sdk={},
        opentelemetry__sdk__trace={"TracerProvider": anything},
        opentelemetry__sdk__trace__export={
            "ConsoleSpanExporter": lambda **options: exporters.append(options),
            "SimpleSpanProcessor": lambda exporter: exporter,
        },
    )
    names: dict[str, Any] = {}
    exec(OTEL, names)
    names["pytest_configure"]()
    (exporter,), (span,) = exporters, captured("otel.jsonl")
    written = exporter["formatter"](SimpleNamespace(to_json=lambda indent: json.dumps(span, indent=indent)))
    with exporter["out"] as file:
        file.write(written)
    audit = checked(tmp_path)
    assert audit["requests"]["audited"] == 1
    assert audit["cost"]["actual"] == "0.00000525"  # 11 tokens in, 6 out


def test_the_file_of_the_collector_is_audited(tmp_path: Path) -> None:
    config = yaml.safe_load(next(block for block in BLOCKS if block.startswith("receivers:")))
    pipeline = config["service"]["pipelines"]["traces"]
    assert set(pipeline["receivers"]) == set(config["receivers"])
    assert set(pipeline["exporters"]) == set(config["exporters"])
    path = Path(config["exporters"]["file"]["path"])
    path.parent.mkdir()
    shutil.copy(ROOT / "tests/fixtures/otlp/batches.jsonl", path)
    assert checked(tmp_path)["inputs"][0]["format"] == "otlp"
