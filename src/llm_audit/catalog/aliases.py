"""Resolve the user's names for models: deployments, inference profiles, ARNs, internal names."""

from __future__ import annotations

import re
from collections.abc import Mapping
from fnmatch import translate


class Aliases:
    """A map from names in a log to model references, exact or with ``*`` and ``?``.

    An exact name takes precedence over a pattern, and a name given with its provider (``azure/prod-chat``) over one
    without. Letter case is ignored.
    """

    def __init__(self, names: Mapping[str, str] | None = None) -> None:
        self.names = tuple((names or {}).items())  # in their order, since the first pattern that fits takes precedence
        self._exact: dict[str, str] = {}
        self._patterns: list[tuple[re.Pattern[str], str]] = []
        for name, target in (names or {}).items():
            if any(character in name for character in "*?"):
                self._patterns.append((re.compile(translate(name.lower())), target))
            else:
                self._exact[name.lower()] = target

    def target(self, provider: str | None, model: str) -> str | None:
        """Return the reference that a name is an alias of; None where it is none."""
        name = model.strip().lower()
        variants = (f"{provider.lower()}/{name}", name) if provider else (name,)
        for variant in variants:
            if variant in self._exact:
                return self._exact[variant]
        for variant in variants:
            for pattern, target in self._patterns:
                if pattern.match(variant):
                    return target
        return None
