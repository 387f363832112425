"""The training tables as one list of sources with targets on one scale."""

from __future__ import annotations

import re
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import Final, Self

import msgspec
import numpy as np
import numpy.typing as npt
import polars as pl
from msgspec.structs import astuple

from llm_audit.classify.text.context import without_context
from llm_audit.classify.training import anchors, rasch

SCORE: Final = "score:"
KIND: Final = {
    "math": "math",
    "physics": "science",
    "chemistry": "science",
    "engineering": "science",
    "computer science": "science",
    "business": "reasoning",
    "biology": "science",
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
    "gpqa": "science",
    "mmlu": "facts",
    "agentverse-logicgrid": "reasoning",
    "commongen": "writing",
    "agentverse-mgsm": "math",
}
"""Our kind (``heads.KINDS``) of a table's category."""

ANCHORED_KIND: Final = {
    "code": "code",
    "code_gpu": "code",
    "tool_use": "tool_use",
    "agent": "tool_use",
    "instruction": "instruction",
    "chat_creative": "writing",
    "reasoning": "reasoning",
    "maths": "math",
    "science": "science",
    "legal": "law",
    "sql": "data",
    "classification": "extraction",
}
"""Our kind of an anchored set's; sets of several kinds have none."""

REFERENCE_ABILITY: Final = {
    "mmlu_pro": ("Meta-Llama-3_1-70B-Instruct", 0.0),
    "zeroeval_crux": ("gpt-4o-mini-2024-07-18", 0.0),
    "zeroeval_math_l5": ("gpt-4o-mini-2024-07-18", 0.0),
    "zeroeval_numersense": ("gpt-4o-mini-2024-07-18", 0.0),
    "llmrouter": ("llama-3.1-8b-instruct", -1.4),
}
"""A model of each table and its ability on the scale where gpt-4o-mini-2024-07-18 is zero."""

SERIES: Final = {
    "HumanEval": "HumanEval",
    "HumanEval-X": "EvalPlus-humaneval",
    "Aider-polyglot": "Aider-polyglot",
    "BFCL-NonLiveAST": "BFCL-NonLiveAST@v4@2025-08-28",
    "BFCL-Live": "BFCL-Live@v4@2025-08-28",
    "BFCL-MultiTurn": "BFCL-MultiTurn@v4@2025-08-28",
    "tau2-retail": "tau2-bench-retail",
    "ArenaHard-v0.1": "Arena-Hard-v0.1 style-control",
    "ArenaHard-v2-creative": "Arena-Hard-v2.0 creative writing",
    "MATH-L5": "MATH-L5 (Epoch)",
    "gsm8k_train_steps": "GSM8K",
    "math500": "MATH-500",
    "arena_hard_v0.1": "Arena-Hard-v0.1 style-control",
    "zeroeval_crux": "CRUXEval-O (ZeroEval)",
    "zeroeval_math_l5": "MATH-L5 (ZeroEval)",
    "mmlu_pro": "MMLU-Pro",
}
"""The series of published scores that a set's mean level is fitted from (``abilities.levels``)."""

