"""Build src/llm_audit/catalog/models.parquet: the models with tiers and abilities, worked out of the packaged tables.

python scripts/build_models.py
"""

from __future__ import annotations

from pathlib import Path

import llm_audit
from llm_audit.catalog.catalog import MODELS_FILE, worked_out

OUT = Path(llm_audit.__file__).parent / "catalog" / MODELS_FILE

if __name__ == "__main__":
    worked_out().write_parquet(OUT, compression="zstd", compression_level=19, statistics=False)
