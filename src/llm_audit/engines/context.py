"""What reading and judging take, described in a few words that another process can be sent."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import TYPE_CHECKING

from xxhash import xxh3_128

from llm_audit.engines.row_batches import Judge
from llm_audit.sources.entry import Request
from llm_audit.sources.formats import plugins, registry
from llm_audit.sources.formats.interface import Format

if TYPE_CHECKING:
    from llm_audit.classify import Classifier

AUDIT_HALF = frozenset(
    {"document", "pricing", "policy", "audit", "compare", "report", "cli", "api.py", "config.py", "__main__.py"}
)
"""Parts of the package that ingest never imports: a change of theirs does not change a row."""

_CONTENT = (".py", ".c", ".npz", ".bin", ".csv", ".json", ".toml", ".xz")


@dataclass(frozen=True, slots=True)
class Toolbox:
    """What reading and judging take."""

    formats: Sequence[Format]
    judge: Judge
    fill: Callable[[Request], None]  # counts tokens where a log states none
    forced: Format | None = None


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a toolbox is put together."""

    log_format: str | None = None
    mapping: dict[str, str] = field(default_factory=dict)
    calibration: str | None = None  # a file that ``calibrate`` wrote

    def formats(self) -> tuple[Format, ...]:
        """The formats in the order in which they are tried; the user's own mapping first."""
        return (*self._mapped(), *registry.all_formats())

    def forced(self) -> Format | None:
        """The format that every record is read as, where one is asked for.

        Raises:
            UsageError: There is no such format.
        """
        if self.log_format is None:
            return None
        mapped = self._mapped()
        return mapped[0] if mapped and self.log_format == mapped[0].info.name else registry.get(self.log_format)

    def toolbox(self) -> Toolbox:
        """Load everything; some 0.2 s in a new process."""
        from llm_audit.tokens.estimate import fill

        return Toolbox(formats=self.formats(), judge=self.classifier().judge, fill=fill, forced=self.forced())

    def classifier(self) -> Classifier:
        """The classifier, with what a calibration taught.

        Raises:
            UsageError: The calibration cannot be read, or is of other weights.
        """
        from llm_audit.classify import Classifier

        shipped = Classifier.load()
        if self.calibration is None:
            return shipped
        from llm_audit.classify.learning.calibrate import Calibration

        return Calibration.load(Path(self.calibration)).apply(shipped)

    def fingerprints(self) -> dict[str, str]:
        """Versions of all that decides a row: the code that reads, the classifier, and how they were asked."""
        return {
            "ingest": code_fingerprint(),
            "classifier": self.classifier().fingerprint,
            "recipe": self.fingerprint(),
        }

    def fingerprint(self) -> str:
        """Of what the user asked for."""
        return xxh3_128(repr((self.log_format, sorted(self.mapping.items()))).encode()).hexdigest()

    def _mapped(self) -> tuple[Format, ...]:
        if not self.mapping:
            return ()
        from llm_audit.sources.mapping import build

        return (build(self.mapping),)


@lru_cache(maxsize=1)
def code_fingerprint() -> str:
    """Return a hash of all code and data that can decide what a row says.

    It covers the package except its audit half, and the plug-ins that add log formats.
    """
    state = xxh3_128()
    for path, content in sorted(_ingest_files(resources.files("llm_audit"), "")):
        state.update(f"{path}\0".encode())
        state.update(content)
    state.update(plugins.fingerprint().encode())
    return state.hexdigest()


def _ingest_files(folder: Traversable, prefix: str) -> Iterator[tuple[str, bytes]]:
    """Yield the path and the content of each file below a folder that is not of the audit half."""
    for item in folder.iterdir():
        path = f"{prefix}{item.name}"
        if path in AUDIT_HALF:
            continue
        if item.is_dir():
            yield from _ingest_files(item, f"{path}/")
        elif item.name.endswith(_CONTENT):
            yield path, item.read_bytes()