LEVEL: Final = {
    # few models publish a score; on our scale, from the table's own fit
    "IFBench": 0.5,
    "ARC-AGI-v1-eval": 0.3,
    "IMO-ProofBench-Basic": 1.7,
    "OlympiadBench-maths-text": 1.0,
    "ladder_olympiadbench": 1.0,
    # below MATH's mean and its fifth level by steps of the AoPS levels
    "MATH-L1": -2.6,
    "MATH-L2": -2.0,
    "MATH-L3": -1.4,
    "MATH-L4": -0.8,
    # judgements: gpt-4o-mini fails few or some of them
    "clinc150_train": -3.5,
    "ladder_svamp": -3.0,
    "vllm_sr_domain": -2.5,
    "vllm_sr_routerflow": 0.5,
}
"""Mean difficulty of sets without a series that many models have."""
UNANCHORED: Final = ("MMLU-Pro-stemez",)
"""Sets whose prompts another table holds, with outcomes."""
READ_WEIGHT: Final = 5.0
"""Weight of a prompt that a reader judged."""
RULE_WEIGHT: Final = 0.03
SET_WEIGHT: Final = 8.0
MOST_OF_SET: Final = 250
_REFINED: Final = {
    kind: re.compile(rf"\W*(?:{pattern})", re.IGNORECASE)
    for kind, pattern in {
        "translation": "translat|how do you say",
        "summarisation": "summari|tl;?dr|shorten|condense|below are the minutes|make .* (?:shorter|half as long)",
        "extraction": "extract|classify|label|tag|pull|get all|list all|identify|assign|decide for each|pick out"
        "|collect|from the text below|which (?:people|sentences)|is the sentiment|find all|answer only with yes"
        "|you will get",
        "chat": r"thanks|hi\b|hello",
    }.items()
}
"""First words of instructions of narrower kinds."""


class Items(msgspec.Struct, frozen=True):
    """Prompts with targets.

    ``level`` is the difficulty in logits, NaN where unknown; ``within`` the same centred by ``group``, NaN where only
    the level of a set is known; ``kind`` a name of ``heads.KINDS``, empty where a set mixes several; ``stakes`` a name
    of ``Stakes``, ``none``, or empty where it was not labelled; ``weight`` counts for single outcomes, ``level_weight``
    for levels.
    """

    source: npt.NDArray[np.str_]
    group: npt.NDArray[np.str_]
    language: npt.NDArray[np.str_]
    prompt: npt.NDArray[np.object_]
    kind: npt.NDArray[np.str_]
    stakes: npt.NDArray[np.str_]
    level: npt.NDArray[np.float64]
    within: npt.NDArray[np.float64]
    weight: npt.NDArray[np.float64]
    level_weight: npt.NDArray[np.float64]

    def take(self, rows: npt.NDArray[np.bool_]) -> Self:
        """Some of the items."""
        return type(self)(*(column[rows] for column in astuple(self)))


def load(folder: Path, levels: Mapping[str, float]) -> Items:
    """Read every training table of ``folder``.

    Args:
        folder: Where the tables are.
        levels: The levels of published series (``abilities.levels``).
    """
    known = LEVEL | {name: levels[series] for name, series in SERIES.items()}
    frames = [_wide(folder, name, known) for name in REFERENCE_ABILITY]
    frames += [_labelled(folder, known), _anchored(folder, known), _anchors(), _asks(), _prompts()]
    defaults = {"language": "en", "stakes": "", "level_weight": float("nan")}
    table = pl.concat(
        [
            frame.with_columns(
                pl.lit(value).alias(name) for name, value in defaults.items() if name not in frame.columns
            ).select(Items.__struct_fields__)
            for frame in frames
        ]
    )
    columns = {name: table[name].to_numpy() for name in table.columns}
    for name in ("source", "group", "language", "kind", "stakes"):
        columns[name] = columns[name].astype(np.str_)
    columns["prompt"] = np.array(table["prompt"].to_list(), object)
    columns["level_weight"] = _by_set(columns["source"], columns["level_weight"])
    return Items(**columns)


