"""Names of models as reports show them: with the provider, where several serve a model of that name."""

from __future__ import annotations

from collections import defaultdict

from llm_audit.document.audit import Document
from llm_audit.report.text import NONE


def model_names(document: Document) -> dict[tuple[str, str], str]:
    """Return the name to show for each provider and model of the audit."""
    several = set(ambiguous(document))
    return {
        (m.provider, m.model): f"{m.model} ({_written(m.provider)})" if m.model in several else m.model
        for rows in (document.model_mix, document.spend)
        for m in rows
    }


def ambiguous(document: Document) -> list[str]:
    """Return the models that more than one provider serves under the same name, in alphabetical order."""
    providers: dict[str, set[str]] = defaultdict(set)
    for rows in (document.model_mix, document.spend):
        for m in rows:
            providers[m.model].add(m.provider)
    return sorted(model for model, found in providers.items() if len(found) > 1)


def _written(provider: str) -> str:
    return "no provider" if provider in {"", NONE} else provider
