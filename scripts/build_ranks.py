"""Pack tiktoken's rank tables for shipping.

    python scripts/build_ranks.py FOLDER

FOLDER holds ``o200k_base.tiktoken`` and ``cl100k_base.tiktoken`` as OpenAI publishes them (MIT, as tiktoken is); their
SHA-256 are the ones tiktoken pins. A packed table is each token's length in one byte and its bytes, by rank from 0 on,
compressed with xz. The printed digests of the packed tables belong into ``llm_audit.tokens.encodings``.
"""

from __future__ import annotations

import base64
import hashlib
import lzma
import sys
from pathlib import Path

PINNED = {
    "o200k_base": "446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d",
    "cl100k_base": "223921b76ee99bde995b7ff738513eef100fb51d18c93597a113bcffe865b2a7",
}
OUT = Path(__file__).parent.parent / "src/llm_audit/tokens/ranks"


def main(folder: Path) -> None:
    """Check, pack and write both tables."""
    for name, pinned in PINNED.items():
        data = (folder / f"{name}.tiktoken").read_bytes()
        if hashlib.sha256(data).hexdigest() != pinned:
            raise SystemExit(f"{name}.tiktoken is not the published table")
        pairs = [line.split() for line in data.splitlines()]
        if [int(rank) for _, rank in pairs] != list(range(len(pairs))):
            raise SystemExit(f"{name}.tiktoken: ranks are not consecutive")
        tokens = [base64.b64decode(token) for token, _ in pairs]
        packed = b"".join(len(token).to_bytes(1, "big") + token for token in tokens)
        (OUT / f"{name}.xz").write_bytes(lzma.compress(packed, preset=9 | lzma.PRESET_EXTREME))
        print(name, len(tokens), hashlib.sha256(packed).hexdigest())


if __name__ == "__main__":
    main(Path(sys.argv[1]))
