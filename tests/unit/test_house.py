"""The rules of the house, read from the source: floors, circles, purity, owners, sizes."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from dataclasses import dataclass, field
from functools import cache
from graphlib import CycleError, TopologicalSorter
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src"
PACKAGE = "relaydesk"

# The rooms, from the ground up. An import goes from a floor to a lower one, typing imports included; so there
# is no circle. A room or a single module that stands on no floor fails.
FLOORS: tuple[tuple[str, ...], ...] = (
    ("characters",),
    ("data", "events", "logs", "order", "reasons", "yaml_reader"),
    ("business_time", "message", "places", "process_pool"),
    ("bounces", "classify", "dns"),
    ("mailauth", "policy"),
    ("store",),
    ("clocks", "live", "orders", "report", "search"),
    ("outbound",),
    ("accounts", "gateway", "intake", "notify"),
    ("desk",),
    ("smtpd",),
    ("api",),
    ("web",),
    ("config",),
    ("samples",),
    ("doctor",),
    ("server",),
    ("demo",),
    ("cli",),
    ("__main__",),
)
FLOOR_OF = {room: number for number, rooms in enumerate(FLOORS) for room in rooms}
MOST_SINGLE_MODULES = 6  # beside the rooms

# Pure rooms have no I/O, no clock and no chance. In the other rooms these modules are pure too.
PURE_ROOMS = {
    "business_time",
    "bounces",
    "characters",
    "classify",
    "events",
    "message",
    "order",
    "policy",
    "reasons",
    "yaml_reader",
}
PURE_MODULES = {
    "dns.records",
    "gateway.clients",
    "gateway.html",
    "gateway.lines",
    "gateway.rewrite",
    "gateway.rules",
    "gateway.submission",
    "logs.redaction",
    "logs.repeats",
    "mailauth.body_hash",
    "mailauth.dmarc",
    "mailauth.signed_header",
    "mailauth.spf_macros",
    "mailauth.spf_record",
    "notify.kinds",
    "notify.signing",
    "outbound.answer",
    "outbound.attachments",
    "outbound.check",
    "outbound.compose",
    "outbound.disposition",
    "outbound.mime",
    "outbound.named_order",
    "outbound.next_hop",
    "outbound.outgoing",
    "report.figures",
    "report.history",
    "report.names",
    "report.runs",
    "report.scope",
    "report.sla",
    "report.tallies",
    "report.view",
    "report.why",
    "report.words",
    "smtpd.data_reader",
    "smtpd.limits",
    "smtpd.paths",
    "smtpd.connection_places",
    "smtpd.replies",
}

# Pure modules compute. What they may import of the standard library, and the outside libraries that compute.
PURE_STANDARD = {
    *("__future__", "abc", "base64", "binascii", "bisect", "calendar", "codecs", "collections", "contextlib"),
    *("copy", "dataclasses", "datetime", "decimal", "email", "encodings", "enum", "fractions", "functools"),
    *("graphlib", "hashlib", "heapq", "hmac", "html", "io", "ipaddress", "itertools", "json"),
    *("math", "operator", "quopri", "re", "statistics", "string", "struct", "textwrap", "types", "typing"),
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
    "aiosmtpd": ("smtpd",),
    "aiosmtplib": ("outbound.smtp_client",),
    "alembic": ("store",),
    "checkdmarc": ("doctor.published",),
    "click": ("cli",),
    "cryptography": ("mailauth", "doctor", "demo"),
    "defusedcsv": ("report",),
    "dkim": ("mailauth.tag_list", "mailauth.signing"),
    "dns": ("dns", "doctor.published"),
    "filetype": ("message", "outbound.attachments"),
    "holidays": ("business_time",),
    "httpx2": ("accounts", "notify"),
    "idna": ("message.addresses",),
    "authlib": ("accounts",),
    "fastapi": ("web", "api"),
    "jinja2": ("report", "outbound.templates", "outbound.template_bounds", "web"),
    "mailparser": ("message",),
    "nacl": ("mailauth.signing",),
    "nh3": ("message",),
    "psycopg": ("store",),
    "pwdlib": ("accounts",),
    "pydantic": ("config", "api"),
    "pydantic_settings": ("config",),
    "pyotp": ("accounts",),
    "re2": ("classify",),
    "rich": ("cli", "report"),
    "ruamel": ("yaml_reader",),
    "segno": ("accounts",),
    "selectolax": ("message",),
    "spf": ("mailauth.spf_query",),
    "sqlalchemy": ("store",),
    "sqlmodel": ("store",),
    "starlette": ("web", "api"),
    "structlog": ("logs",),
    "uvicorn": ("server",),
    "xlsxwriter": ("report",),
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
UNOWNED = {"httptools", "python-multipart", "tzdata"}
NOT_IMPORTED_BY_NAME = {
    "httptools": "uvicorn",
    "psycopg": "SQLAlchemy, by postgresql+psycopg",
    "python-multipart": "FastAPI",
    "tzdata": "zoneinfo",
}

# Slow to import and needed by few commands. Everything else is imported at the top of its module.
LAZY = {"checkdmarc", "rich", "holidays", "jinja2", "alembic", "mailparser", "cryptography", "xlsxwriter"}
# Commands import what they run when they run it: --help must not wait for the store. The desk opens its parts
# when somebody asks for them, and so does who opens a desk for one command: a list need not wait for answers.
# An office without pages needs no libraries of theirs.
LAZY_ROOMS = ("cli", "__main__", "desk.desk", "config.opening", "server.office_process")

LONGEST_MODULE, LONGEST_FUNCTION = 300, 50  # lines
# What is longer, and why it is not cut.
LONG = {
    "config.settings": "one table: every setting with its default and what it is for",
    "events": "one table: every kind of event with what it tells",
    "web.event_lines": "one table: every kind of event with its icon and its sentence",
    "store.deadlines": "one state machine: every way in and out of a row is read together",
    "store.tables": "the tables, in one place",
}


@dataclass
class Module:
    name: str  # without the package: "smtpd.replies", "" for the package itself
    tree: ast.Module
    lines: int
    top: set[str] = field(default_factory=set)  # full names of modules imported when this one is
    typing: set[str] = field(default_factory=set)  # for the type checker only
    inside: set[str] = field(default_factory=set)  # within functions
    names: set[tuple[str, str]] = field(default_factory=set)  # every (module, name) taken from ours

    @property
    def room(self) -> str:
        return self.name.partition(".")[0]

    @property
    def pure(self) -> bool:
        return self.room in PURE_ROOMS or self.name in PURE_MODULES


def is_within(name: str, room: str) -> bool:
    return name == room or name.startswith(room + ".")


@cache
def modules() -> dict[str, Module]:
    house = {}
    for path in sorted((SOURCE / PACKAGE).rglob("*.py")):
        parts = path.relative_to(SOURCE / PACKAGE).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        text = path.read_text(encoding="utf-8")
        house[name] = Module(name, ast.parse(text, str(path)), text.count("\n"))
    ours = {f"{PACKAGE}.{name}".rstrip(".") for name in house}
    for module in house.values():
        collect(module, module.tree, module.top, ours)
    return house


def collect(module: Module, node: ast.AST, into: set[str], ours: set[str]) -> None:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import):
            into.update(alias.name for alias in child.names)
        elif isinstance(child, ast.ImportFrom):
            assert child.level == 0, f"{module.name}: relative import in line {child.lineno}"
            for alias in child.names:
                full = f"{child.module}.{alias.name}"
                into.add(full if full in ours else str(child.module))
                if is_within(str(child.module), PACKAGE):
                    module.names.add((str(child.module).removeprefix(PACKAGE).lstrip("."), alias.name))
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


def rooms() -> set[str]:
    """The packages and the single modules beside them."""
    return {module.room for module in modules().values() if module.name}


def door(room: str) -> set[str]:
    """What a room's ``__init__`` offers to others."""
    for node in modules()[room].tree.body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            return set(ast.literal_eval(node.value))
    return set()


