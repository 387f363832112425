"""Link terms to their definition where a page first uses them."""

from __future__ import annotations

import re
from collections.abc import Mapping

from markupsafe import Markup, escape

from llm_audit.report.glossary import GLOSSARY

_COMMON = frozenset({"billed", "request", "expected", "route", "policy"})
"""Terms that are also everyday words, and are not linked."""


def anchor(term: str) -> str:
    """Return the id of a term's definition on the page.

    >>> anchor("P(suffices)"), anchor("flagship tax")
    ('term-p-suffices', 'term-flagship-tax')
    """
    return "term-" + re.sub(r"[^a-z0-9]+", "-", term.lower()).strip("-")


class Definitions:
    """The terms that a page has not used yet, longest first; each is linked once."""

    def __init__(self, glossary: Mapping[str, str] = GLOSSARY) -> None:
        self._glossary = glossary
        self._open = {term: _pattern(term) for term in sorted(glossary, key=len, reverse=True) if term not in _COMMON}

    def link(self, text: str | Markup) -> Markup:
        """Escape a text, and link the terms that it is the first to use. Markup in it is kept."""
        parts = re.split(r"(<[^>]*>)", str(escape(text)))
        depth = 0
        for index, part in enumerate(parts):
            if part.startswith("<"):
                depth += -1 if part.startswith("</") else 1
            elif part and not depth:
                parts[index] = self._linked(part)
        return Markup("".join(parts))  # noqa: S704 - escaped above

    def _linked(self, text: str) -> str:
        found: list[tuple[int, int, str]] = []
        for term, pattern in list(self._open.items()):
            match = pattern.search(text)
            if match and not any(start < match.end() and match.start() < end for start, end, _ in found):
                found.append((*match.span(), term))
                del self._open[term]
        for start, end, term in sorted(found, reverse=True):
            meaning = escape(self._glossary[term])
            link = f'<a class="term" href="#{anchor(term)}" title="{meaning}">{text[start:end]}</a>'
            text = text[:start] + link + text[end:]
        return text


def _pattern(term: str) -> re.Pattern[str]:
    """Match a term or its plural, as a whole word."""
    plural = rf"{re.escape(term[:-1])}(?:y|ies)" if term.endswith("y") else rf"{re.escape(term)}s?"
    return re.compile(rf"(?<!\w){plural}(?![\w(-])", re.IGNORECASE)
