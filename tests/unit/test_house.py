"""The rules of the house, read from the source: floors, circles, purity, owners, sizes."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from dataclasses import dataclass, field
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src"
PACKAGE = "relaydesk"

# Imports go down only: edges know the work, the work knows what is outside, all know the pure values.
PURE, OUTSIDE, WORK, EDGE = range(4)
FLOOR_NAMES = ("pure", "outside", "work", "edge")

# The longest name that fits decides; a module of the top that is not named here is an edge.
FLOORS = {
    "": EDGE,
    "answered": WORK,
    "answers": OUTSIDE,
    "answers.answer": PURE,
    "answers.check": PURE,
    "answers.cleaning": PURE,
    "answers.compose": PURE,
    "answers.credentials": PURE,
    "answers.dsn": PURE,
    "answers.enclosures": PURE,
    "answers.forward": PURE,
    "answers.hop": PURE,
    "answers.markup": PURE,
    "answers.mime": PURE,
    "answers.nexthop": PURE,
    "answers.repair": PURE,
    "clock": PURE,
    "door.allowlist": PURE,
    "door.dots": PURE,
    "door.limits": PURE,
    "door.networks": PURE,
    "door.origin": PURE,
    "door.paths": PURE,
    "door.replies": PURE,
    "door.trace": PURE,
    "events": PURE,
    "letters": PURE,
    "mailauth": OUTSIDE,
    "mailauth.bodyhash": PURE,
    "mailauth.dmarc": PURE,
    "mailauth.records": PURE,
    "mailauth.results": PURE,
    "mailauth.verdict": PURE,
    "reasons": PURE,
    "report": PURE,
    "report.publish": OUTSIDE,
    "report.render": OUTSIDE,
    "report.terminal": OUTSIDE,
    "report.figures": PURE,
    "report.scope": PURE,
    "sorting": PURE,
    "configuration": OUTSIDE,
    "data": OUTSIDE,
    "logs": OUTSIDE,
    "orders": OUTSIDE,
    "settings": OUTSIDE,
    "store": OUTSIDE,
    "desk": WORK,
    "answering": WORK,
    "returned": WORK,
    "letterhead": WORK,
    "dispatcher": WORK,
    "intake": WORK,
    "timekeeper": WORK,
}
# A package's own __init__ is imported with each of its modules: where some are pure it must be too.
PURE_DOORS = {"answers", "door", "mailauth", "report", ""}

# Pure modules compute. What they may import of the standard library, and the outside libraries that compute.
PURE_STANDARD = {
    *("__future__", "abc", "base64", "binascii", "bisect", "calendar", "codecs", "collections", "contextlib"),
    *("copy", "dataclasses", "datetime", "decimal", "email", "encodings", "enum", "fractions", "functools"),
    *("graphlib", "hashlib", "heapq", "hmac", "html", "io", "ipaddress", "itertools", "json", "math"),
    *("operator", "quopri", "re", "statistics", "string", "struct", "textwrap", "types", "typing"),
    *("unicodedata", "urllib", "warnings", "zlib", "zoneinfo"),
}
PURE_OUTSIDE = {
    *("mailparser", "nh3", "selectolax", "filetype", "idna", "re2", "ruamel", "holidays", "cryptography"),
}
# What reads a clock, throws dice or touches a file, whatever module it came from.
IMPURE_CALLS = re.compile(
    r"^(open|print|input|exec|eval|breakpoint)$"
    r"|\b(datetime|date)\.(now|utcnow|today)$"
    r"|\b(datetime\.datetime|datetime\.date)\.(now|utcnow|today)$"
    r"|^io\.(open|FileIO|open_code)$|\.(read_text|read_bytes|write_text|write_bytes|unlink|mkdir)$"
)

# Each outside library has one owner: the room, or the modules, that know it.
OWNERS: dict[str, tuple[str, ...]] = {
    "aiosmtpd": ("door",),
    "aiosmtplib": ("answers.conversation",),
    "alembic": ("store",),
    "checkdmarc": ("mailauth.publisher",),
    "click": ("cli",),
    "cryptography": ("mailauth", "doctor", "demo"),
    "defusedcsv": ("report",),
    "dkim": ("mailauth.dkim", "mailauth.dkimkey", "mailauth.bodyhash", "mailauth.signing"),
    "dns": ("mailauth",),
    "filetype": ("letters", "answers.enclosures"),
    "holidays": ("clock",),
    "idna": ("letters", "door", "mailauth", "sorting"),
    "jinja2": ("report", "answers.templates"),
    "mailparser": ("letters",),
    "nacl": ("mailauth.dkimkey", "mailauth.signing"),
    "nh3": ("letters",),
    "psycopg": ("store",),
    "pydantic": ("settings", "configuration"),
    "pydantic_settings": ("settings", "configuration"),
    "re2": ("sorting",),
    "rich": ("cli", "report"),
    "ruamel": ("configuration", "setup", "door.allowlist", "sorting", "mailauth.zone", "cli"),
    "selectolax": ("letters",),
    "spf": ("mailauth.spf",),
    "sqlalchemy": ("store",),
    "sqlmodel": ("store",),
    "structlog": ("logs",),
}
# Where a distribution is imported under another name, or not by name at all (and by whom it is then).
IMPORT_NAMES = {
    "dkimpy": "dkim",
    "dnspython": "dns",
    "google-re2": "re2",
    "mail-parser": "mailparser",
    "pydantic-settings": "pydantic_settings",
    "pynacl": "nacl",
    "pyspf": "spf",
    "ruamel.yaml": "ruamel",
}
NOT_IMPORTED_BY_NAME = {"tzdata": "zoneinfo", "psycopg": "SQLAlchemy, by postgresql+psycopg"}

# Slow to import and needed by few commands. Everything else is imported at the top of its module.
LAZY = {"checkdmarc", "rich", "holidays", "jinja2", "alembic", "mailparser", "cryptography"}
# Commands import what they run when they run it: --help must not wait for the store.
LAZY_ROOMS = ("cli", "__main__")

LONGEST_MODULE, LONGEST_FUNCTION = 400, 80  # lines; from 300 and 40 on one wants a reason


@dataclass
class Module:
    name: str  # without the package: "door.replies", "" for the package itself
    tree: ast.Module
    lines: int
    top: set[str] = field(default_factory=set)  # full names imported when the module is
    typing: set[str] = field(default_factory=set)  # for the type checker only
    inside: set[str] = field(default_factory=set)  # within functions

    @property
    def floor(self) -> int:
        if self.name in PURE_DOORS:
            return PURE
        name = self.name
        while name not in FLOORS:
            name = name.rpartition(".")[0]
        return FLOORS[name]


def is_within(name: str, room: str) -> bool:
    return name == room or name.startswith(room + ".")


@cache
def modules() -> dict[str, Module]:
    found = {}
    for path in sorted((SOURCE / PACKAGE).rglob("*.py")):
        parts = path.relative_to(SOURCE / PACKAGE).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        text = path.read_text(encoding="utf-8")
        found[name] = Module(name, ast.parse(text, str(path)), text.count("\n"))
    ours = {f"{PACKAGE}.{name}".rstrip(".") for name in found}
    for module in found.values():
        collect(module, module.tree, module.top, ours)
    return found


def collect(module: Module, node: ast.AST, into: set[str], ours: set[str]) -> None:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import):
            into.update(alias.name for alias in child.names)
        elif isinstance(child, ast.ImportFrom):
            assert child.level == 0, f"{module.name}: relative import in line {child.lineno}"
            for alias in child.names:
                full = f"{child.module}.{alias.name}"
                into.add(full if full in ours else str(child.module))
        elif isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
            collect(module, ast.Module(child.body, []), module.typing, ours)
            collect(module, ast.Module(child.orelse, []), into, ours)
        elif isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            collect(module, child, module.inside, ours)
        else:
            collect(module, child, into, ours)


def own(names: set[str]) -> set[str]:
    """Those of our modules, without the package's name."""
    return {name.removeprefix(PACKAGE).lstrip(".") for name in names if is_within(name, PACKAGE)}


