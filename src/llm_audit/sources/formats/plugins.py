"""Log formats of other distributions: entry points of the group ``llm_audit.formats``, each of which loads a format."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from xxhash import xxh3_128

from llm_audit.errors import UsageError
from llm_audit.sources.formats.interface import Format

if TYPE_CHECKING:
    from importlib.metadata import Distribution, EntryPoint

GROUP = "llm_audit.formats"


class _Plugin(msgspec.Struct, frozen=True):
    """One entry point and the distribution that declares it."""

    point: EntryPoint
    distribution: str
    version: str

    @property
    def described(self) -> str:
        return f'the plug-in "{self.point.name}" ({self.point.value}) of {self.distribution} {self.version}'

    @property
    def remedy(self) -> str:
        return f"Update or uninstall {self.distribution}."


def load(taken: AbstractSet[str]) -> list[Format]:
    """Load the formats of all plug-ins, in the order of their names.

    Args:
        taken: Names of the program's own formats.

    Raises:
        UsageError: A plug-in cannot be imported, is no format, or has a name that is taken.
    """
    by_name: dict[str, _Plugin] = {}
    formats = []
    for plugin in _plugins():
        form = _load(plugin)
        name = form.info.name
        if name in taken or name in by_name:
            other = by_name[name].described if name in by_name else "llm-audit itself"
            raise UsageError(
                f'Two log formats are called "{name}": that of {plugin.described} and that of {other}. {plugin.remedy}'
            )
        by_name[name] = plugin
        formats.append(form)
    return formats


def fingerprint() -> str:
    """Return a hash of all plug-ins: their distributions' names and versions, and the code of their packages.

    It is empty where there are none. A plug-in that cannot be found is left to ``load`` to report.
    """
    plugins = _plugins()
    if not plugins:
        return ""
    state = xxh3_128()
    for plugin in plugins:
        state.update(f"{plugin.distribution}\0{plugin.version}\0{plugin.point.name}\0{plugin.point.value}\0".encode())
        for path in _files(plugin.point.module):
            state.update(f"{path.name}\0".encode())
            state.update(path.read_bytes())
    return state.hexdigest()


@lru_cache(maxsize=1)
def _plugins() -> tuple[_Plugin, ...]:
    from importlib.metadata import entry_points

    found = []
    for point in entry_points(group=GROUP):
        distribution = point.dist
        name, version = ("an unknown distribution", "") if distribution is None else _identity(distribution)
        found.append(_Plugin(point, name, version))
    return tuple(sorted(found, key=lambda plugin: (plugin.point.name, plugin.distribution)))


def _identity(distribution: Distribution) -> tuple[str, str]:
    return distribution.metadata["Name"], distribution.version


def _load(plugin: _Plugin) -> Format:
    try:
        form = plugin.point.load()
    except Exception as error:
        raise UsageError(f"Cannot load {plugin.described}: {type(error).__name__}: {error}. {plugin.remedy}") from error
    if not isinstance(form, Format):
        raise UsageError(
            f"Cannot use {plugin.described}: it names a value of type {type(form).__name__}, not a log format. "
            f"{plugin.remedy}"
        )
    return form


def _files(module: str) -> list[Path]:
    """Return the Python files of the top-level package or module that a module is in, without importing it."""
    spec = find_spec(module.partition(".")[0])
    if spec is None:
        return []
    folders = spec.submodule_search_locations
    if folders is not None:
        return sorted(path for folder in folders for path in Path(folder).rglob("*.py"))
    return [Path(spec.origin)] if spec.origin is not None and spec.has_location else []