def test_every_room_stands_on_a_floor():
    assert rooms() == set(FLOOR_OF)


def test_few_modules_lie_beside_the_rooms():
    packages = {name.partition(".")[0] for name in modules() if "." in name}
    assert len(rooms() - packages) <= MOST_SINGLE_MODULES, sorted(rooms() - packages)


def test_rooms_import_downwards_only_typing_included():
    wrong = [
        f"{module.name} (floor {FLOOR_OF[module.room]}) imports {name} (floor {FLOOR_OF[other]})"
        for module in modules().values()
        if module.name
        for name in sorted(own(module.top | module.inside | module.typing) - {""})
        if (other := name.partition(".")[0]) != module.room and FLOOR_OF[other] >= FLOOR_OF[module.room]
    ]
    assert wrong == []


def test_rooms_are_entered_by_their_doors():
    wrong = []
    for module in modules().values():
        for source, name in sorted(module.names):
            room = source.partition(".")[0]
            if not source or room == module.room:
                continue
            if "." in source:
                wrong.append(f"{module.name} imports {source}.{name}; take it from {room}")
            elif any("." in other and is_within(other, room) for other in modules()) and name not in door(
                room
            ):
                wrong.append(f"{module.name} imports {name}, which {room}.__all__ does not offer")
    assert wrong == []