def libraries(names: set[str]) -> set[str]:
    roots = {name.partition(".")[0] for name in names}
    return {root for root in roots if root != PACKAGE and root not in sys.stdlib_module_names}


def test_it_imports_downwards_only():
    wrong = []
    for module in modules().values():
        for name in own(module.top | module.inside) & set(modules()):
            other = modules()[name]
            if other.floor > module.floor:
                wrong.append(
                    f"{module.name} ({FLOOR_NAMES[module.floor]}) imports {name} ({FLOOR_NAMES[other.floor]})"
                )
    assert wrong == []


def test_it_imports_only_what_exists():
    wrong = [
        f"{module.name} imports {name}"
        for module in modules().values()
        for name in own(module.top | module.inside | module.typing) - set(modules())
    ]
    assert wrong == []


def test_it_runs_in_no_circles():
    graph = {module.name: own(module.top | module.inside) - {module.name} for module in modules().values()}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail("imports run in a circle: " + " → ".join(error.args[1]))


def test_it_imports_at_the_top_unless_a_library_is_heavy():
    wrong = []
    for module in modules().values():
        if any(is_within(module.name, room) for room in LAZY_ROOMS):
            continue
        late = {name for name in module.inside if name.partition(".")[0] not in LAZY}
        wrong += [f"{module.name} imports {name} inside a function" for name in sorted(late)]
    assert wrong == []


