"""What a reply template may do: print, ask, go through lists. So its work is bounded before it is run.

jinja2 is a programming language, and its sandbox keeps a template from our data, not from working without
end: loops in loops, ``'a' * 10 ** 9``, texts that double line by line, includes that include twice. None of
that belongs into an answer to a buyer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from jinja2 import nodes

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

LONGEST_SOURCE = 50_000  # characters
LONGEST_TEXT = 200_000  # characters of a filled template
DEEPEST_LOOPS = 2
MOST_PARTS = 20  # joined by + or ~ in one expression
MOST_INCLUDES = 50  # of one filled template, counted with those of what it includes

LONGEST_CHAIN = 4  # filters of one expression
LONGEST_ARGUMENT = 40  # characters that join and replace put in

# Of these what comes out is not longer than what goes in.
_KEEPING = frozenset(
    {
        *("abs", "capitalize", "count", "d", "default", "first", "float", "int", "last", "length", "lower"),
        *("max", "min", "round", "title", "trim", "truncate", "upper", "wordcount"),
    }
)
_PUTTING_IN = frozenset({"join", "replace"})
FILTERS = _KEEPING | _PUTTING_IN | {"e", "escape", "reverse", "sort", "string", "sum", "unique"}
_ASKING = (
    *(nodes.Name, nodes.NSRef, nodes.Getattr, nodes.Const, nodes.CondExpr, nodes.Compare, nodes.Operand),
    *(nodes.And, nodes.Or, nodes.Not, nodes.Test, nodes.Filter, nodes.Keyword, nodes.Neg, nodes.Pos),
)
_ALLOWED = (
    *_ASKING,
    *(nodes.Template, nodes.Output, nodes.TemplateData, nodes.If, nodes.For, nodes.Assign, nodes.Include),
    *(nodes.Getitem, nodes.List, nodes.Tuple, nodes.Add, nodes.Sub, nodes.Div, nodes.FloorDiv, nodes.Concat),
)
_WORDS = {
    nodes.Call: "a call",
    nodes.Mul: "*",
    nodes.Pow: "**",
    nodes.Macro: "a macro",
    nodes.CallBlock: "a call",
    nodes.AssignBlock: "a set block",
    nodes.Extends: "extends",
    nodes.Block: "a block",
    nodes.Import: "import",
    nodes.FromImport: "import",
}
REMEDY = "a template may print, set, include, ask with if and go through lists with for"


def boundless(tree: nodes.Template) -> Iterator[tuple[int, str]]:
    """A line and a clause for everything in a template that its size does not bound."""
    for node in tree.find_all(nodes.Node):
        if not isinstance(node, _ALLOWED):
            word = _WORDS.get(type(node), type(node).__name__.lower())
            yield node.lineno, f"{word} cannot stand in a reply template; {REMEDY}"
        elif isinstance(node, nodes.Filter) and node.name not in FILTERS:
            yield node.lineno, f"there is no filter {node.name}; use one of {', '.join(sorted(FILTERS))}"
        elif isinstance(node, nodes.Filter) and node.name in _PUTTING_IN and not _puts_little(node):
            yield node.lineno, f"{node.name} takes short texts in quotes"
        elif isinstance(node, nodes.Include) and not isinstance(node.template, nodes.Const):
            yield node.lineno, "include takes the name of one template, in quotes"
        elif isinstance(node, nodes.Assign):
            yield from _growing(node)
        elif isinstance(node, nodes.Output):
            for printed in node.nodes:
                yield from _long(printed)
        elif isinstance(node, nodes.If):
            yield from _long(node.test)
        elif isinstance(node, nodes.For):
            yield from _long(node.iter)
    yield from _loops(tree, 0)


def _puts_little(node: nodes.Filter) -> bool:
    arguments = [*node.args, *(keyword.value for keyword in node.kwargs)]
    return node.dyn_args is None and all(
        isinstance(argument, nodes.Const) and len(str(argument.value)) <= LONGEST_ARGUMENT
        for argument in arguments
    )


def _with_all_below(node: nodes.Node) -> Iterator[nodes.Node]:
    yield node
    yield from node.find_all(nodes.Node)


def _growing(node: nodes.Assign) -> Iterator[tuple[int, str]]:
    """A text that is set may be set again and again: it must not grow on the way."""
    if any(
        not isinstance(part, _ASKING) or (isinstance(part, nodes.Filter) and part.name not in _KEEPING)
        for part in _with_all_below(node.node)
    ):
        yield node.lineno, "set may choose a value, not make a longer one; print the parts one by one"


def _long(expression: nodes.Node) -> Iterator[tuple[int, str]]:
    parts, filters = 0, 0
    for part in _with_all_below(expression):
        parts += len(part.nodes) if isinstance(part, nodes.Concat) else isinstance(part, nodes.Add)
        filters += isinstance(part, nodes.Filter)
    if parts > MOST_PARTS or filters > LONGEST_CHAIN:
        yield expression.lineno, "this is too much for one expression; print the parts one by one"


def _loops(node: nodes.Node, depth: int) -> Iterator[tuple[int, str]]:
    for child in node.iter_child_nodes():
        if isinstance(child, nodes.For):
            if child.recursive or depth >= DEEPEST_LOOPS:
                yield child.lineno, f"loops can be nested {DEEPEST_LOOPS} deep, and not be recursive"
            else:
                yield from _loops(child, depth + 1)
        elif isinstance(child, nodes.Include) and depth:
            yield child.lineno, "include cannot stand in a loop"
        else:
            yield from _loops(child, depth)


def includes(tree: nodes.Template) -> tuple[str, ...]:
    """The names of the templates that this one includes, each as often as it does."""
    named = (node.template for node in tree.find_all(nodes.Include))
    return tuple(str(name.value) for name in named if isinstance(name, nodes.Const))


def too_many_includes(name: str, included: Mapping[str, tuple[str, ...]]) -> bool:
    """Whether a template includes itself, or more than :data:`MOST_INCLUDES` in all."""
    waiting, count = [name], 0
    while waiting:
        for inner in included.get(waiting.pop(), ()):
            count += 1
            waiting.append(inner)
            if count > MOST_INCLUDES:
                return True
    return False
