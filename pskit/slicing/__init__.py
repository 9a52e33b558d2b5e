"""Wanted names to the statements that they need; nothing is executed here."""

from pskit.slicing.checks import slice_for_checks, top_level
from pskit.slicing.select import Slice, slice_for
from pskit.slicing.units import Piece

__all__ = ["Piece", "Slice", "slice_for", "slice_for_checks", "top_level"]
