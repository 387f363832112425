"""Commands of a finding: they name what they should, and export what the policy can express."""

from __future__ import annotations

import shlex

import pytest

from llm_audit.audit.findings.commands import Move, commands
from llm_audit.catalog import Catalog
from llm_audit.policy import load, parse

MOVE = Move(selector=["--app=a b"], used="gpt-5", route="gpt-5-nano", ladder=["gpt-5-nano", "gpt-5-mini", "gpt-5"])


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return Catalog.load()


def test_commands_try_the_move_and_then_enforce_it(catalog):
    found = commands(MOVE, policy=load("small-by-default"), catalog=catalog, sampling="llm-audit sample logs")
    assert found == [
        "llm-audit sample logs '--app=a b' --from gpt-5 --to gpt-5-nano -o worksheet.jsonl",
        "llm-audit policy export small-by-default --to litellm --ladder gpt-5-nano,gpt-5-mini,gpt-5",
    ]


def test_names_of_a_log_cannot_add_words_to_a_command(catalog):
    hostile = Move(selector=["--app=x; rm -rf $HOME"], used="gpt-5", route="gpt-5-nano", ladder=["gpt-5-nano", "gpt-5"])
    (first, _) = commands(hostile, policy=load("small-by-default"), catalog=catalog, sampling="llm-audit sample logs")
    assert shlex.split(first)[3] == "--app=x; rm -rf $HOME"


def test_a_file_s_policy_is_named_by_its_path(catalog, tmp_path):
    path = tmp_path / "my policy.toml"
    path.write_text('decision = "p_suffices"\ntarget = 0.9\n')
    (export,) = commands(MOVE, policy=load(path), catalog=catalog, sampling="")
    assert shlex.split(export)[3] == str(path)


def test_a_policy_without_a_file_or_that_keeps_every_model_is_not_exported(catalog):
    text = parse('decision = "p_suffices"\ntarget = 0.9\n', where="text")
    assert commands(MOVE, policy=text, catalog=catalog, sampling="") == []
    assert commands(MOVE, policy=load("keep"), catalog=catalog, sampling="") == []


@pytest.mark.parametrize(
    ("policy", "ladder", "target"),
    [
        ("bedrock-ipr", ["claude-3-haiku", "claude-3-5-sonnet"], "bedrock"),
        ("bedrock-ipr", ["gpt-5-nano", "gpt-5"], "litellm"),
        ("routellm", ["mixtral-8x7b-instruct", "gpt-4-turbo"], "routellm"),
        ("small-by-default", ["claude-3-haiku", "claude-3-5-sonnet"], "litellm"),
    ],
)
def test_the_target_is_the_system_that_decides_as_the_policy_does(catalog, policy, ladder, target):
    move = Move(selector=[], used=ladder[-1], route=ladder[0], ladder=ladder)
    (export,) = commands(move, policy=load(policy), catalog=catalog, sampling="")
    words = shlex.split(export)
    assert words[words.index("--to") + 1] == target
