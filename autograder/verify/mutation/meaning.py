"""What a program says: two texts with the same meaning are one mutant, and one that means the reference is none.

Left out is what no test of values can notice: the layout, annotations, `strict=` (an assertion about lengths),
`device=` (a grader has one), and the order of arguments that may be exchanged.
"""

import ast

SILENT = ("strict", "device")
COMMUTING = ("min", "max", "minimum", "maximum", "promote_types", "transpose")


def meaning(source: str) -> str | None:
    """A text that is the same for programs that say the same; None where the source is no program."""
    try:
        tree = ast.parse(source)
    except SyntaxError:
        return None
    return ast.dump(_Bare().visit(tree))


class _Bare(ast.NodeTransformer):
    def visit_Call(self, node: ast.Call) -> ast.Call:
        self.generic_visit(node)
        node.keywords = [keyword for keyword in node.keywords if keyword.arg not in SILENT]
        if isinstance(node.func, ast.Name | ast.Attribute) and ast.unparse(node.func).split(".")[-1] in COMMUTING:
            node.args.sort(key=ast.dump)
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.FunctionDef:
        self.generic_visit(node)
        node.returns = None
        return node

    def visit_arg(self, node: ast.arg) -> ast.arg:
        node.annotation = None
        return node
