"""Modules and weights that every reading process needs, loaded once into the server from which they are forked."""

import gc
import sys
from contextlib import suppress
from importlib.abc import MetaPathFinder

import pyarrow as pa

from llm_audit.classify.text import select
from llm_audit.engines import part_writer, worker
from llm_audit.engines.context import shipped_classifier
from llm_audit.errors import UsageError
from llm_audit.sources.formats import registry
from llm_audit.tokens import estimate

__all__ = ["estimate", "part_writer", "registry", "select", "worker"]

with suppress(UsageError):  # a plug-in that cannot be loaded is reported where the formats are asked for
    registry.all_formats()


class _NoPandas(MetaPathFinder):
    """Finds that there is no pandas."""

    def find_spec(self, fullname: str, *_: object) -> None:
        """Return nothing for other modules."""
        if fullname == "pandas":
            raise ModuleNotFoundError(fullname)


# pyarrow loads pandas, where it is installed, with the first array that it makes: half a second and 40 MB of each
# process, for nothing. It looks for it once.
_NO_PANDAS = _NoPandas()
sys.meta_path.insert(0, _NO_PANDAS)
pa.array([None])
sys.meta_path.remove(_NO_PANDAS)

shipped_classifier()
gc.freeze()  # what is loaded stays, so that no process looks for garbage in it