def test_doors_offer_only_what_somebody_takes():
    taken = {pair for module in modules().values() for pair in module.names}
    spaces = {  # a room or query module that is taken as a whole may be asked for any of its names
        name for source, name in taken if not source and name in rooms()
    }
    idle = [
        f"{room}.{name}"
        for room in sorted(rooms() - spaces)
        for name in sorted(door(room))
        if (room, name) not in taken
    ]
    assert idle == []


def test_every_door_gives_what_it_offers():
    """Some doors load a name only when it is taken; the module they take it from must have it."""
    for room in sorted(rooms()):
        entrance = import_module(f"{PACKAGE}.{room}")
        for name in sorted(door(room)):
            assert getattr(entrance, name, None) or import_module(f"{PACKAGE}.{room}.{name}")
        for source in {home for home, _ in modules()[room].names if "." in home}:
            for name in typed_names(modules()[room].tree, f"{PACKAGE}.{source}"):
                assert f"{room}.{name}" not in modules(), "a module of that name would hide it once imported"


STORE_FOR_COMMANDS = {"StoreError"}


def test_the_command_line_holds_no_session_and_asks_no_query():
    """Commands call the desk and print. Of the store they know its error; its rows are the type checker's."""
    wrong = []
    for module in modules().values():
        if module.room != "cli":
            continue
        if any(is_within(name, "store") for name in own(module.top | module.inside)):
            taken = {name for source, name in module.names if source == "store"}
            typed = typed_names(module.tree, f"{PACKAGE}.store")
            wrong += [f"{module.name} imports {name}" for name in sorted(taken - typed - STORE_FOR_COMMANDS)]
        wrong += [
            f"{module.name}, line {node.lineno}: {node.attr}"
            for node in ast.walk(module.tree)
            if isinstance(node, ast.Attribute) and node.attr in ("reading", "transaction", "store")
        ]
    assert wrong == []


def typed_names(tree: ast.Module, source: str) -> set[str]:
    """What a module imports from ``source`` for the type checker only."""
    return {
        alias.name
        for block in tree.body
        if isinstance(block, ast.If) and "TYPE_CHECKING" in ast.unparse(block.test)
        for node in block.body
        if isinstance(node, ast.ImportFrom) and node.module == source
        for alias in node.names
    }


