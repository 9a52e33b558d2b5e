"""The statements that wanted names need, and an order to run them in.

A function's body is looked up when the function is called, so it gets the notebook's last definitions; but a statement
that runs in the middle of the notebook, `TABLE = make_table()`, calls the functions as they stood there. Hence a need
has a time: the position in the notebook at which it is looked up, the end for the wanted names themselves.
"""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

from pskit.slicing.units import Unit

WORK = 300_000
"""Needs that are looked up at their own time; later ones are looked up at the end, so that work stays linear."""


class Closure:
    """Needs of wanted names among units, which stand in notebook order with given ones first."""

    def __init__(self, units: Sequence[Unit]) -> None:
        self.units = units
        self.end = len(units)
        self.unresolved: dict[str, Unit | None] = {}  # a name and the first unit that needs it (None: it was wanted)
        self._before: dict[int, dict[int, None]] = defaultdict(
            dict
        )  # a unit's position: those that it needs when it runs
        self._needed: set[int] = set()
        self._seen: set[tuple[int, int]] = set()
        self._pending: list[tuple[int, int]] = []
        self._binders = _binders(units)

    def want(self, names: Iterable[str]) -> None:
        """Add names, and everything that they need, at the end of the notebook."""
        for name in names:
            self._need(name, self.end, None)
        while self._pending:
            self._visit(*self._pending.pop())

    def want_units(self, positions: Iterable[int]) -> None:
        """Add units themselves, with everything that they need."""
        self._pending += [(position, self.end) for position in positions]
        self.want(())

    def used(self) -> set[str]:
        """Every name that the needed units look up."""
        return {name for i in self._needed for name in self.units[i].names.eager | self.units[i].names.lazy}

    def binders(self, name: str) -> list[int]:
        """Positions of the units that bind a name: the given ones alone, where there are any."""
        return self._binders.get(name, [])

    def _visit(self, position: int, time: int) -> None:
        if len(self._seen) > WORK:
            time = self.end
        if (position, time) in self._seen:
            return
        self._seen.add((position, time))
        unit = self.units[position]
        if position not in self._needed:
            self._needed.add(position)
            self._pending.append((position, self.end))  # its value may outlive this moment: be changed, be called last
            self._pending += [(later, self.end) for later in self._changes_after(position)]
            for name in unit.names.eager - unit.changes:
                self._need(name, position, unit)
            maybe = unit.changes if unit.plain else unit.changes | unit.names.lazy
            for name in maybe:
                self._need(name, position, unit, maybe=True)
        for name in unit.names.lazy:
            self._need(name, time, unit)
        for name in unit.names.sets_later:
            self._need(name, time, unit, maybe=True)

    def _changes_after(self, position: int) -> Iterator[int]:
        """Units that change a value in place that this one made, until its name gets another value."""
        for name in self.units[position].binds:
            binders = self.binders(name)
            for later in binders[bisect_right(binders, position) :]:
                if name not in self.units[later].changes_in_place:
                    break
                yield later

    def _need(self, name: str, time: int, user: Unit | None, maybe: bool = False) -> None:
        found = self._latest(name, time, later=not maybe)
        if found is None:
            if not maybe:
                self.unresolved.setdefault(name, user)
            return
        self._pending.append((found, time))
        if time < self.end:
            self._before[time][found] = None

    def _latest(self, name: str, time: int, later: bool) -> int | None:
        """The last binder before `time`; where cells stand in another order than they ran, the last of all."""
        binders = self.binders(name)
        earlier = bisect_left(binders, time)
        if earlier:
            return binders[earlier - 1]
        others = [position for position in binders if position != time]
        return others[-1] if later and others else None

    def order(self) -> list[int]:
        """Needed units in notebook order, each after those that it needs when it runs.

        A unit that had to run early runs again at its own place if another one took its name meanwhile.
        """
        self._drop_circles()
        order: list[int] = []
        done: set[int] = set()
        holder: dict[str, int] = {}  # a name and the unit that bound it last
        for position in sorted(self._needed):
            if position in done and all(holder[name] == position for name in self.units[position].binds):
                continue
            for unit in self._with_needs(position, done):
                order.append(unit)
                done.add(unit)
                holder.update(dict.fromkeys(self.units[unit].binds, unit))
        return order

    def _drop_circles(self) -> None:
        """Forget needs against the notebook's order that would have a unit wait for itself.

        A function may name what stands below without ever reaching that line at this moment.
        """
        for unit in sorted(self._before):
            for later in [need for need in self._before[unit] if need > unit]:
                if self._reaches(later, unit):
                    del self._before[unit][later]

    def _reaches(self, start: int, goal: int) -> bool:
        """Whether `start` needs `goal`, directly or not, when it runs."""
        found, pending = {start}, [start]
        while pending and goal not in found:
            new = [need for need in self._before.get(pending.pop(), ()) if need not in found]
            found.update(new)
            pending += new
        return goal in found

    def _with_needs(self, position: int, done: set[int]) -> list[int]:
        """A unit after those of its needs that did not run yet, and theirs."""
        order: list[int] = []
        stack = [(position, iter(sorted(self._before[position])))]
        entered = done | {position}
        while stack:
            current, needs = stack[-1]
            following = next((need for need in needs if need not in entered), None)
            if following is None:
                order.append(current)
                stack.pop()
            else:
                entered.add(following)
                stack.append((following, iter(sorted(self._before[following]))))
        return order


def _binders(units: Sequence[Unit]) -> dict[str, list[int]]:
    given = {name for unit in units if unit.given for name in unit.binds}
    binders: dict[str, list[int]] = defaultdict(list)
    for position, unit in enumerate(units):
        for name in unit.binds:
            if unit.given or name not in given:
                binders[name].append(position)
    return {name: at for name, at in binders.items() if any(units[i].creates(name) for i in at)}
