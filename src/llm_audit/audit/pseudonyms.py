"""Replace names in a ledger by pseudonyms, for reports that are shared.

A pseudonym is a keyed hash (HMAC-SHA256) of the field and the name: equal names stay equal, in this audit and in the
next, and nobody without the key can find a name by trying candidates. Names are replaced before anything is grouped, so
every total stays as it is.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable, Sequence

import polars as pl

from llm_audit.errors import UsageError
from llm_audit.ledger import Ledger
from llm_audit.suggestions import did_you_mean

FIELDS = ("user", "team", "app", "environment", "tags")
"""Columns of names that no price and no route depends on."""
MIN_KEY_CHARS = 16
_DIGITS = 16


def pseudonymize(ledger: Ledger, fields: Sequence[str], key: str | None) -> Ledger:
    """Return the ledger with pseudonyms in some fields, and in tags of these fields' names.

    Raises:
        UsageError: There is no such field, or no key of enough characters.
    """
    for field in fields:
        if field not in FIELDS:
            raise UsageError(
                f"{field!r} cannot be pseudonymized.{did_you_mean(field, FIELDS)} Give one of {', '.join(FIELDS)}."
            )
    if key is None or len(key) < MIN_KEY_CHARS:
        raise UsageError(
            f"Pseudonyms need a secret key of at least {MIN_KEY_CHARS} characters. Set the variable "
            "LLM_AUDIT_PSEUDONYM_KEY, for example to the output of `openssl rand -hex 32`, and keep it."
        )
    columns = [field for field in fields if field != "tags"]
    pseudonyms = _Pseudonyms(key.encode(), columns, all_tags="tags" in fields)
    return ledger.rewritten(
        lambda rows: rows.with_columns(_replaced(rows, name, pseudonyms) for name in (*columns, "tags"))
    )


class _Pseudonyms:
    def __init__(self, key: bytes, fields: Sequence[str], *, all_tags: bool) -> None:
        self._key = key
        self._fields = fields
        self._all_tags = all_tags

    def of(self, field: str, name: str) -> str:
        """Return what stands for a name, or for the names in a list of tags."""
        if not name:
            return name
        return ",".join(sorted(map(self._tag, name.split(",")))) if field == "tags" else self._hash(field, name)

    def _tag(self, tag: str) -> str:
        name, equals, value = tag.partition("=")
        field = next((field for field in self._fields if field in name.lower()), None)
        if equals and (field or self._all_tags):
            return f"{name}={self._hash(field or name, value)}"
        return self._hash("tag", tag) if self._all_tags else tag

    def _hash(self, field: str, name: str) -> str:
        digest = hmac.new(self._key, f"{field}\0{name}".encode(errors="surrogatepass"), hashlib.sha256).hexdigest()
        return f"{field}-{digest[:_DIGITS]}"


def _replaced(rows: pl.LazyFrame, field: str, pseudonyms: _Pseudonyms) -> pl.Expr:
    names: Iterable[str] = rows.select(pl.col(field).cast(pl.String).drop_nulls().unique()).collect()[field]
    by_name = {name: pseudonyms.of(field, name) for name in names}
    text = pl.col(field).cast(pl.String)
    return text.replace_strict(by_name, default=None, return_dtype=pl.String) if by_name else text
