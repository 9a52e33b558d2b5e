"""Names of results' folders: no two submissions share one, whatever their files are called."""

from collections.abc import Sequence
from itertools import count


def distinct(names: Sequence[str]) -> list[str]:
    """The names in their order; of several equal ones the later are NAME-2, NAME-3, past what somebody else is called.

    Names that differ in case alone count as equal: some file systems take them for one.
    """
    taken = {name.casefold() for name in names}
    seen: set[str] = set()
    found = []
    for name in names:
        free = name
        if name.casefold() in seen:
            free = next(each for n in count(2) if (each := f"{name}-{n}").casefold() not in taken)
            taken.add(free.casefold())
        seen.add(name.casefold())
        found.append(free)
    return found
