import json
from decimal import Decimal
from pathlib import Path

import pytest
from tests.cli.conftest import write_log

from llm_audit.cli import run


def test_a_request_is_explained_to_the_last_figure(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log = str(write_log(tmp_path / "log.jsonl"))
    assert run(["explain", "r1-7", "--logs", log, "-f", "json"]) == 0
    found = json.loads(capsys.readouterr().out)
    # 1000 input tokens at $2.50 and 100 output tokens at $10 a million.
    assert found["actual_usd"] == "0.0035"
    assert found["line"] == 8
    for estimate in found["estimates"]:
        parts = ("run_usd", "check_usd", "escalation_usd", "extra_steps_usd")
        assert sum(Decimal(estimate[part]) for part in parts) == Decimal(estimate["total_usd"])
    assert run(["explain", "r1-7", "--logs", log]) == 0
    printed = capsys.readouterr().out
    assert "0.0035 USD" in printed
    assert "served by openai (by its price; the log names no provider) / gpt-4o" in printed
    assert run(["explain", "no-such-id", "--logs", log]) == 2
    assert run(["explain", "r1-7"]) == 2


def test_a_text_is_explained(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["explain", "--prompt", "Write a haiku about autumn rain", "-f", "json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["category"] == "writing"
    assert sum(reason["logits"] for reason in found["reasons"]) == pytest.approx(found["difficulty"], abs=1e-3)
    assert run(["explain", "--prompt", "Write a haiku about autumn rain"]) == 0
    plain = capsys.readouterr().out
    assert plain.startswith(found["summary"])
    assert all(choice["reason"] in plain for choice in found["choices"])
    assert "logits)" not in plain
    assert run(["explain", "--prompt", "Write a haiku about autumn rain", "--detail"]) == 0
    detailed = capsys.readouterr().out
    assert detailed.startswith(plain.partition("With --detail")[0])
    assert "Contributions to the difficulty (logits):" in detailed
    assert run(["explain", "--prompt", ""]) == 0
    assert "Not judged" in capsys.readouterr().out


@pytest.mark.parametrize("arguments", [["r1-7", "--logs", "log.jsonl"], ["r1-7"], ["--logs", "log.jsonl"]])
def test_a_request_and_a_text_are_not_explained_together(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["explain", *arguments, "--prompt", "Hi"]) == 2
    assert "either a request with --logs, or a text with --prompt" in capsys.readouterr().err


def test_a_trace_is_laid_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log = str(write_log(tmp_path / "log.jsonl"))
    assert run(["trace", "t3", "--logs", log, "-f", "json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert len(found["nodes"]) == 3
    assert found["cost_usd"] == "0.0105"
    assert run(["trace", "t3", "--logs", log]) == 0
    assert "Cost 0.0105" in capsys.readouterr().out


def test_policies_side_by_side(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log = str(write_log(tmp_path / "log.jsonl"))
    assert run(["simulate", log, "--sweep", "0.5,0.99", "-f", "json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    by_name = {row["policy"]: row for row in reversed(rows)}
    assert by_name["keep"]["flagship tax"] == "0.00"
    assert by_name["keep"]["cost"] == "0.21"
    assert sum(row["in use"] for row in rows) == 2
    assert (by_name["routellm"]["cost"], by_name["routellm"]["flagship tax"]) == ("0.21", "0.00")  # of other models
    for row in rows:
        if row["cost"] is None:
            continue
        assert Decimal(row["cost"]) + Decimal(row["flagship tax"]) == Decimal("0.21")
    assert run(["simulate", log, "--sweep", "200"]) == 2
    assert "answers lost in 100, such as 0.5,1,2" in capsys.readouterr().err
    assert run(["simulate", log, "--policy", "bedrock-ipr", "--sweep", "2"]) == 2
    assert "numbers above 0 and up to 1" in capsys.readouterr().err


def test_policies_in_a_table_say_what_they_lose_and_why_they_move_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = str(write_log(tmp_path / "log.jsonl"))
    assert run(["simulate", log, "--sweep", "0.5,5"]) == 0
    head, *lines = capsys.readouterr().out.splitlines()
    for column in ("cost", "flagship tax", "moved", "answers lost", "gained", "saved per lost answer", "reason"):
        assert column in head
    assert "floor" not in head
    assert any("small-by-default" in line and "limit 4 in 100" in line for line in lines)
    assert any("small-by-default" in line and "limit 0.5 in 100" in line for line in lines)
    assert next(line for line in lines if "keep" in line).endswith("  the policy keeps every model")
    assert run(["simulate", log, "--policy", "routellm", "-f", "json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert row["moved"] == 0
    assert "no request used a model of the policy's ladders" in row["reason"]


def test_a_sample_to_try(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log = str(write_log(tmp_path / "log.jsonl"))
    arguments = ["sample", log, "-n", "5", "--from", "gpt-4o", "--to", "gpt-4o-mini", "-f", "json"]
    assert run(arguments) == 0
    rows = json.loads(capsys.readouterr().out)
    assert len({row["request"] for row in rows}) == 5
    assert all(row["file"] == log and 1 <= row["line"] <= 60 for row in rows)
    assert run(arguments) == 0
    assert json.loads(capsys.readouterr().out) == rows
    assert run(["sample", log, "--from", "gpt-4o", "--to", "no-such-model"]) == 2


def test_an_explanation_prints_what_its_tokens_and_dollars_follow_from(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = str(write_log(tmp_path / "log.jsonl"))
    assert run(["explain", f"{log}:1", "--logs", log]) == 0
    printed = capsys.readouterr().out
    assert ": loses at most 4 answers in 100, route" in printed
    expected = printed[printed.index("expected:") : printed.index("floor:")]
    assert "tokenizer 1 x 1; visible output x 1" in expected
    assert "at +0 sd, escalations per lost answer 1" in expected
    assert run(["explain", f"{log}:1", "--logs", log, "--policy", "keep"]) == 0
    assert "kept_by_policy: never, route" in capsys.readouterr().out


def test_an_explanation_has_the_loss_of_each_candidate(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log = str(write_log(tmp_path / "log.jsonl"))
    assert run(["explain", f"{log}:1", "--logs", log, "-f", "json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["decision"], found["decided_by"]) == ("quality_loss", 4.0)
    (chosen,) = [candidate for candidate in found["candidates"] if candidate["chosen"]]
    assert chosen["lost_in_100"] <= found["decided_by"]
    own = tmp_path / "own.toml"
    limits = f"default = 7.0\n{found['category']} = 1.0\n"
    own.write_text(f'name = "own"\ndecision = "quality_loss"\n[max_quality_loss]\n{limits}')
    assert run(["explain", f"{log}:1", "--logs", log, "--policy", str(own)]) == 0
    printed = capsys.readouterr().out
    assert "loses at most 1 answer in 100, route" in printed
    assert f"loses {chosen['lost_in_100']:.4f} in 100" in printed


def test_policy_show_validate_export(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["policy", "show"]) == 0
    assert "small-by-default" in capsys.readouterr().out
    own = tmp_path / "own.toml"
    own.write_text('name = "own"\ndecision = "p_suffices"\ntarget = 0.8\n[ladders]\nx = ["gpt-4o-mini", "gpt-4o"]\n')
    assert run(["policy", "validate", str(own)]) == 0
    assert run(["policy", "show", str(own)]) == 0
    assert 'name = "own"' in capsys.readouterr().out
    assert run(["policy", "export", str(own), "--to", "litellm"]) == 0
    assert "gpt-4o-mini" in capsys.readouterr().out
    own.write_text('name = "own"\ndecision = "p_suffices"\ntarget = 0.8\n[ladders]\nx = ["gpt-4o-minny", "gpt-4o"]\n')
    assert run(["policy", "validate", str(own)]) == 2
    assert "gpt-4o-minny" in capsys.readouterr().err
    assert run(["policy", "export", str(own), "--to", "carrier-pigeon"]) == 2
    own.write_text('name = "own"\ntarget = 0.8\n[ladders]\nx = ["gpt-4o", "gpt-4o-mini"]\n')
    assert run(["policy", "validate", str(own)]) == 0
    assert "names gpt-4o before gpt-4o-mini, which costs less" in capsys.readouterr().err


def test_an_export_goes_up_to_the_model_in_use(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["policy", "export", "small-by-default", "--to", "litellm", "--used", "gpt-4o-2024-08-06"]) == 0
    written = capsys.readouterr().out
    assert 'complexity_router_default_model: "gpt-4o"' in written
    assert "-pro" not in written
    assert run(["policy", "export", "cheapest-capable", "--to", "litellm", "--used", "claude-opus-4-5"]) == 0
    assert 'complexity_router_default_model: "claude-opus-4-5"' in capsys.readouterr().out
    assert run(["policy", "export", "small-by-default", "--to", "litellm", "--used", "no-such"]) == 2
    assert "no-such" in capsys.readouterr().err
    assert run(["policy", "export", "small-by-default", "--to", "litellm", "--used", "gpt-4o", "--ladder", "gpt"]) == 2


def test_an_export_says_on_standard_error_what_it_cannot_promise(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["policy", "export", "bedrock-ipr", "--to", "bedrock", "--ladder", "meta"]) == 0
    written = capsys.readouterr()
    assert json.loads(written.out)["promptRouterName"] == "bedrock-ipr"
    assert "llama-3.1-8b-instruct for prompt routers in us-east-1 (listed: us-west-2)" in written.err


def test_the_cache_is_told_of_and_cleared(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["analyze", str(write_log(tmp_path / "log.jsonl")), "-q"]) == 0
    assert run(["cache", "info", "-f", "json"]) == 0
    assert json.loads(capsys.readouterr().out)[0]["files"] > 0
    assert run(["cache", "clear"]) == 0
    capsys.readouterr()
    assert run(["cache", "info", "-f", "json"]) == 0
    assert json.loads(capsys.readouterr().out)[0]["files"] == 0


def test_published_savings_stand_beside_those_of_the_log(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log = str(write_log(tmp_path / "log.jsonl"))
    assert run(["simulate", log, "-f", "json"]) == 0
    rows = {row["policy"]: row for row in json.loads(capsys.readouterr().out)}
    assert {name: row["claimed share"] for name, row in rows.items() if row["claim"]} == {
        "routellm": 0.5,  # over 2 times
        "bedrock-ipr": 0.3,
    }
    assert "2406.18665" in rows["routellm"]["claim source"]
    # The log is of gpt-4o alone, which is in no ladder of theirs.
    assert (rows["routellm"]["share"], rows["routellm"]["share of its ladders"]) == (0.0, None)
    assert rows["small-by-default"]["share of its ladders"] == rows["small-by-default"]["share"] > 0
    assert rows["keep"]["preference gap known"] is None
    moved = rows["small-by-default"]
    assert moved["preference gap low"] < moved["preference gap"] < moved["preference gap high"]
    assert moved["preference gap known"] == moved["moved"]
    assert run(["simulate", log]) == 0
    printed = capsys.readouterr().out
    assert "50.0% (2.00x)" in printed
    assert "30.0% (1.43x)" in printed
    assert "none of its models" in printed


def test_a_candidate_shows_how_many_readers_prefer_the_model_used(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = str(write_log(tmp_path / "log.jsonl"))
    assert run(["explain", "r1-7", "--logs", log, "-f", "json"]) == 0
    found = {row["model"]: row for row in json.loads(capsys.readouterr().out)["candidates"]}
    small = found["gpt-4o-mini"]
    assert small["preference_low"] < small["preference_gap"] < small["preference_high"]
    assert run(["explain", "r1-7", "--logs", log]) == 0
    assert f"preference gap {small['preference_gap']:+.1%}" in capsys.readouterr().out
