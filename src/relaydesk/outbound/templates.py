"""Reply templates: texts with variables, shipped ones and the shop's own over them. Owner of jinja2 here.

A template is a text file with a head between two lines ``---``: ``title``, ``description`` and, where an
agent must say something that no ticket holds, ``needs`` with the names of those variables. Templates run
in a sandbox, within :mod:`.template_bounds`; a name that is not known is an error that says where it is,
never an empty place.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from jinja2 import FunctionLoader, StrictUndefined, TemplateError, TemplateSyntaxError, nodes
from jinja2.meta import find_undeclared_variables
from jinja2.sandbox import ImmutableSandboxedEnvironment

from relaydesk.data import UnusableFileError, read_text_file
from relaydesk.outbound.template_bounds import (
    LONGEST_SOURCE,
    LONGEST_TEXT,
    boundless,
    includes,
    too_many_includes,
)
from relaydesk.outbound.template_variables import (
    MEANINGS,
    SAMPLE_CONTEXTS,
    VARIABLE,
    TemplateProblem,
    variables_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from jinja2 import Environment

_HEAD = ("title", "description", "needs")
_NAME = re.compile(r"[a-z][a-z0-9-]{0,60}")


@dataclass(frozen=True, slots=True)
class Template:
    """One reply template. ``needs`` are the variables that must be given, as ``tracking.number``; ``text`` is
    the whole file, head included."""

    name: str
    path: str
    title: str
    description: str
    needs: tuple[str, ...]
    source: str
    text: str = ""


class Templates:
    """All templates by name."""

    def __init__(self, templates: Mapping[str, Template]) -> None:
        self._templates = dict(sorted(templates.items()))
        self._environment = _environment(self._templates)

    @classmethod
    def load(cls, folders: Sequence[Path], texts: Mapping[str, str] | None = None) -> Templates:
        """The templates (``*.txt``) of these folders, later ones over earlier ones of the same name, and over
        them those of ``texts``, whole files by name.

        Raises TemplateProblem for a folder that is not there and for a file whose head cannot be read.
        """
        templates: dict[str, Template] = {}
        for folder in folders:
            if not folder.is_dir():
                raise TemplateProblem(f"{folder} is not a folder of reply templates.")
            templates |= {path.stem: _read(path) for path in sorted(folder.glob("*.txt"))}
        for name, text in (texts or {}).items():
            templates[name] = _template(name, f"{name}.txt", text)
        return cls(templates)

    def __iter__(self) -> Iterator[Template]:
        return iter(self._templates.values())

    def get(self, name: str) -> Template:
        """The template of this name. Raises TemplateProblem, naming those there are."""
        if name not in self._templates:
            names = ", ".join(self._templates) or "none"
            raise TemplateProblem(f"There is no template {name}; there are {names}.")
        return self._templates[name]

    def render(self, name: str, variables: Mapping[str, Any]) -> str:
        """The text of a template with :func:`variables` filled in.

        Raises TemplateProblem with file and line for a variable that is not known.
        """
        template = self.get(name)
        names = {f"{first}.{second}" for first, group in variables.items() for second in vars(group)}
        for need in template.needs:
            if need not in names:
                raise TemplateProblem(f"{template.path}: {need} is needed; give it with --set {need}=….")
        for problem in self._unknown(template, names):
            raise TemplateProblem(problem)
        try:
            return self._filled(template, variables)
        except (
            TemplateError,
            ArithmeticError,
            TypeError,
            ValueError,
            AttributeError,
            LookupError,
            SyntaxError,
        ) as problem:
            raise TemplateProblem(_at(*_place(problem, template.path), problem)) from None
        except (RecursionError, MemoryError):
            raise TemplateProblem(f"{template.path}: it includes itself or grows without end.") from None

    def _filled(self, template: Template, variables: Mapping[str, Any]) -> str:
        pieces, length = [], 0
        for piece in self._environment.get_template(template.name).generate(variables):
            pieces.append(piece)
            length += len(piece)
            if length > LONGEST_TEXT:
                raise TemplateProblem(
                    f"{template.path}: the text has more than {LONGEST_TEXT:,} characters; shorten it."
                )
        return "".join(pieces).strip() + "\n"

    def _parsed(self, template: Template) -> nodes.Template:
        """The template as a tree, which needs bounded work when it is run. TemplateProblem names the line."""
        try:
            tree = self._environment.parse(template.source, template.name, template.path)
        except TemplateSyntaxError as problem:
            raise TemplateProblem(_at(template.path, problem.lineno, problem)) from None
        except (RecursionError, MemoryError, ValueError):  # ValueError: a number of some thousand digits
            raise TemplateProblem(
                f"{template.path}: it is nested too deeply, or holds a huge number."
            ) from None
        for line, clause in boundless(tree):
            raise TemplateProblem(_at(template.path, line, clause))
        return tree

    def _demand_few_includes(self, template: Template) -> None:
        included: dict[str, tuple[str, ...]] = {}
        waiting = [template.name]
        while waiting:
            name = waiting.pop()
            if name in self._templates and name not in included:
                included[name] = includes(self._parsed(self._templates[name]))
                waiting += included[name]
        if too_many_includes(template.name, included):
            raise TemplateProblem(f"{template.path}: it includes itself, or too many others.")

    def check(self) -> list[str]:
        """A sentence for every problem that any template has, also in places that are seldom reached."""
        problems: list[str] = []
        for template in self:
            samples = [
                variables_of(about, dict.fromkeys(template.needs, "sample")) for about in SAMPLE_CONTEXTS
            ]
            try:
                problems += self._unknown(template, {*MEANINGS, *template.needs})
                for variables in samples:
                    self.render(template.name, variables)
            except TemplateProblem as problem:
                problems.append(str(problem))
        return list(dict.fromkeys(problems))

    def _unknown(self, template: Template, names: set[str]) -> Iterator[str]:
        """A sentence for each name that the template speaks of but that is none of ``names``."""
        tree = self._parsed(template)
        self._demand_few_includes(template)
        choices = f"There are {', '.join(sorted(names))}."
        for name, line in _spoken(tree, {name.partition(".")[0] for name in names}):
            if name not in names:
                yield f"{_at(template.path, line, f'{name} is not known')} {choices}"


def _read(path: Path) -> Template:
    try:
        text = read_text_file(path, LONGEST_SOURCE) if _NAME.fullmatch(path.stem) else ""
    except UnusableFileError as problem:
        raise TemplateProblem(str(problem)) from None
    return _template(path.stem, str(path), text)


def _template(name: str, path: str, text: str) -> Template:
    """A template of its whole text, head included; ``path`` is what problems call it."""
    if not _NAME.fullmatch(name):
        raise TemplateProblem(f"{path}: name it in lower case with hyphens, such as return-label.txt.")
    if len(text.encode("utf-8", "replace")) > LONGEST_SOURCE:
        raise TemplateProblem(f"{path}: it has more than {LONGEST_SOURCE:,} bytes; shorten it.")
    lines = text.splitlines()
    if "---" not in lines[1:] or lines[0] != "---":
        raise TemplateProblem(
            f"{path}: begin it with a head between two lines ---, with title and description."
        )
    end = lines.index("---", 1)
    head = dict(_entry(path, number, line) for number, line in enumerate(lines[1:end], 2))
    if not head.get("title") or not head.get("description"):
        raise TemplateProblem(f"{path}: its head must hold a title and a description.")
    needs = tuple(name.strip() for name in head.get("needs", "").split(",") if name.strip())
    for need in needs:
        if not VARIABLE.fullmatch(need) or need in MEANINGS:
            raise TemplateProblem(
                f"{path}: needs names {need!r}; write further variables as tracking.number."
            )
    # Empty lines in place of the head keep the line numbers of the file.
    source = "\n" * (end + 1) + "\n".join(lines[end + 1 :])
    return Template(name, path, head["title"], head["description"], needs, source, text)


def _entry(path: str, number: int, line: str) -> tuple[str, str]:
    name, colon, value = line.partition(":")
    if not colon or name.strip() not in _HEAD:
        raise TemplateProblem(
            f"{path}, line {number}: the head holds lines {', '.join(_HEAD)}: and their value."
        )
    return name.strip(), value.strip()


class _Unknown(StrictUndefined):
    """A name that is not known; its message is for those who write templates."""

    @property
    def _undefined_message(self) -> str:
        return f"{self._undefined_name} is not known"


def _environment(templates: Mapping[str, Template]) -> Environment:
    def source(name: str) -> tuple[str, str, None] | None:
        return (templates[name].source, templates[name].path, None) if name in templates else None

    return ImmutableSandboxedEnvironment(
        loader=FunctionLoader(source),
        undefined=_Unknown,
        autoescape=False,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _spoken(tree: nodes.Template, groups: set[str]) -> Iterator[tuple[str, int]]:
    """The names a template speaks of, dotted, with their lines; those it makes itself are its own."""
    roots = find_undeclared_variables(tree)
    for name in tree.find_all(nodes.Name):
        if name.name in roots - groups:
            yield name.name, name.lineno
    for dotted in tree.find_all(nodes.Getattr):
        if isinstance(dotted.node, nodes.Name) and dotted.node.name in roots & groups:
            yield f"{dotted.node.name}.{dotted.attr}", dotted.lineno


def _place(problem: BaseException, path: str) -> tuple[str, int]:
    """File and line of the innermost template frame: jinja2 puts them into the traceback."""
    place, step = (path, 1), problem.__traceback__
    while step is not None:
        if step.tb_frame.f_code.co_filename.endswith(".txt"):
            place = step.tb_frame.f_code.co_filename, step.tb_lineno
        step = step.tb_next
    return place


def _at(path: str, line: int, problem: object) -> str:
    return f"{path}, line {line}: {str(problem).rstrip('.')}."
