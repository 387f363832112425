from __future__ import annotations

import pickle
from functools import cache

import msgspec
import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal
from tests.audit.build import ledger, many
from tests.ledger.partitions import partitioned

from llm_audit import blocks
from llm_audit.audit import rows
from llm_audit.audit.billing import Billing, Declaration
from llm_audit.audit.run import AuditOptions, run
from llm_audit.audit.stages import runs
from llm_audit.catalog import Catalog
from llm_audit.ledger import Ledger, Workspace
from llm_audit.ledger.schema import SCHEMA
from llm_audit.policy import load, parse
from llm_audit.pricing import PriceBook
from llm_audit.vocabulary import BillingBasis

POLICIES = {
    "small-by-default": load("small-by-default"),
    "routellm": parse(
        'decision = "strong_wins"\nstrong_share = 0.4\n[ladders]\nany = ["gpt-4o-mini", "claude-opus-4-5"]',
        where="test policy",
    ),
    "by trace": parse(
        'decision = "quality_loss"\nmax_quality_loss = 5\nscope = "trace"\n[stakes.medical]\nkeep = true',
        where="test policy",
    ),
}


BILLING = Billing((Declaration(column="team", value="search", basis=BillingBasis.SUBSCRIPTION),))
PERIOD = {"since": "2026-09-01T10:00", "until": "2026-09-02T20:00"}


