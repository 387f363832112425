from collections.abc import Callable
from pathlib import Path

import pytest

from llm_audit.sources.files.storage import Source


@pytest.fixture(scope="session")
def source_of() -> Callable[..., Source]:
    """Describe a file as a source; its content is written first where it is given."""

    def describe(path: Path, content: bytes | None = None) -> Source:
        if content is not None:
            path.write_bytes(content)
        status = path.stat()
        return Source(
            name=path.name,
            path=str(path),
            size_bytes=status.st_size,
            modified_ns=status.st_mtime_ns,
            identity=f"{status.st_dev}:{status.st_ino}",
        )

    return describe
