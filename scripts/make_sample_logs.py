"""Rebuild ``sample_logs/`` and the expected result of reading it, to the byte.

All traffic is made up; the texts are in ``scripts/data``. Plain files depend on nothing but this code. Compressed ones
and Parquet depend on the versions of zlib and pyarrow too, which the expectation names.
"""

from __future__ import annotations

import argparse
import json
import shutil
import zlib
from pathlib import Path
from typing import Any

import pyarrow as pa
from traffic import bedrock, claude_code, code_agent, doc_extraction, support_chat, ticket_classifier, tutoring
from traffic.logfile import LogFile, truth

ROOT = Path(__file__).resolve().parent.parent
EXPECTED = Path("tests/fixtures/sample_logs_expected.json")
FOLDER = Path("sample_logs")
SAMPLED = 400
"""Requests of the company that a logged one stands for: its month is that many times as large as the logs."""
_ACCOUNTING, _SAMPLING = "accounting", "sampling"
_APPS = (support_chat, bedrock, doc_extraction, ticket_classifier, code_agent, claude_code, tutoring)


def build() -> list[LogFile]:
    """Return all files, none of them written yet."""
    return [file for app in _APPS for file in app.build()]


def expected(files: list[LogFile]) -> dict[str, Any]:
    """Return the content of the files, and the libraries that their compressed bytes depend on."""
    return {"libraries": {"zlib": zlib.ZLIB_RUNTIME_VERSION, "pyarrow": pa.__version__}, **truth(files)}


def readme(text: str, found: dict[str, Any]) -> str:
    """Return the text of the README with its table of counts and the size of the company replaced."""
    columns = ["records", "requests", "duplicates", "not_provider_calls", "rejected"]
    rows = [["file", *(name.replace("_", " ") for name in columns)], ["-"] + ["-:"] * len(columns)]
    for path, counts in _folded(found["files"]).items():
        rows.append([f"`{path}`", *(f"{counts[name]:,}" for name in columns)])
    rows.append(["all", *(f"{found['totals'][name]:,}" for name in columns)])
    table = "".join(f"| {' | '.join(row)} |\n" for row in rows)
    month = round(SAMPLED * found["totals"]["requests"], -4)
    sampling = (
        f"They play what a company of about {month:,} requests a month keeps of them: a sample of 1 request in"
        f" {SAMPLED}. Declare it, and figures a month\nare scaled to all traffic: `llm-audit analyze sample_logs/"
        f" --sampling-rate {1 / SAMPLED:g}`.\n"
    )
    return _replaced(_replaced(text, _SAMPLING, sampling), _ACCOUNTING, table)


def _replaced(text: str, name: str, part: str) -> str:
    """Replace what stands between the marks of a part of the README."""
    begin, end = (f"<!-- {name}: {side} -->\n" for side in ("begin", "end"))
    before, _, rest = text.partition(begin)
    _, _, after = rest.partition(end)
    return before + begin + part + end + after


def _folded(files: dict[str, dict[str, int]]) -> dict[str, dict[str, int]]:
    """Add up the transcripts of Claude Code, which are too many for a row each."""
    folded: dict[str, dict[str, int]] = {}
    for path, counts in files.items():
        name = "code-agent/claude-code/**/*.jsonl" if "/claude-code/" in path else path
        row = folded.setdefault(name, dict.fromkeys(counts, 0))
        for key, count in counts.items():
            row[key] += count
    return folded


def main(root: Path = ROOT) -> None:
    """Write the logs, the expectation and the README's table below ``root``."""
    files = build()
    found = expected(files)
    page = (ROOT / FOLDER / "README.md").read_text(encoding="utf-8")
    folder = root / FOLDER
    if folder.exists():
        shutil.rmtree(folder)
    for file in files:
        file.write(folder)
    (folder / "README.md").write_text(readme(page, found), encoding="utf-8")
    (root / EXPECTED).parent.mkdir(parents=True, exist_ok=True)
    (root / EXPECTED).write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    totals = found["totals"]
    print(f"{len(files)} files, {totals['records']} records, {totals['requests']} requests, {size} bytes")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--root", type=Path, default=ROOT, help="where to write (default: this project)")
    main(parser.parse_args().root)
