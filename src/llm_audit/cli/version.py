"""The report of ``llm-audit --version -v``: what a bug report needs to know of an installation."""

from __future__ import annotations

import platform
from collections.abc import Iterator
from importlib import import_module, metadata

from llm_audit import __version__

EXTENSIONS = (
    "llm_audit.audit.aggregate._sums",
    "llm_audit.classify._kernel",
    "llm_audit.classify._words",
    "llm_audit.engines._requests",
    "llm_audit.engines._rows",
    "llm_audit.engines._texts",
    "llm_audit.policy.inputs._arithmetic",
    "llm_audit.sources.files.parquet._json",
    "llm_audit.sources.formats.plain.flat._object",
    "llm_audit.sources.records._fields",
    "llm_audit.sources.records.streams._alike",
)
"""Modules in C; without them Python gives the same answers."""


def details() -> Iterator[str]:
    """Yield a line each on the version, Python, the libraries, the extensions, the price table and the classifier."""
    from llm_audit.classify import Classifier
    from llm_audit.pricing import PriceBook

    yield f"llm-audit {__version__}"
    yield f"Python: {platform.python_version()} ({platform.python_implementation()}), {platform.platform()}"
    yield f"Libraries: {', '.join(f'{name} {metadata.version(name)}' for name in ('polars', 'pyarrow', 'numpy'))}"
    missing = missing_extensions()
    shown = [name.removeprefix("llm_audit.") for name in EXTENSIONS]
    forms = [f"{name} {'pure Python' if name in missing else 'compiled'}" for name in shown]
    yield f"Extensions: {', '.join(forms)}"
    yield f"Price table: genai-prices {metadata.version('genai-prices')} with corrections, {PriceBook().fingerprint}"
    yield f"Classifier: {Classifier.load().fingerprint}"


def missing_extensions() -> list[str]:
    """Return the names of the extensions whose twin in Python is in use."""
    missing = []
    for name in EXTENSIONS:
        try:
            import_module(name)
        except ImportError:
            missing.append(name.removeprefix("llm_audit."))
    return missing
