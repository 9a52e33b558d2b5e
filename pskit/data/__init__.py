"""Real data by name: photographs and their patches, handwritten digits, a text.

The full sets are downloaded once, checked by their hashes and kept in a folder (`PSKIT_DATA`, else `~/.cache/pskit`).
Without network, or where `QUICK` asks for little, the small real data that comes with pskit stands in; one sentence
says so. `SHA256SUMS` lists every full file, `bundled/SOURCES.md` where the small ones are from.
"""

from pskit.data.basis import dct_basis, from_ac, to_ac
from pskit.data.choice import prefer_small
from pskit.data.digits import mnist
from pskit.data.images import colour_photograph, patches, photographs
from pskit.data.store import folder
from pskit.data.text import shakespeare
from pskit.data.weights import weights

__all__ = [
    "colour_photograph",
    "dct_basis",
    "folder",
    "from_ac",
    "mnist",
    "patches",
    "photographs",
    "prefer_small",
    "shakespeare",
    "to_ac",
    "weights",
]
