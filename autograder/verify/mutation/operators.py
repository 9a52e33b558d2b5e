"""Which changes are tried: cosmic-ray's operators that numerical code can tell apart, and some of our own.

cosmic-ray mutates parso trees; an operator lists positions in a node and changes the node at one of them. Left out are
bit operations, shifts and `is`, which floating-point tensors refuse, so that a mutant would only prove that it raises.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import permutations
from typing import Any

from cosmic_ray.operators.operator import Example, Operator
from cosmic_ray.plugins import get_operator
from parso.tree import BaseNode

Node = Any  # parso's nodes and leaves: untyped
Position = tuple[tuple[int, int], tuple[int, int]]
ARITHMETIC = ("Add", "Sub", "Mul", "Div", "Pow")
COMPARISONS = ("Eq", "NotEq", "Lt", "LtE", "Gt", "GtE")
COSMIC_RAY = (
    *(f"ReplaceBinaryOperator_{a}_{b}" for a, b in permutations(ARITHMETIC, 2)),
    *("ReplaceBinaryOperator_FloorDiv_Div", "ReplaceBinaryOperator_FloorDiv_Mul", "ReplaceBinaryOperator_Mod_FloorDiv"),
    *("ReplaceBinaryOperator_BitAnd_BitOr", "ReplaceBinaryOperator_BitOr_BitAnd"),
    *(f"ReplaceComparisonOperator_{a}_{b}" for a, b in permutations(COMPARISONS, 2)),
    *("ReplaceUnaryOperator_USub_UAdd", "ReplaceUnaryOperator_Delete_Invert", "ReplaceUnaryOperator_Delete_Not"),
    *("AddNot", "ReplaceTrueWithFalse", "ReplaceFalseWithTrue", "ReplaceAndWithOr", "ReplaceOrWithAnd"),
    *("ReplaceBreakWithContinue", "ReplaceContinueWithBreak", "NumberReplacer", "ZeroIterationForLoop"),
)


class TreeOperator(Operator):  # type: ignore[misc]
    """An operator of our own: `cuts` yields slices of a node's children that are removed, one per mutant."""

    def cuts(self, node: BaseNode) -> Iterable[slice]:
        """What may be removed from this node."""
        raise NotImplementedError

    def mutation_positions(self, node: Node) -> Iterator[Position]:
        """Where each removal starts and ends."""
        if isinstance(node, BaseNode):
            gone = [node.children[cut] for cut in self.cuts(node)]  # all of them first: the node may change meanwhile
            yield from ((children[0].start_pos, children[-1].end_pos) for children in gone)

    def mutate(self, node: BaseNode, index: int) -> BaseNode:
        """Remove the `index`-th of them; what follows takes over the space before it."""
        cut = list(self.cuts(node))[index]
        space = _first_leaf(node.children[cut][0]).prefix
        del node.children[cut]
        if cut.start < len(node.children):
            _first_leaf(node.children[cut.start]).prefix = space
        return node

    @classmethod
    def examples(cls) -> Sequence[Example]:
        """None: tests/ hold them."""
        return ()


class DropOperand(TreeOperator):
    """`a + b * c` without one of its terms or factors."""

    def cuts(self, node: BaseNode) -> Iterable[slice]:
        """An operand with its operator; the first one with the operator behind it."""
        if node.type in ("arith_expr", "term", "power") and _is_operation(node):
            yield slice(0, 2)
            yield from (slice(i, i + 2) for i in range(1, len(node.children) - 1, 2))


def _is_operation(node: BaseNode) -> bool:
    return len(node.children) >= 3 and all(child.type == "operator" for child in node.children[1::2])


class DropCall(TreeOperator):
    """`x.exp()` becomes `x`: one method call of a chain is left out."""

    def cuts(self, node: BaseNode) -> Iterable[slice]:
        """`.name` and its `(...)`."""
        if node.type in ("atom_expr", "power"):
            for i in range(1, len(node.children) - 1):
                if _trailer(node.children[i], ".") and _trailer(node.children[i + 1], "("):
                    yield slice(i, i + 2)


class DropAttribute(TreeOperator):
    """`x.mT` becomes `x`."""

    def cuts(self, node: BaseNode) -> Iterable[slice]:
        """`.name` that is not called."""
        if node.type in ("atom_expr", "power"):
            for i in range(1, len(node.children)):
                called = i + 1 < len(node.children) and _trailer(node.children[i + 1], "(")
                if _trailer(node.children[i], ".") and not called and node.children[i].children[1].value in ("T", "mT"):
                    yield slice(i, i + 1)


class DropIndex(TreeOperator):
    """`x[0]` becomes `x`."""

    def cuts(self, node: BaseNode) -> Iterable[slice]:
        """`[...]`."""
        if node.type in ("atom_expr", "power"):
            yield from (slice(i, i + 1) for i in range(1, len(node.children)) if _trailer(node.children[i], "["))


class DropKeyword(TreeOperator):
    """`x.sum(dim=1, keepdim=True)` without one of its keyword arguments."""

    def cuts(self, node: BaseNode) -> Iterable[slice]:
        """`name=value` with its comma."""
        if node.type == "trailer" and len(node.children) == 3 and _is_keyword(node.children[1]):
            yield slice(1, 2)
        if node.type == "arglist":
            for i, child in enumerate(node.children):
                if _is_keyword(child):
                    yield slice(i - 1, i + 1) if i else slice(0, 2)


class SwapArguments(Operator):  # type: ignore[misc]
    """`f(a, b)` becomes `f(b, a)`: each pair of neighbouring positional arguments."""

    def mutation_positions(self, node: Node) -> Iterator[Position]:
        """The pairs."""
        for i in list(self._pairs(node)):
            yield node.children[i].start_pos, node.children[i + 2].end_pos

    def mutate(self, node: BaseNode, index: int) -> BaseNode:
        """Exchange them, not the space around them."""
        i = list(self._pairs(node))[index]
        first, second = node.children[i], node.children[i + 2]
        before, between = _first_leaf(first).prefix, _first_leaf(second).prefix
        node.children[i], node.children[i + 2] = second, first
        _first_leaf(second).prefix, _first_leaf(first).prefix = before, between
        return node

    @staticmethod
    def _pairs(node: Node) -> Iterator[int]:
        if node.type == "arglist":
            for i in range(0, len(node.children) - 2, 2):
                if not any(_is_keyword(node.children[j]) or _is_starred(node.children[j]) for j in (i, i + 2)):
                    yield i

    @classmethod
    def examples(cls) -> Sequence[Example]:
        """None: tests/ hold them."""
        return ()


def _trailer(node: Node, opening: str) -> bool:
    return bool(node.type == "trailer" and node.children[0].value == opening)


def _is_keyword(node: Node) -> bool:
    return node.type == "argument" and len(node.children) > 1 and getattr(node.children[1], "value", "") == "="


def _is_starred(node: Node) -> bool:
    return node.type == "argument" and getattr(node.children[0], "value", "") in ("*", "**")


def _first_leaf(node: Node) -> Any:
    return node.get_first_leaf()


def all_operators() -> dict[str, Operator]:
    """Every operator by its name."""
    found = {name: get_operator(f"core/{name}")() for name in COSMIC_RAY}
    own = (DropOperand, DropCall, DropAttribute, DropIndex, DropKeyword, SwapArguments)
    return found | {operator.__name__: operator() for operator in own}