def test_no_class_overrides_or_uses_what_another_module_keeps_to_itself():
    kept: dict[str, tuple[str, set[str]]] = {}
    for module in modules().values():
        for node in ast.walk(module.tree):
            if isinstance(node, ast.ClassDef):
                kept[node.name] = (module.name, private_names(node))
    wrong = []
    for module in modules().values():
        for node in ast.walk(module.tree):
            if isinstance(node, ast.ClassDef):
                for base in map(ast.unparse, node.bases):
                    home, names = kept.get(base.rpartition(".")[2], (module.name, set()))
                    if home != module.name:
                        mine = private_names(node) | used_private_names(node)
                        wrong += [
                            f"{module.name}.{node.name} and {home}: {name}" for name in sorted(mine & names)
                        ]
    assert wrong == []


def private_names(node: ast.ClassDef) -> set[str]:
    """Underscore methods and attributes that a class sets."""
    defined = {
        child.name for child in node.body if isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef))
    }
    for child in ast.walk(node):
        if isinstance(child, ast.Attribute) and isinstance(child.ctx, ast.Store):
            defined.add(child.attr)
        elif isinstance(child, ast.AnnAssign) and isinstance(child.target, ast.Name):
            defined.add(child.target.id)
    return {name for name in defined if name.startswith("_") and not name.startswith("__")}


def used_private_names(node: ast.ClassDef) -> set[str]:
    return {
        child.attr
        for child in ast.walk(node)
        if isinstance(child, ast.Attribute) and ast.unparse(child.value) in ("self", "super()", "cls")
    }


def test_one_class_name_has_one_meaning():
    homes: dict[str, list[str]] = {}
    for module in modules().values():
        for node in module.tree.body:
            if isinstance(node, ast.ClassDef):
                homes.setdefault(node.name, []).append(module.name)
            elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
                name = node.targets[0].id
                if re.fullmatch(r"[A-Z][a-z]\w*", name):  # an alias of types
                    homes.setdefault(name, []).append(module.name)
    assert {name: where for name, where in homes.items() if len(where) > 1} == {}


def test_it_imports_only_what_exists():
    wrong = [
        f"{module.name} imports {name}"
        for module in modules().values()
        for name in own(module.top | module.inside | module.typing) - set(modules())
    ]
    assert wrong == []


def test_modules_run_in_no_circles():
    graph = {
        module.name: {name for name in own(module.top | module.inside | module.typing) if name != module.room}
        - {module.name}
        for module in modules().values()
    }
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
        if not module.pure:
            continue
        names = module.top | module.inside
        roots = {name.partition(".")[0] for name in names} - {PACKAGE}
        wrong += [f"{module.name} imports {root}" for root in sorted(roots - PURE_STANDARD - PURE_OUTSIDE)]
        wrong += [
            f"{module.name} imports {home}, which is not pure"
            for home in sorted({home_of(source, name) for source, name in module.names if source})
            if home in modules() and not modules()[home].pure and is_imported(module, home)
        ]
    assert wrong == []


def home_of(source: str, name: str) -> str:
    """The module that a name comes from, through the door of its room."""
    if f"{source}.{name}" in modules():
        return f"{source}.{name}"
    for origin, offered in modules()[source].names if source in modules() else ():
        if offered == name and origin:
            return origin
    return source


def is_imported(module: Module, home: str) -> bool:
    """Whether it is for more than the type checker."""
    room = home.partition(".")[0]
    return any(is_within(name, room) for name in own(module.top | module.inside))


