"""A temporary folder that is removed when it is no longer referenced."""

from __future__ import annotations

import shutil
import tempfile
import weakref
from pathlib import Path


class Workspace:
    """A new folder, removed with this object or at the end of the program.

    ``TemporaryDirectory`` warns when it is collected without being closed; here that is the normal end.
    """

    def __init__(self) -> None:
        self.path = Path(tempfile.mkdtemp(prefix="llm-audit-"))
        self._remove = weakref.finalize(self, shutil.rmtree, self.path, ignore_errors=True)
