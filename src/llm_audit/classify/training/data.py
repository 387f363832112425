"""The training tables as one list of sources with targets on one scale."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

from llm_audit.classify.training import anchors, rasch

SCORE: Final = "score:"
KIND: Final = {
    "math": "math",
    "physics": "reasoning",
    "chemistry": "reasoning",
    "engineering": "reasoning",
    "computer science": "reasoning",
    "business": "reasoning",
    "biology": "facts",
    "economics": "facts",
    "psychology": "facts",
    "crux": "code",
    "math-l5": "math",
    "numersense-v2": "math",
    "natural_qa": "facts",
    "trivia_qa": "facts",
    "mbpp": "code",
    "human_eval": "code",
    "gsm8k": "math",
    "commonsense_qa": "reasoning",
    "openbook_qa": "facts",
    "arc_challenge": "facts",
    "gpqa": "reasoning",
    "mmlu": "facts",
    "agentverse-logicgrid": "reasoning",
    "commongen": "writing",
    "agentverse-mgsm": "math",
}
"""Our kind (``heads.KINDS``) of a table's category."""

REFERENCE_ABILITY: Final = {
    "mmlu_pro": ("Meta-Llama-3_1-70B-Instruct", 0.0),
    "zeroeval_crux": ("gpt-4o-mini-2024-07-18", 0.0),
    "zeroeval_math_l5": ("gpt-4o-mini-2024-07-18", 0.0),
    "zeroeval_numersense": ("gpt-4o-mini-2024-07-18", 0.0),
    "llmrouter": ("llama-3.1-8b-instruct", -1.4),
}
"""A model of each table and its ability on the scale where gpt-4o-mini-2024-07-18 is zero."""

LEVEL: Final = {
    "clinc150_train": -4.0,
    "arena_hard_v0.1": -0.5,
    "ladder_svamp": -3.0,
    "ladder_olympiadbench": 0.9,
    "math500": -1.2,
    "gsm8k_train_steps": -2.8,
    "vllm_sr_domain": -2.5,
    "vllm_sr_routerflow": 0.5,
}
"""Mean difficulty of sets with weak labels: the logit of gpt-4o-mini's published failure rate, or a guess."""


@dataclass(frozen=True, slots=True)
class Items:
    """Prompts with targets.

    ``level`` is the difficulty in logits; ``within`` the same centred by ``group``, NaN where only the level of a whole
    set is known; ``kind`` a name of ``heads.KINDS``, empty where a set mixes several.
    """

    source: npt.NDArray[np.str_]
    group: npt.NDArray[np.str_]
    prompt: list[str]
    kind: npt.NDArray[np.str_]
    level: npt.NDArray[np.float64]
    within: npt.NDArray[np.float64]
    weight: npt.NDArray[np.float64]


def load(folder: Path) -> Items:
    """Read every training table of ``folder``."""
    frames = [_wide(folder, name) for name in REFERENCE_ABILITY] + [_labelled(folder), _anchors(), _asks()]
    table = pl.concat(frames)
    return Items(
        source=table["source"].to_numpy(),
        group=table["group"].to_numpy(),
        prompt=table["prompt"].to_list(),
        kind=table["kind"].to_numpy().astype(np.str_),
        level=table["level"].to_numpy(),
        within=table["within"].to_numpy(),
        weight=table["weight"].to_numpy(),
    )


def _wide(folder: Path, name: str) -> pl.DataFrame:
    frame = pl.read_parquet(folder / f"train_{name}.parquet")
    models = [column.removeprefix(SCORE) for column in frame.columns if column.startswith(SCORE)]
    outcomes = frame.select(pl.col(f"^{SCORE}.*$")).to_numpy().astype(np.float64)
    difficulty, ability = rasch.fit(outcomes)
    model, known = REFERENCE_ABILITY[name]
    level = difficulty - ability[models.index(model)] + known
    group = frame["category"].to_list()
    return pl.DataFrame(
        {
            "source": [f"{name}:{g}" if name == "llmrouter" else name for g in group],
            "group": [f"{name}:{g}" for g in group],
            "prompt": frame["prompt"],
            "kind": [KIND[g] for g in group],
            "level": level,
        }
    ).with_columns(
        within=pl.col("level") - pl.col("level").mean().over("group"),
        weight=pl.lit(0.3 if name == "llmrouter" else 0.2 if name == "zeroeval_numersense" else 1.0),
    )


def _labelled(folder: Path) -> pl.DataFrame:
    frame = pl.read_parquet(folder / "train_difficulty_labels.parquet")
    graded = pl.col("label_kind").is_in(["number of solution steps", "AoPS level 1-5"])
    spread = pl.col("difficulty").std().over("source")
    kind = {
        "gsm8k_train_steps": "math",
        "ladder_svamp": "math",
        "ladder_olympiadbench": "math",
        "math500": "math",
        "clinc150_train": "instruction",
    }
    read = shipped("arena_hard_kinds.csv")
    return (
        frame.join(read.rename({"kind": "read"}), on="prompt_id", how="left", maintain_order="left")
        .select(
            "source",
            pl.when(pl.col("source") == "math500")
            .then(pl.lit("math500:") + pl.col("category"))
            .otherwise(pl.col("source"))
            .alias("group"),
            "prompt",
            pl.coalesce("read", pl.col("source").replace_strict(kind, default="")).alias("kind"),
            (
                pl.col("source").replace_strict(LEVEL).cast(pl.Float64)
                + pl.when(graded)
                .then((pl.col("difficulty") - pl.col("difficulty").mean().over("source")) / spread)
                .otherwise(0.0)
            ).alias("level"),
            graded.alias("graded"),
        )
        .with_columns(
            within=pl.when("graded")
            .then(pl.col("level") - pl.col("level").mean().over("group"))
            .otherwise(float("nan")),
            weight=pl.lit(0.5),
        )
        .drop("graded")
    )


def _anchors() -> pl.DataFrame:
    rows = list(anchors.anchors())
    return pl.DataFrame(
        {
            "source": [f"anchors:{row.rule}" for row in rows],
            "group": [f"anchors:{row.kind}:{row.level}" for row in rows],
            "prompt": [row.prompt for row in rows],
            "kind": [row.kind for row in rows],
            "level": [row.level for row in rows],
            "within": float("nan"),
            "weight": 0.5,
        }
    )


def _asks() -> pl.DataFrame:
    return shipped("asks.csv").select(
        source=pl.lit("asks"),
        group=pl.lit("asks:") + pl.col("kind"),
        prompt="prompt",
        kind="kind",
        level=pl.col("level").cast(pl.Float64),
        within=pl.lit(float("nan")),
        weight=pl.lit(0.5),
    )


def shipped(name: str) -> pl.DataFrame:
    """A table that stands beside this module: ``asks.csv`` was written for this project, the kinds read off prompts."""
    return pl.read_csv(resources.files("llm_audit.classify.training").joinpath(name).read_bytes())