def test_its_pure_modules_read_no_clock_and_touch_no_file():
    wrong = [
        f"{module.name}, line {node.lineno}: {called}()"
        for module in modules().values()
        if module.pure
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
    declared = {IMPORT_NAMES.get(one, one) for one in dependencies() - UNOWNED}
    assert declared - set(OWNERS) == set()
    # These come with pydantic-settings, sqlmodel and fastapi, by those packages' own design.
    assert set(OWNERS) - declared == {"pydantic", "sqlalchemy", "starlette"}


def test_it_uses_every_dependency():
    used = set().union(*(libraries(one.top | one.inside) for one in modules().values()))
    wanted = {IMPORT_NAMES.get(one, one) for one in dependencies() - set(NOT_IMPORTED_BY_NAME)}
    assert wanted - used == set()


def test_it_says_in_the_decisions_why_each_dependency_is_there():
    text = (ROOT / "docs" / "decisions.md").read_text(encoding="utf-8")
    table = re.findall(r"^\| `([\w.-]+)` \|[^|]+\|([^|]+)\| \S", text, re.MULTILINE)
    owners = {package: tuple(re.findall(r"`([^`]+)`", cell)) for package, cell in table}
    assert owners == {
        package: tuple(
            owner.replace(".", "/") for owner in OWNERS.get(IMPORT_NAMES.get(package, package), ())
        )
        for package in dependencies()
    }


def functions(module: Module) -> list[tuple[str, int]]:
    return [
        (node.name, (node.end_lineno or 0) - node.lineno + 1)
        for node in ast.walk(module.tree)
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
    ]


def test_it_stays_small():
    long = {one.name: one.lines for one in modules().values() if one.lines > LONGEST_MODULE}
    long |= {
        f"{module.name}.{name}": lines
        for module in modules().values()
        if not is_within(module.name, "store.migrations.versions")  # a list of tables, written once
        for name, lines in functions(module)
        if lines > LONGEST_FUNCTION
    }
    assert set(long) - set(LONG) == set(), long
    assert set(LONG) - set(long) == set(), "these are short enough now"


@pytest.mark.parametrize("word", ["utils", "helpers", "manager", "service", "base", "common", "misc"])
def test_it_has_a_noun_for_every_module(word):
    assert [name for name in modules() if word in re.split(r"[._]", name)] == []


def test_every_module_says_what_it_is():
    assert [one.name for one in modules().values() if one.lines and not ast.get_docstring(one.tree)] == []


# These say nothing about the row, the address or the reply that a local variable holds.
EMPTY_NAMES = {"found", "one", "told", "said", "given", "made", "mine", "here", "there"}


def locals_of(tree: ast.Module) -> Iterator[tuple[str, int]]:
    """The names that functions store or take, each with its line."""
    for function in ast.walk(tree):
        if isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            for node in ast.walk(function):
                if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                    yield node.id, node.lineno
                elif isinstance(node, ast.arg):
                    yield node.arg, node.lineno


@pytest.mark.parametrize("room", sorted(FLOOR_OF))
def test_locals_are_named_for_what_they_hold(room):
    empty = {
        f"{module.name}, line {line}: {name}"
        for module in modules().values()
        if module.room == room
        for name, line in locals_of(module.tree)
        if name in EMPTY_NAMES
    }
    assert empty == set()


# Around the product: what each of these may import of the others. The product itself (see OWNERS) takes
# nothing of them.
AROUND: dict[str, set[str]] = {
    "src/relaydesk_testkit": {"relaydesk", "relaydesk_testkit"},
    "tests": {"relaydesk", "relaydesk_testkit", "tests"},
    "bench": {"relaydesk", "relaydesk_testkit", "bench"},
}


def imports_of(path: Path) -> set[str]:
    """The packages that a file imports, by their first names."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"), str(path))):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import in line {node.lineno}"
            names.add(str(node.module).partition(".")[0])
    return names


@pytest.mark.parametrize("place", AROUND)
def test_tests_and_benchmarks_share_the_testkit_and_nothing_else(place):
    files = sorted((ROOT / place).rglob("*.py"))
    assert files
    others = {Path(other).name for other in AROUND} - AROUND[place]
    assert {str(path.relative_to(ROOT)) for path in files if imports_of(path) & others} == set()


def test_the_top_level_holds_what_it_should():
    allowed = {
        *("pyproject.toml", "README.md", "CHANGELOG.md", "LICENSE", "Makefile", "allowlist.yaml", "src"),
        *("tests", "templates", "fixtures", "docs", "bench", "deploy", "CONTRIBUTING.md", "SECURITY.md"),
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
