"""All log formats, in the order in which their signatures are tried: the narrow before the wide.

A format of the program is a module in one of the rooms beside this one: a package there is a room, each of its modules
(or packages) holds one format as ``FORMAT``, and a module whose name begins with an underscore is shared by formats of
its room. Formats of other distributions are entry points (``plugins``).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from difflib import get_close_matches
from functools import lru_cache
from importlib import import_module
from pkgutil import iter_modules

from llm_audit.errors import UsageError
from llm_audit.sources import formats as package
from llm_audit.sources.formats.interface import Format
from llm_audit.sources.formats.plugins import load


@lru_cache(maxsize=1)
def all_formats() -> tuple[Format, ...]:
    """Return the program's own formats and those of plug-ins, in the order in which they are tried.

    Raises:
        UsageError: A plug-in cannot be loaded, or has the name of another format.
    """
    own = [form for forms in built_in().values() for form in forms]
    return ordered([*own, *load({form.info.name for form in own})])


@lru_cache(maxsize=1)
def built_in() -> dict[str, tuple[Format, ...]]:
    """Return the program's own formats by room, both in the order of their names."""
    return {room: tuple(_formats_in(room)) for room in _modules(package.__path__, packages=True)}


def ordered(formats: Iterable[Format]) -> tuple[Format, ...]:
    """Sort formats by specificity, then by name, each before those that it declares to come ``before``.

    Raises:
        UsageError: A format is declared to come before one that is narrower or not known, or before itself.
    """
    remaining = sorted(formats, key=lambda form: (form.specificity, form.info.name))
    _check_order(remaining)
    found: list[Format] = []
    while remaining:
        names = {form.info.name: form for form in remaining}
        later = {name for form in remaining for name in form.before if name in names}
        level = remaining[0].specificity
        free = (form for form in remaining if form.info.name not in later and form.specificity == level)
        chosen = next(free, None)
        if chosen is None:
            circle = ", ".join(sorted(form.info.name for form in remaining if form.specificity == level))
            raise UsageError(f"The log formats {circle} are each declared to come before another: remove a before=(…).")
        found.append(chosen)
        remaining.remove(chosen)
    return tuple(found)


def get(name: str) -> Format:
    """Return the format of this name.

    Raises:
        UsageError: There is none; the message names the known ones.
    """
    known = {form.info.name: form for form in all_formats()}
    if name in known:
        return known[name]
    close = get_close_matches(name, known, n=1)
    hint = f' Did you mean "{close[0]}"?' if close else ""
    raise UsageError(f'There is no log format "{name}".{hint} Known formats: {", ".join(sorted(known))}.')


def _formats_in(room: str) -> Iterator[Format]:
    path = f"{package.__name__}.{room}"
    for name in _modules(import_module(path).__path__):
        form: Format = import_module(f"{path}.{name}").FORMAT
        yield form


def _modules(path: Iterable[str], *, packages: bool = False) -> list[str]:
    """Return the names of the public modules in a package, sorted; or those of its packages alone."""
    found = (module for module in iter_modules(path) if module.ispkg or not packages)
    return sorted(module.name for module in found if not module.name.startswith("_"))


def _check_order(formats: Sequence[Format]) -> None:
    known = {form.info.name: form for form in formats}
    for form in formats:
        for name in form.before:
            if name not in known or known[name].specificity != form.specificity:
                raise UsageError(
                    f'The log format "{form.info.name}" is declared to come before "{name}", which is no format of the '
                    f"same specificity ({form.specificity.name}): correct before=(…), or change its specificity."
                )