def mixed(count: int, seed: int) -> pl.DataFrame:
    """Requests that are tied together in every way that partitions can cut.

    Conversations and traces, templates whose caches are warm and are lost, prompts that recur in other conversations
    and come back at once, requests without a time, several inputs, long outputs, routers and stakes; prefixes that
    other conversations sent shortly before, templates with tools that few requests call, and runs of failed calls.
    """
    random = np.random.default_rng(seed)
    frame = many(count, seed=seed, conversations=count // 3, templates=6, days=2)
    text = pl.col("model").cast(pl.String)
    router = pl.lit("arn:aws:bedrock:us-east-1:1:prompt-router/p")
    at = random.random(count)
    template = pl.col("template_hash")
    tools = template == template.max()
    at_noon = pl.col("time").dt.truncate("1d") + pl.duration(hours=12, minutes=pl.col("time").dt.minute())
    asks = pl.Series(random.integers(0, 12, count))
    return frame.with_columns(
        input=pl.Series(random.integers(0, 3, count), dtype=SCHEMA["input"]),
        entry=pl.Series(np.arange(count), dtype=SCHEMA["entry"]),
        time=pl.when(pl.Series(at > 0.06)).then(pl.when(template == template.min()).then(at_noon).otherwise("time")),
        conversation=pl.when(pl.Series(random.random(count) > 0.2)).then("conversation"),
        trace=pl.when(pl.Series(random.random(count) < 0.5)).then(pl.col("conversation") // 3 + 1),
        prompt_hash=pl.Series(random.integers(1, count // 2, count), dtype=SCHEMA["prompt_hash"]),
        output_tokens=pl.Series(np.where(at < 0.03, 9_000, 200 + (at * 400).astype(np.int64))),
        stakes=pl.when(pl.Series(at > 0.9)).then(pl.lit("medical")).cast(SCHEMA["stakes"]),
        model_requested=pl.when(pl.Series(at < 0.1)).then(router).otherwise(text).cast(SCHEMA["model_requested"]),
        prefix_hash=pl.when(pl.Series(random.random(count) < 0.7)).then(template + asks % 2),
        prefix_chars=pl.lit(30_000, pl.Int64),
        prompt_chars=pl.lit(32_000, pl.Int64),
        cache_read_tokens=pl.when(template == template.min()).then(0).otherwise("cache_read_tokens"),
        cache_write_5m_tokens=pl.when(template == template.min()).then(0).otherwise("cache_write_5m_tokens"),
        tools_offered=pl.when(tools)
        .then(pl.lit("fetch=900,mcp__db__ask=500,search=700"))
        .cast(SCHEMA["tools_offered"]),
        tools_called=pl.when(tools)
        .then(pl.when(asks == 0).then(pl.lit("fetch")).otherwise(pl.lit("")))
        .cast(SCHEMA["tools_called"]),
        tools_chars=pl.when(tools).then(pl.lit(2_100, pl.Int64)),
        tool_failed=pl.when("answers_tools").then(asks > 1),
        tags=pl.Series([f"tier={number}" for number in random.integers(0, 3, count)]).cast(SCHEMA["tags"]),
    )


def audited(held, policy, mapper=map, cache=None, aliases=None, **options):
    given = {"resamples": 5, "group_by": ("status", "tag:tier"), "billing": BILLING, **options}
    return run(
        held,
        policy=POLICIES[policy],
        catalog=Catalog.load(aliases=aliases),
        book=PriceBook(),
        options=AuditOptions(**given),
        mapper=mapper,
        cache=cache,
    )


def in_any_order(seed):
    def mapped(task, numbers):
        """Send tasks and results as another process would get them, in an order of its own."""
        order = np.random.default_rng(seed).permutation(list(numbers)).tolist()
        sent = pickle.loads(pickle.dumps(task))
        return [pickle.loads(pickle.dumps(sent(number))) for number in order]

    return mapped


@pytest.fixture(scope="module")
def logs(tmp_path_factory):
    """A ledger of so many requests, written once."""
    return cache(lambda count: ledger(tmp_path_factory.mktemp("ledger"), mixed(count, seed=3)))


@pytest.fixture(scope="module")
def wholes(logs):
    """The audit of a ledger in one partition, which several tests compare with."""
    return cache(lambda count, policy, since, until: audited(logs(count), policy, since=since, until=until))


@pytest.fixture
def compared(logs, wholes, tmp_path):
    """Audit a ledger whole and in partitions, and compare the documents."""

    def compared(policy, partitions, *, count, since=None, until=None):
        whole = wholes(count, policy, since, until)
        assert whole.document.waste
        assert whole.document.findings
        cut = partitioned(logs(count), partitions, tmp_path)
        kept_alive = Ledger(cut.folder, cut.manifest, holder=Workspace())
        found = audited(kept_alive, policy, in_any_order(partitions), since=since, until=until)
        assert msgspec.json.encode(found.document) == msgspec.json.encode(whole.document)
        return found, whole

    return compared


@pytest.mark.parametrize(
    ("policy", "partitions", "period"),
    [
        ("small-by-default", 1, PERIOD),
        ("small-by-default", 3, PERIOD),
        ("routellm", 3, PERIOD),
        ("by trace", 2, PERIOD),
        ("by trace", 5, {}),
    ],
)
def test_a_ledger_in_any_partitions_has_the_document_of_the_whole(compared, policy, partitions, period):
    found, whole = compared(policy, partitions, count=700, **period)
    assert_frame_equal(found.requests, whole.requests.sort("input", "line", "entry"))
    assert {"prefix_never_cached", "unused_tools", "failing_tool_steps"} < {row.kind for row in whole.document.waste}
    assert whole.document.findings
    assert whole.document.observed_routers


def test_partitions_that_are_empty_or_more_than_are_added_up_at_once_have_the_document_of_the_whole(
    compared, tmp_path, monkeypatch
):
    monkeypatch.setattr(runs, "TOGETHER", 2)
    compared("small-by-default", 6, count=12)
    heights = [pl.read_parquet(file).height for file in tmp_path.glob("requests-*")]
    assert len(heights) == 6 > runs.TOGETHER**2  # sums of sums of sums
    assert min(heights) == 0


@settings(max_examples=2, deadline=None)
@given(seed=st.integers(0, 2**16), partitions=st.integers(2, 3))
def test_any_ledger_cut_anyhow_has_the_document_of_the_whole(tmp_path_factory, seed, partitions):
    folder = tmp_path_factory.mktemp("ledger")
    held = ledger(folder / "whole", mixed(150, seed=seed))
    cut = partitioned(held, partitions, folder / "cut")
    one, other = (audited(one, "small-by-default").document for one in (held, cut))
    assert msgspec.json.encode(one) == msgspec.json.encode(other)


@pytest.mark.parametrize("piece", [43, 239])
def test_pieces_and_blocks_of_any_size_give_the_document_of_the_whole(logs, wholes, monkeypatch, piece):
    whole = wholes(240, "small-by-default", None, None)
    monkeypatch.setattr(rows, "PIECE", piece)
    monkeypatch.setattr(blocks, "BLOCK", piece // 3)
    parts = audited(logs(240), "small-by-default")
    assert msgspec.json.encode(parts.document) == msgspec.json.encode(whole.document)
    assert_frame_equal(parts.requests, whole.requests)
