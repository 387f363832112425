"""Values of the document's fields, with the bounds that reading one checks."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

Amount = Annotated[str, Meta(pattern=r"^-?[0-9]{1,15}(\.[0-9]{1,30})?$")]
"""A decimal of the document's currency, without an exponent."""

Count = Annotated[int, Meta(ge=0, le=2**63 - 1)]

Number = Annotated[float, Meta(ge=-1e15, le=1e15)]
