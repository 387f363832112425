"""A mapping to paste into the settings, for a log whose records are mostly rejected for want of one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from llm_audit.errors import UsageError

if TYPE_CHECKING:
    from llm_audit.ledger import Ledger

_MAPPABLE = frozenset({"unknown_format", "no_model"})


def mapping_hint(ledger: Ledger) -> str | None:
    """Return the ``[mapping]`` that would read records rejected for one reason; None where most were read.

    It is drafted from the file of the first such record, and only where that file is still there.
    """
    manifest = ledger.manifest
    for rejection in manifest.rejected[:1]:
        if rejection.reason not in _MAPPABLE or 2 * rejection.count <= manifest.read or not rejection.examples:
            return None
        path = Path(rejection.examples[0].file)
        table = _table(path) if path.is_file() else None
        if table is not None:
            return (
                f"{rejection.count:,} of {manifest.read:,} records were rejected ({rejection.reason}). This mapping, "
                f"drafted from the fields of {path}, reads them; check it, and add it to llm-audit.toml:\n\n{table}\n"
            )
    return None


def _table(path: Path) -> str | None:
    from llm_audit.sources.first_records import sample
    from llm_audit.sources.mapping_draft import working_table

    try:
        return working_table(sample(path))
    except UsageError:
        return None