def _by_set(source: npt.NDArray[np.str_], given: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Weights of items for levels: as given, else sets weigh by the root of their size."""
    out = given.copy()
    for name in np.unique(source[np.isnan(given)]):
        rows = source == name
        out[rows] = SET_WEIGHT * min(int(rows.sum()), MOST_OF_SET) ** 0.5 / rows.sum()
    return out


def _wide(folder: Path, name: str, known: Mapping[str, float]) -> pl.DataFrame:
    frame = pl.read_parquet(folder / f"train_{name}.parquet")
    models = [column.removeprefix(SCORE) for column in frame.columns if column.startswith(SCORE)]
    outcomes = frame.select(pl.col(f"^{SCORE}.*$")).to_numpy().astype(np.float64)
    difficulty, ability = rasch.fit(outcomes)
    model, reference = REFERENCE_ABILITY[name]
    level = difficulty - ability[models.index(model)] + reference
    if name in known:
        level += known[name] - level.mean()
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


def _labelled(folder: Path, known: Mapping[str, float]) -> pl.DataFrame:
    frame = pl.read_parquet(folder / "train_difficulty_labels.parquet")
    graded = pl.col("label_kind").is_in(["number of solution steps", "AoPS level 1-5"])
    spread = pl.col("difficulty").std().over("source")
    kind = {
        "gsm8k_train_steps": "math",
        "ladder_svamp": "math",
        "ladder_olympiadbench": "math",
        "math500": "math",
        "clinc150_train": "",
    }
    read = shipped("arena_hard_kinds.csv")
    sources = frame["source"].unique().to_list()
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
                pl.col("source").replace_strict({source: known[source] for source in sources}).cast(pl.Float64)
                + pl.when(graded)
                .then((pl.col("difficulty") - pl.col("difficulty").mean().over("source")) / spread)
                .otherwise(0.0)
            ).alias("level"),
            graded.alias("graded"),
        )
        .with_columns(
            kind=_refined(),
            within=pl.when("graded")
            .then(pl.col("level") - pl.col("level").mean().over("group"))
            .otherwise(float("nan")),
            weight=pl.lit(0.5),
        )
        .drop("graded")
    )


def _anchored(folder: Path, known: Mapping[str, float]) -> pl.DataFrame:
    frame = pl.read_parquet(folder / "anchored_prompts.parquet").filter(~pl.col("set").is_in(UNANCHORED))
    return frame.select(
        source=pl.lit("set:") + pl.col("set"),
        group=pl.lit("set:") + pl.col("set"),
        prompt="prompt",
        kind=pl.col("kind").replace_strict(ANCHORED_KIND, default=""),
        level=pl.col("set").replace_strict(known, default=float("nan"), return_dtype=pl.Float64),
        within=pl.lit(float("nan")),
        weight=pl.lit(0.5),
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
            "level_weight": RULE_WEIGHT,
        }
    ).with_columns(kind=_refined())


def _asks() -> pl.DataFrame:
    return shipped("asks.csv").select(
        source=pl.lit("asks"),
        group=pl.lit("asks:") + pl.col("kind"),
        prompt="prompt",
        kind=_refined(),
        level=pl.lit(float("nan")),
        within=pl.lit(float("nan")),
        weight=pl.lit(0.5),
    )


def _prompts() -> pl.DataFrame:
    frame = shipped("prompts.csv")
    return frame.select(
        source=pl.lit("prompts:") + pl.col("language"),
        group=pl.lit("prompts:") + pl.col("kind"),
        language="language",
        prompt=pl.Series([without_context(text) for text in frame["prompt"].to_list()]),
        kind="kind",
        stakes="stakes",
        level=pl.col("level").cast(pl.Float64),
        within=pl.lit(float("nan")),
        weight=pl.lit(0.5),
        level_weight=pl.lit(READ_WEIGHT),
    )


def _refined() -> pl.Expr:
    """The kind of a prompt, that of an instruction narrowed by its first words."""

    def narrow(row: Mapping[str, str]) -> str:
        if row["kind"] != "instruction":
            return row["kind"]
        return next((kind for kind, pattern in _REFINED.items() if pattern.match(row["prompt"])), "instruction")

    return pl.struct("kind", "prompt").map_elements(narrow, return_dtype=pl.String)


def shipped(name: str) -> pl.DataFrame:
    """Read a table that stands beside this module, written for this project or read off its prompts."""
    return pl.read_csv(resources.files("llm_audit.classify.training").joinpath(name).read_bytes())
