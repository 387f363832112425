"""A value that is equal only to itself, as the key of what was made from it."""

from __future__ import annotations

from typing import Generic, TypeVar

import msgspec

T = TypeVar("T")


class Identical(msgspec.Struct, Generic[T], frozen=True, eq=False):
    """Wraps a value; two are equal where they wrap the same object."""

    value: T

    def __eq__(self, other: object) -> bool:
        """Return whether the other wraps the same object."""
        return isinstance(other, Identical) and other.value is self.value

    def __hash__(self) -> int:
        """Return a hash of the object's identity."""
        return id(self.value)
