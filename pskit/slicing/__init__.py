"""Wanted names to the statements that they need; nothing is executed here."""

from pskit.slicing.select import Slice, slice_for
from pskit.slicing.units import Piece

__all__ = ["Piece", "Slice", "slice_for"]
