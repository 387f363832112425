"""The shipped abilities, read without a data library."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from importlib import resources
from typing import Final

import numpy as np
import numpy.typing as npt

from llm_audit.vocabulary import Category

FILE: Final = "abilities.csv"


@dataclass(frozen=True, slots=True)
class Abilities:
    """Abilities of one model at one reasoning effort, in logits by ``Category``, with standard deviations."""

    ability: npt.NDArray[np.float64]
    sd: npt.NDArray[np.float64]


def load() -> dict[tuple[str, str], Abilities]:
    """Read the shipped abilities by (model id, effort); effort is empty for all settings pooled."""
    text = resources.files("llm_audit.catalog").joinpath(FILE).read_text("utf-8")
    place = {category.value: index for index, category in enumerate(Category)}
    out: dict[tuple[str, str], Abilities] = {}
    for row in csv.DictReader(text.splitlines()):
        key = row["model_id"], row["effort"]
        if key not in out:
            out[key] = Abilities(np.full(len(place), np.nan), np.full(len(place), np.nan))
        out[key].ability[place[row["category"]]] = float(row["ability"])
        out[key].sd[place[row["category"]]] = float(row["sd"])
    return out
