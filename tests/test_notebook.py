"""An audit as an object, and the notebook of the documentation, which is run."""

import importlib.util
import json
import os
from decimal import Decimal
from pathlib import Path

import altair as alt
import polars as pl
import pytest

import llm_audit
from llm_audit.errors import UsageError
from llm_audit.money import usd

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which the first to read the sample logs keeps them for the others."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def audit(cache: Path) -> llm_audit.Audit:
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("LLM_AUDIT_CACHE_DIR", str(cache))
        return llm_audit.audit_ledger(llm_audit.open_ledger([ROOT / "sample_logs"]))


def test_repr_is_one_line_with_the_verdict(audit: llm_audit.Audit) -> None:
    spent = Decimal(audit.document.cost.actual)
    assert repr(audit).startswith(f"<Audit: {audit.document.requests.audited:,} requests, ${spent:.2f} spent, flagship")
    assert "\n" not in repr(audit)


def test_html_shows_verdict_mix_and_findings(audit: llm_audit.Audit) -> None:
    shown = audit._repr_html_()
    assert "was flagship tax" in shown
    assert audit.document.model_mix[0].model in shown
    assert shown.count("<table>") == 2
    assert "<script" not in shown


def test_html_escapes_names_from_the_log(tmp_path: Path) -> None:
    record = {"model": "<script>x</script>", "timestamp": "2026-09-01T00:00:00Z", "input_tokens": 9, "output_tokens": 1}
    (tmp_path / "log.jsonl").write_text(json.dumps(record) + "\n")
    shown = llm_audit.analyze(tmp_path / "log.jsonl")._repr_html_()
    assert "<script" not in shown
    assert "&lt;script&gt;" in shown


def test_frames_are_the_documents_tables_in_exact_decimals(audit: llm_audit.Audit) -> None:
    document = audit.document
    assert audit.mix.height == len(document.model_mix)
    assert audit.mix.schema["cost"] == pl.Decimal(38, 12)
    assert audit.mix["cost"].sum() == Decimal(document.cost.actual)
    assert audit.findings["title"].to_list() == [finding.title for finding in document.findings]
    by = audit.frames["groups"].filter(pl.col("by") == "team")
    assert by["cost"].sum() == Decimal(document.cost.actual)
    unpriced = [row.model for row in document.model_mix if row.cost is None]
    assert audit.mix.filter(pl.col("cost").is_null())["model"].to_list() == unpriced


def test_requests_add_up_to_the_document(audit: llm_audit.Audit) -> None:
    assert usd(int(audit.requests["cost_pico"].sum())) == audit.document.cost.actual


@pytest.mark.parametrize("name", ["daily", "mix", "models", "teams", "estimates", "frontier", "tornado"])
def test_plots_are_altair_charts(audit: llm_audit.Audit, name: str) -> None:
    assert isinstance(getattr(audit.plot, name)(), alt.TopLevelMixin)


def test_a_plot_without_data_is_none(tmp_path: Path) -> None:
    (tmp_path / "log.jsonl").write_text('{"model": "unheard-of", "input_tokens": 9, "output_tokens": 1}\n')
    assert llm_audit.analyze(tmp_path / "log.jsonl").plot.daily() is None


def test_other_policies_stand_beside_the_audits_own(audit: llm_audit.Audit) -> None:
    found = audit.simulate("keep", llm_audit.load_policy("always-small"))
    assert found["name"].to_list() == ["small-by-default", "keep", "always-small"]
    assert found["flagship_tax"][0] == Decimal(audit.document.flagship_tax.expected.amount)
    assert found["flagship_tax"][1] == 0


def test_a_request_is_explained(audit: llm_audit.Audit) -> None:
    row = audit.requests.filter(pl.col("outcome") == "moved").row(0, named=True)
    why = audit.explain(str(row["request_key"]))
    assert (why.model_id, why.route) == (row["model_id"], row["route_model_id"])
    with pytest.raises(UsageError, match="There is no request"):
        audit.explain("nothing")


def test_a_report_is_written_by_its_suffix(audit: llm_audit.Audit, tmp_path: Path) -> None:
    audit.write(tmp_path / "audit.json")
    assert json.loads((tmp_path / "audit.json").read_text())["cost"]["actual"] == audit.document.cost.actual
    with pytest.raises(UsageError, match="No report format has the suffix"):
        audit.write(tmp_path / "audit.docx")


def test_the_documentations_notebook_is_what_its_cells_give(cache: Path) -> None:
    spec = importlib.util.spec_from_file_location("build_notebook", ROOT / "scripts/build_notebook.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    found = module.build(cache)
    assert found == (ROOT / "docs/notebook.ipynb").read_text(encoding="utf-8"), "run scripts/build_notebook.py"
    assert os.fspath(ROOT) not in found
