"""Rebuild the classifier's weights and the models' abilities from the training data.

Run as ``python scripts/train.py --data DIR`` where ``DIR`` holds ``routing/`` and ``models/``; ``make train`` does.
The same data gives the same bytes.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import polars as pl

from llm_audit.classify.training import abilities, data, known, languages, vectors, weights
from llm_audit.classify.training.lexicon import lexicon
from llm_audit.files import write_atomically
from llm_audit.tokens.encodings import ranks

PACKAGE = Path(__file__).resolve().parent.parent / "src" / "llm_audit"


def main() -> None:
    """Train, and write what is shipped."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with routing/ and models/")
    folder = parser.parse_args().data
    scores = abilities.published(folder / "models" / "model_benchmarks.parquet")
    ratings = abilities.rated(folder / "models" / "arena_ratings.parquet")
    both = pl.concat([scores, ratings.select(scores.columns)])
    write_atomically(PACKAGE / "catalog" / "abilities.csv", abilities.to_csv(abilities.fit(both)))
    by_language = languages.fit(folder / "models" / "arena_ratings.parquet", abilities.slopes(both))
    write_atomically(PACKAGE / "catalog" / "language_abilities.csv", languages.to_csv(by_language))
    levels = abilities.levels(scores)
    write_atomically(PACKAGE / "classify" / "known_sets.csv", known.to_csv(levels))
    items = data.load(folder / "routing", levels)
    trained = weights.train(items, lexicon(items), vectors.load(ranks("o200k_base"), vectors.glossary()))
    write_atomically(PACKAGE / "classify" / "weights.npz", trained)


if __name__ == "__main__":
    main()
