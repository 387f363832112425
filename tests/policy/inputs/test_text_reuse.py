"""Logs whose requests pass text on, read and laid out as graphs."""

import json
from typing import Any

import pytest

from llm_audit.cli import run
from llm_audit.engines import IngestOptions, ingest
from llm_audit.policy.inputs.requests import TRACE_COLUMNS
from llm_audit.policy.inputs.trace_graph import ROOT, Graph, build_graph

PLAN = "First count the rows of each file, then compare the sums with those that the invoice states."
ANSWER = "Of the 412 rows in the second file seven have no amount, and their sum is 17.20 dollars less."


def call(second: int, trace: str, prompt: str | list[tuple[str, str]], reply: str, **other: Any) -> dict[str, Any]:
    said = [("user", prompt)] if isinstance(prompt, str) else prompt
    return {
        "request_id": f"r{second}",
        "timestamp": f"2026-09-01T00:00:{second:02d}Z",
        "model": "gpt-4o",
        "messages": [{"role": role, "content": text} for role, text in said],
        "completion": reply,
        "input_tokens": 50,
        "output_tokens": 20,
        "trace_id": trace,
    } | other


@pytest.fixture
def log(tmp_path):
    def write(*calls: dict[str, Any]) -> str:
        (tmp_path / "log.jsonl").write_text("\n".join(map(json.dumps, calls)))
        return str(tmp_path / "log.jsonl")

    return write


def tree(path: str) -> Graph:
    ledger = ingest([path], options=IngestOptions(jobs=1, cache=False))
    return build_graph(ledger.scan().select(TRACE_COLUMNS))


def known_by(graph: Graph) -> list[tuple[int, str | None]]:
    return list(zip(graph.parent.tolist(), graph.nodes["edge"].to_list(), strict=True))


def test_workers_depend_on_the_planner_whose_text_they_were_given(log) -> None:
    found = tree(
        log(
            call(1, "t", "Plan how to check the invoice.", f"# Plan\n\n{PLAN}\n- rows\n- sums"),
            call(2, "t", f"You are a worker. The plan:\n\n{PLAN}\n\nDo step 1.", "412 rows."),
            call(3, "t", f"You are a worker. The plan:\n\n  {PLAN}\n\nDo step 2.", ANSWER),
            call(4, "t", f"Summarise in one word:\n{ANSWER}", "Less."),
        )
    )
    assert known_by(found) == [(ROOT, None), (0, "text_reuse"), (0, "text_reuse"), (2, "text_reuse")]


def test_text_of_another_trace_makes_no_edge(log) -> None:
    found = tree(
        log(
            call(1, "a", "Plan how to check the invoice.", PLAN),
            call(2, "b", "How are you?", "Well."),
            call(3, "b", f"Do this: {PLAN}\n{PLAN}", "412 rows."),
            call(4, "a", "How are you?", "Well."),
        )
    )
    assert "text_reuse" not in found.edges["edge"].to_list()


def test_a_reply_is_not_passed_on_to_an_earlier_request(log) -> None:
    found = tree(log(call(1, "t", PLAN, "Done."), call(2, "t", "Plan how to check the invoice.", PLAN)))
    assert found.edges.filter(found.edges["edge"] == "text_reuse").height == 0


def test_the_models_own_history_is_a_prompt_continued(log) -> None:
    asked = ("user", "Plan how to check the invoice.")
    found = tree(
        log(
            call(1, "t", [asked], PLAN),
            call(2, "t", [asked, ("assistant", PLAN), ("user", "And then?")], "Then pay."),
            call(3, "t", [asked, ("assistant", PLAN), ("user", f"Do you mean this?\n{PLAN}")], "Yes."),
        )
    )
    edges = found.edges.select("parent", "child", "edge").rows()
    assert [edge for edge in edges if edge[2] != "previous"] == [
        (0, 1, "prompt_prefix"), (0, 2, "prompt_prefix"), (0, 2, "text_reuse")
    ]  # fmt: skip
    assert known_by(found) == [(ROOT, None), (0, "prompt_prefix"), (0, "prompt_prefix")]


def test_short_replies_are_no_evidence(log) -> None:
    found = tree(log(call(1, "t", "Is it right?", "Yes, it is."), call(2, "t", "Yes, it is.", "Good.")))
    assert "text_reuse" not in found.edges["edge"].to_list()


def test_a_reply_that_repeats_its_prompt_is_not_where_the_text_is_from(log) -> None:
    found = tree(
        log(
            call(1, "t", "Plan how to check the invoice.", PLAN),
            call(2, "t", f"Repeat:\n{PLAN}", PLAN),
            call(3, "t", f"Do this:\n{PLAN}", "Done."),
        )
    )
    assert known_by(found) == [(ROOT, None), (0, "text_reuse"), (0, "text_reuse")]


def test_a_span_is_trusted_more_than_text_and_text_more_than_order(log) -> None:
    found = tree(
        log(
            call(1, "t", "Plan how to check the invoice.", PLAN, session_id="s", span_id="p"),
            call(2, "t", "How are you?", "Well.", session_id="s", span_id="q"),
            call(3, "t", f"Do this:\n{PLAN}", "Done.", session_id="s"),
            call(4, "t", f"Do this too:\n{PLAN}", "Done.", session_id="s", parent_span_id="q"),
        )
    )
    assert known_by(found) == [(ROOT, None), (0, "previous"), (0, "text_reuse"), (1, "parent_span")]
    assert found.edges.filter(found.edges["child"] == 3)["edge"].to_list() == ["text_reuse", "parent_span", "previous"]


def test_a_trace_tells_what_is_inferred(log, capsys: pytest.CaptureFixture[str]) -> None:
    path = log(
        call(1, "t", "Plan how to check the invoice.", PLAN, span_id="p"),
        call(2, "t", f"Do this:\n{PLAN}", "Done."),
        call(3, "t", "How are you?", "Well.", parent_span_id="p"),
    )
    assert run(["trace", "t", "--logs", path, "-f", "json"]) == 0
    nodes = json.loads(capsys.readouterr().out)["nodes"]
    assert [(node["edge"], node["inferred"]) for node in nodes] == [
        (None, False), ("text_reuse", True), ("parent_span", False)
    ]  # fmt: skip
    assert run(["trace", "t", "--logs", path]) == 0
    shown = capsys.readouterr().out
    assert "text_reuse (inferred)" in shown
    assert "parent_span (inferred)" not in shown