def test_its_pure_modules_import_nothing_that_acts():
    wrong = []
    for module in modules().values():
        if module.floor != PURE:
            continue
        roots = {name.partition(".")[0] for name in module.top | module.inside} - {PACKAGE}
        wrong += [f"{module.name} imports {root}" for root in sorted(roots - PURE_STANDARD - PURE_OUTSIDE)]
    assert wrong == []


def test_its_pure_modules_read_no_clock_and_touch_no_file():
    wrong = [
        f"{module.name}, line {node.lineno}: {called}()"
        for module in modules().values()
        if module.floor == PURE
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Call) and IMPURE_CALLS.search(called := ast.unparse(node.func))
    ]
    assert wrong == []


def test_it_lets_each_library_have_its_owner():
    wrong = []
    for module in modules().values():
        for library in sorted(libraries(module.top | module.inside)):
            owners = OWNERS.get(library, ())
            if not any(is_within(module.name, owner) for owner in owners):
                wrong.append(f"{module.name} imports {library}, which is for {', '.join(owners) or 'nobody'}")
    assert wrong == []


def dependencies() -> set[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return {re.split(r"[\[<>=!~; ]", one)[0] for one in project["dependencies"]}


def test_it_declares_what_it_imports_and_names_an_owner():
    declared = {IMPORT_NAMES.get(one, one) for one in dependencies() - {"tzdata"}}
    assert declared - set(OWNERS) == set()
    # These come with pydantic-settings, sqlmodel and dkimpy[ed25519], by those packages' own design.
    assert set(OWNERS) - declared == {"pydantic", "sqlalchemy"}


def test_it_uses_every_dependency():
    if "app" not in modules():
        pytest.skip("the composition is not there yet")
    used = set().union(*(libraries(one.top | one.inside) for one in modules().values()))
    wanted = {IMPORT_NAMES.get(one, one) for one in dependencies() - set(NOT_IMPORTED_BY_NAME)}
    assert wanted - used == set()


def test_it_says_in_the_decisions_why_each_dependency_is_there():
    text = (ROOT / "docs" / "decisions.md").read_text(encoding="utf-8")
    assert {one for one in dependencies() if f"`{one}`" not in text} == set()


def functions(module: Module) -> list[tuple[str, int]]:
    return [
        (node.name, (node.end_lineno or 0) - node.lineno + 1)
        for node in ast.walk(module.tree)
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
    ]


def test_it_stays_small():
    long = [f"{one.name}: {one.lines} lines" for one in modules().values() if one.lines > LONGEST_MODULE]
    long += [
        f"{module.name}.{name}: {lines} lines"
        for module in modules().values()
        if not is_within(module.name, "store.migrations.versions")  # a list of tables, written once
        for name, lines in functions(module)
        if lines > LONGEST_FUNCTION
    ]
    assert long == []


@pytest.mark.parametrize("word", ["utils", "helpers", "manager", "service", "base", "common", "misc"])
def test_it_has_a_noun_for_every_module(word):
    assert [name for name in modules() if word in re.split(r"[._]", name)] == []


def test_every_module_says_what_it_is():
    assert [one.name for one in modules().values() if one.lines and not ast.get_docstring(one.tree)] == []


def test_the_top_level_holds_what_it_should():
    allowed = {
        *("pyproject.toml", "README.md", "CHANGELOG.md", "LICENSE", "Makefile", "allowlist.yaml", "src"),
        *("tests", "templates", "fixtures", "docs", "bench"),
    }
    seen = {path.name for path in ROOT.iterdir() if not path.name.startswith(".")}
    assert allowed - seen == set()
    ignored = {one.strip("/") for one in (ROOT / ".gitignore").read_text(encoding="utf-8").split()}
    odd = {name for name in seen - allowed if not any(Path(name).match(one) for one in ignored)}
    assert odd == set()


def test_the_locks_hold_hashes_and_no_addresses():
    for path in sorted((ROOT / ".ci").glob("requirements*.lock")):
        text = path.read_text(encoding="utf-8").replace("\\\n", " ")
        lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
        assert lines, path
        for line in lines:
            assert re.match(r"[a-z0-9][a-z0-9._-]*(\[[a-z0-9,-]+\])?==\S+ ", line), (path.name, line[:80])
            assert "--hash=sha256:" in line, (path.name, line[:80])
            assert not re.search(r"://|file:| /|--(?!hash=sha256:[0-9a-f]{64}( |$))", line), (
                path.name,
                line[:80],
            )


def test_the_locks_hold_every_dependency():
    locked = {
        re.split(r"==|\[", line)[0]
        for line in (ROOT / ".ci" / "requirements.lock").read_text(encoding="utf-8").splitlines()
        if "==" in line and not line.startswith((" ", "#"))
    }
    normal = {re.sub(r"[._]+", "-", one).lower() for one in dependencies()}
    assert normal - locked == set()
