"""Build the packaged price table of the installed version of genai-prices: a line a provider.

python scripts/build_price_table.py
"""

from __future__ import annotations

from pathlib import Path

import msgspec

import llm_audit
from llm_audit.pricing.price_table.source import FILE, converted

OUT = Path(llm_audit.__file__).parent / "pricing/price_table" / FILE


def build() -> bytes:
    """Return the file."""
    table = converted()
    about = {name: getattr(table, name) for name in ("source", "version", "licence")}
    head = b",\n".join(msgspec.json.encode(name) + b": " + msgspec.json.encode(value) for name, value in about.items())
    lines = b",\n".join(map(msgspec.json.encode, table.providers))
    return b"{" + head + b',\n"providers": [\n' + lines + b"\n]}\n"


if __name__ == "__main__":
    OUT.write_bytes(build())
