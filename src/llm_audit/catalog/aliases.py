"""The user's names for models: deployments, inference profiles, ARNs, house names."""

from __future__ import annotations

import re
from collections.abc import Mapping
from fnmatch import translate


class Aliases:
    """A map from names in a log to references the price table knows, exact or with ``*`` and ``?``.

    An exact name wins over a pattern, and a name given with its provider (``azure/prod-chat``) over one without.
    Nothing here depends on letter case.
    """

    def __init__(self, names: Mapping[str, str] | None = None) -> None:
        self._exact: dict[str, str] = {}
        self._patterns: list[tuple[re.Pattern[str], str]] = []
        for name, target in (names or {}).items():
            if any(character in name for character in "*?"):
                self._patterns.append((re.compile(translate(name.lower())), target))
            else:
                self._exact[name.lower()] = target

    def target(self, provider: str | None, model: str) -> str | None:
        """What the user says a name stands for; None where they say nothing."""
        name = model.strip().lower()
        spellings = (f"{provider.lower()}/{name}", name) if provider else (name,)
        for spelling in spellings:
            if spelling in self._exact:
                return self._exact[spelling]
        for spelling in spellings:
            for pattern, target in self._patterns:
                if pattern.match(spelling):
                    return target
        return None
