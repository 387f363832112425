import json

import pytest

from llm_audit.cli import run


def printed(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, list[dict[str, object]]]:
    capsys.readouterr()
    assert run(["models", *arguments, "-f", "json"]) == 0
    parts: dict[str, list[dict[str, object]]] = json.loads(capsys.readouterr().out)
    return parts


def test_without_a_command_models_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in ([], ["nova"], ["--category", "math", "nova"]):
        assert run(["models", *arguments]) == 0
        bare = capsys.readouterr().out
        assert run(["models", "list", *arguments]) == 0
        assert capsys.readouterr().out == bare
        assert "nova-micro" in bare


def test_a_ladder_shows_steps_scores_and_what_dominates(capsys: pytest.CaptureFixture[str]) -> None:
    shown = printed(capsys, "ladder", "nova", "--at", "2026-09-01")
    steps = {str(step["model"]): step for step in shown["steps"]}
    assert list(steps) == ["nova-micro", "nova-lite", "nova-2-lite", "nova-pro", "nova-premier"]
    assert steps["nova-premier"]["measured in"] == []
    assert (steps["nova-lite"]["input"], steps["nova-lite"]["output"]) == (0.06, 0.24)
    code = {str(row["model"]): row for row in shown["abilities"] if row["category"] == "code"}
    assert float(str(code["nova-pro"]["low"])) < float(str(code["nova-pro"]["ability"]))
    assert code["nova-pro"]["measured"] == "yes"
    assert int(str(code["nova-pro"]["scores"])) > 0
    assert (code["nova-premier"]["measured"], code["nova-premier"]["scores"]) == ("no", 0)
    assert code["nova-premier"]["source"] == "prior: as its predecessor nova-pro"
    then = printed(capsys, "ladder", "Nova", "--at", "2024-12-15")
    assert [step["model"] for step in then["steps"]] == ["nova-micro", "nova-lite", "nova-pro"]
    old = printed(capsys, "ladder", "llama", "--at", "2026-09-01")["steps"]
    assert any(step["dominated by"] for step in old)


@pytest.mark.parametrize(
    ("small", "large", "benchmark", "figures"),
    [
        ("phi-4", "gpt-4o", "GPQA Diamond", (56.1, 50.6)),
        ("phi-4-reasoning", "deepseek-r1", "AIME 2025", (63.1, 70.4)),
        ("claude-haiku-4-5", "claude-sonnet-4-5", "SWE-bench Verified", (60.6, 64.8)),
    ],
)
def test_a_claim_stands_beside_its_figures_and_source(
    capsys: pytest.CaptureFixture[str], small: str, large: str, benchmark: str, figures: tuple[float, float]
) -> None:
    shown = printed(capsys, "compare", small, large)
    claim = next(row for row in shown["claims"] if row["benchmark"] == benchmark)
    assert (claim["small_score"], claim["large_score"]) == figures
    assert claim["claim"]
    assert claim["source"]
    tools = next(row for row in shown["categories"] if row["category"] == "tool_use")
    assert float(str(tools["difference"])) == pytest.approx(
        float(str(tools[small])) - float(str(tools[large])), abs=0.011
    )
    assert str(tools[f"P {small}"]).endswith("%")


def test_sizes_are_those_that_names_or_developers_state(capsys: pytest.CaptureFixture[str]) -> None:
    rows = printed(capsys, "compare", "phi-4-reasoning", "deepseek-r1")["models"]
    assert [row["parameters"] for row in rows] == ["14B", "671B, 37B active"]
    rows = printed(capsys, "compare", "gpt-4o", "llama-3.1-8b-instruct")["models"]
    assert [row["parameters"] for row in rows] == [None, "8B"]
    assert run(["models", "compare", "phi-4", "gpt-4o"]) == 0
    assert "surpasses" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["ladder", "novo"], "Did you mean 'nova'"),
        (["ladder", "nova", "--at", "today"], "2025-06-01"),
        (["compare", "phi-4", "no-such-model"], "no-such-model"),
        (["compare", "gpt-4o", "gpt-4o-2024-08-06"], "the same model"),
        (["compare", "gpt-4o", "phi-4", "-f", "yaml"], "table or json"),
    ],
)
def test_what_cannot_be_shown_is_an_error(capsys: pytest.CaptureFixture[str], arguments: list[str], said: str) -> None:
    assert run(["models", *arguments]) == 2
    assert said in capsys.readouterr().err


def test_preferences_are_compared_by_category_and_language(capsys: pytest.CaptureFixture[str]) -> None:
    shown = printed(capsys, "compare", "gpt-5", "gpt-5-mini")
    rows = {row["answers"]: row["preference gap"] for row in shown["preferences"]}
    # 44, 52, 67 and 70 points: 12.6, 14.8, 19.1 and 19.8 readers in 100.
    assert (rows["all"], rows["writing"], rows["law"], rows["all, in ko"]) == ("+12.6%", "+14.8%", "+19.1%", "+19.8%")
    assert rows["tool_use"] == "unknown"
    assert [row["rated as"] for row in shown["models"]] == ["gpt-5-high", "gpt-5-mini-high"]
    unrated = printed(capsys, "compare", "phi-4-reasoning", "deepseek-r1")["preferences"]
    assert [(row["answers"], row["preference gap"]) for row in unrated] == [("all", "unknown")]


@pytest.mark.parametrize("sibling", ["claude-sonnet-4-5", "claude-opus-4-1", "claude-opus-4-5"])
def test_haiku_stands_beside_its_siblings_with_tool_use(capsys: pytest.CaptureFixture[str], sibling: str) -> None:
    shown = printed(capsys, "compare", "claude-haiku-4-5", sibling)
    tool_use = next(row for row in shown["categories"] if row["category"] == "tool_use")
    assert tool_use["measured"] == "yes"
    assert all("tools" in str(row["claim"]) and row["source"] for row in shown["claims"])
    assert shown["claims"]
