"""Modules that every reading process needs, loaded once into the server from which the processes are forked."""

from contextlib import suppress

from llm_audit.classify.text import select
from llm_audit.engines import worker
from llm_audit.errors import UsageError
from llm_audit.sources.formats import registry
from llm_audit.tokens import estimate

__all__ = ["estimate", "registry", "select", "worker"]

with suppress(UsageError):  # a plug-in that cannot be loaded is reported where the formats are asked for
    registry.all_formats()
