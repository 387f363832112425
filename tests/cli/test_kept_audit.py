"""An audit is kept while nothing that it depends on changes, and is the same as one made again."""

import json
import os
import re
import warnings
from collections.abc import Callable
from datetime import UTC, datetime, tzinfo
from pathlib import Path

import pytest
from tests.cli.conftest import write_log

from llm_audit import api
from llm_audit.cli import kept_audit, run
from llm_audit.config import Config
from llm_audit.ledger import part_cache

POLICY = 'decision = "p_suffices"\ntarget = {target}\n'
PRICES = '[[discount]]\nprovider = "openai"\npercent = {percent}\n'

Analyze = Callable[..., str]


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A word for each audit that is made, not kept."""
    found: list[str] = []
    audit_ledger = api.audit_ledger

    def counted(*arguments: object, **options: object) -> object:
        found.append("made")
        return audit_ledger(*arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(api, "audit_ledger", counted)
    return found


@pytest.fixture
def analyze(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Analyze:
    monkeypatch.setattr(part_cache, "_MIN_AGE_NS", 0)
    monkeypatch.chdir(tmp_path)
    write_log(tmp_path / "log.jsonl")
    (tmp_path / "policy.toml").write_text(POLICY.format(target=0.9))
    (tmp_path / "prices.toml").write_text(PRICES.format(percent=10))

    def printed(*flags: str) -> str:
        capfd.readouterr()
        code = run(["analyze", "log.jsonl", "--policy", "policy.toml", "--prices", "prices.toml", "-f", "json", *flags])
        said = capfd.readouterr()
        assert code == 0, said.err
        return said.out

    return printed


def test_an_unchanged_audit_is_made_once_and_printed_alike(analyze: Analyze, made: list[str]) -> None:
    first = analyze()
    assert analyze() == first
    assert made == ["made"]
    assert analyze("--no-cache") == first
    assert made == ["made", "made"]


def changed_log() -> None:
    write_log(Path("log.jsonl"), output_tokens=101)


def changed_policy() -> None:
    Path("policy.toml").write_text(POLICY.format(target=0.8))


def changed_prices() -> None:
    Path("prices.toml").write_text(PRICES.format(percent=20))


def cleared_cache() -> None:
    assert run(["cache", "clear"]) == 0


def test_a_change_of_what_it_depends_on_makes_it_again(analyze: Analyze, made: list[str]) -> None:
    analyze()
    for change in (changed_log, changed_policy, changed_prices, cleared_cache):
        made.clear()
        change()
        again = analyze()
        assert made == ["made"], change
        assert again == analyze("--no-cache"), change


OTHER_OPTIONS = ("--since=2026-09-05", "--timezone=Europe/Berlin", "--group-by=user", "--policy=keep")


def test_another_option_makes_another(analyze: Analyze, made: list[str]) -> None:
    first = analyze()
    for audits, option in enumerate(OTHER_OPTIONS, start=2):
        assert analyze(option) != first, option
        assert len(made) == audits, option
        assert analyze() == first, option
        assert len(made) == audits, option


def test_settings_that_change_figures_make_another(
    analyze: Analyze, made: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    first = analyze()
    monkeypatch.setenv("LLM_AUDIT_RESAMPLES", "50")
    assert analyze() != first
    monkeypatch.setenv("LLM_AUDIT_RESAMPLES", "1000")
    monkeypatch.setenv("LLM_AUDIT_JOBS", "1")  # cannot change one
    assert analyze() == first
    assert made == ["made", "made"]


def test_the_order_of_aliases_makes_another(analyze: Analyze, made: list[str], tmp_path: Path) -> None:
    """The first pattern that fits is taken."""
    patterns = ['"gpt-*" = "openai/gpt-4o"', '"*-4o" = "openai/gpt-4o-mini"']
    config = tmp_path / "aliases.toml"
    config.write_text("\n".join(["[aliases]", *patterns]))
    first = analyze(f"--config={config}")
    config.write_text("\n".join(["[aliases]", *reversed(patterns)]))
    assert analyze(f"--config={config}") != first
    assert made == ["made", "made"]


def test_another_version_makes_another(analyze: Analyze, made: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    analyze()
    monkeypatch.setattr("llm_audit.engines.context.package_fingerprint", lambda: "another version")
    analyze()
    monkeypatch.setattr(kept_audit, "_version", lambda name: f"another {name}")
    analyze()
    assert made == ["made", "made", "made"]


def test_formats_share_one(analyze: Analyze, made: list[str], tmp_path: Path) -> None:
    analyze()
    analyze("-o", str(tmp_path / "report.md"), "--details")
    assert made == ["made"]
    assert "| " in (tmp_path / "report.md").read_text()


def test_rows_a_request_are_made_when_they_are_asked_for(analyze: Analyze, made: list[str], tmp_path: Path) -> None:
    analyze("-o", str(tmp_path / "first.csv"))
    assert made == ["made"]
    analyze("-o", str(tmp_path / "second.csv"))
    assert made == ["made", "made"]
    assert (tmp_path / "second.csv").read_bytes() == (tmp_path / "first.csv").read_bytes()


def test_a_damaged_one_is_made_again_and_mentioned_once(
    analyze: Analyze, made: list[str], capfd: pytest.CaptureFixture[str]
) -> None:
    first = analyze()
    (kept,) = (Path(os.environ["LLM_AUDIT_CACHE_DIR"]) / "documents").iterdir()
    kept.write_bytes(kept.read_bytes().replace(b'"0.', b'"1.', 1))
    capfd.readouterr()
    flags = ["--policy", "policy.toml", "--prices", "prices.toml", "-f", "json"]
    assert run(["analyze", "log.jsonl", *flags]) == 0
    said = capfd.readouterr()
    assert said.out == first
    assert said.err.count("was damaged: an audit kept there was removed, and is made again.") == 1
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert analyze() == first
    assert made == ["made", "made"]


def test_a_file_that_is_gone_is_an_error_as_ever(analyze: Analyze, capfd: pytest.CaptureFixture[str]) -> None:
    Path("prices.toml").write_text("")
    analyze()
    Path("prices.toml").unlink()
    assert run(["analyze", "log.jsonl", "--policy", "policy.toml", "--prices", "prices.toml", "-f", "json"]) == 2
    assert "prices.toml" in capfd.readouterr().err


def test_settings_that_can_be_read_only_once_have_no_key(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OSError):  # noqa: PT011 - any, before the pipe is opened
        list(kept_audit._contents(Config(prices=[str(tmp_path / "pipe")])))


class Tomorrow(datetime):
    @classmethod
    def now(cls, tz: tzinfo | None = None) -> "Tomorrow":
        return cls.fromtimestamp(datetime.now(tz).timestamp() + 86_400, tz)


@pytest.mark.parametrize(("dated", "times"), [(True, 1), (False, 2)])
def test_the_day_counts_where_no_request_has_a_time(
    analyze: Analyze, made: list[str], monkeypatch: pytest.MonkeyPatch, dated: bool, times: int
) -> None:
    if not dated:
        log = Path("log.jsonl")
        log.write_text(re.sub(r'"timestamp": "[^"]*", ', "", log.read_text()))
    first = analyze()
    undated = next(check for check in json.loads(first)["quality"] if check["check"] == "undated")
    assert undated["count"] == (0 if dated else 60)
    assert dated or f"The latest such day is {datetime.now(UTC):%Y-%m-%d} (UTC)." in undated["message"]
    monkeypatch.setattr(kept_audit, "datetime", Tomorrow)
    analyze()
    assert made == ["made"] * times
