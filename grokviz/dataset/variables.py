"""A variable of a labelled dataset: what it runs along, what it is, and how it is stored."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

PAPER = "arXiv:2301.05217"


@dataclass(frozen=True)
class Variable:
    """One variable's dimensions, unit, definition and source, and how it is stored."""

    name: str
    dims: tuple[str, ...]
    long_name: str
    units: str
    definition: str
    source: str
    dtype: str = "float32"
    step: float = 0
    """Values are rounded to a multiple of this power of two; 0: not rounded."""
    bits: int = 0
    """Values are rounded to so many significant binary digits; 0: not rounded."""

    @property
    def attrs(self) -> dict[str, str]:
        """The variable's attributes in the dataset."""
        attributes = {
            "long_name": self.long_name,
            "units": self.units,
            "definition": self.definition,
            "source": self.source,
        }
        if self.step:
            attributes["precision"] = f"rounded to a multiple of 1/{1 / self.step:g}"
        elif self.bits:
            attributes["precision"] = f"rounded to {self.bits} significant binary digits"
        return attributes

    def stored(self, value: Any) -> np.ndarray:
        """``value`` as the dataset keeps it: in the variable's type, rounded as it says.

        Rounded numbers stay plain floats, in memory and in the file, and compress well.
        """
        array = np.asarray(value)
        if self.step:
            array = np.round(array / self.step) * self.step
        elif self.bits:
            mantissa, exponent = np.frexp(array)
            array = np.ldexp(np.round(np.ldexp(mantissa, self.bits)), exponent - self.bits)
        return np.asarray(array, self.dtype)
