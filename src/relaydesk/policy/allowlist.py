"""``allowlist.yaml``: which hosts have which role, and which From domains we serve.

Networks grant a role, never a verdict: an address in ``networks`` may hand mail in, and the mail still
has to prove itself. Parsing reports every bad line at once, so that one round of editing corrects the file.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, get_args

from relaydesk.message import canonical_ip, domain_name
from relaydesk.policy.networks import NetworkMap, parse_network
from relaydesk.yaml_reader import YamlError, YamlList, YamlMapping, parse_yaml

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from relaydesk.message import IpAddress, Role
    from relaydesk.policy.networks import IpNetwork

ReceivedFormat = Literal["postfix", "exim", "google", "m365"]
FORMATS: tuple[ReceivedFormat, ...] = get_args(ReceivedFormat)
#: Providers that also relay strangers' mail from the same addresses, unless the entry says otherwise.
SHARED_FORMATS: frozenset[ReceivedFormat] = frozenset({"google", "m365"})
LISTS = ("networks", "relays", "proxies", "senders")
_WANTED: dict[type, str] = {bool: "true or false", str: "text", list: "a list of domain names"}


@dataclass(frozen=True, slots=True)
class Entry:
    """One network of the list. ``format`` and ``shared`` matter for relays, ``xclient`` for proxies."""

    network: IpNetwork
    role: Role
    format: ReceivedFormat = "postfix"
    shared: bool = False
    xclient: bool = False
    note: str = ""
    line: int = 0


@dataclass(frozen=True, slots=True)
class Problem:
    """A bad line, counted from 1, and a sentence that says what is wrong and how to correct it."""

    line: int
    text: str


class AllowlistError(ValueError):
    """The file can't be used. ``problems`` holds every bad line; the message is one line for each."""

    def __init__(self, source: str, problems: Sequence[Problem]) -> None:
        self.source = source
        self.problems = tuple(sorted(problems, key=lambda problem: problem.line))
        super().__init__("\n".join(f"{source}, line {p.line}: {p.text}" for p in self.problems))


@dataclass(frozen=True, slots=True)
class Allowlist:
    """The parsed list. ``senders``: each From domain (A-label, lower case) and its extra ``d=`` domains."""

    networks: tuple[Entry, ...] = ()
    relays: tuple[Entry, ...] = ()
    proxies: tuple[Entry, ...] = ()
    senders: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    source: str = ""
    _roles: NetworkMap[Entry] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        entries = (*self.networks, *self.relays, *self.proxies)
        object.__setattr__(self, "_roles", NetworkMap([(entry.network, entry) for entry in entries]))

    def role(self, ip: str | IpAddress) -> tuple[Role, Entry | None]:
        """The role of an address and the entry that grants it; the narrowest network wins."""
        address = canonical_ip(str(ip))
        entry = self._roles.find(address) if address is not None else None
        return (entry.role, entry) if entry is not None else ("none", None)

    def listed(self, ip: str | IpAddress) -> bool:
        """Whether an address lies in one of ``networks``."""
        return self.role(ip)[0] == "origin"

    def is_sender(self, domain: str) -> bool:
        """Whether a From domain is listed, exactly."""
        return domain_name(domain) in self.senders

    def below_sender(self, domain: str) -> bool:
        """Whether a From domain lies below a listed one (it counts for refusing only)."""
        labels = (domain_name(domain) or "").split(".")
        return any(".".join(labels[start:]) in self.senders for start in range(1, len(labels)))

    @property
    def dkim_map(self) -> Mapping[str, tuple[str, ...]]:
        """From domain → further signing domains (``d=``) that vouch for it."""
        return {domain: extra for domain, extra in self.senders.items() if extra}


def parse_allowlist(text: str, source: str = "allowlist.yaml") -> Allowlist:
    """Read the file's text. AllowlistError lists every bad line with its number and the remedy."""
    try:
        tree = parse_yaml(text, source)
    except YamlError as error:
        raise AllowlistError(source, [Problem(error.line, error.problem)]) from None
    if not isinstance(tree, YamlMapping):
        raise AllowlistError(source, [Problem(1, f"the file must hold the lists {', '.join(LISTS)}")])
    return _AllowlistReader(tree, source).read()


class _AllowlistReader:
    """Walks the parsed YAML once, collecting entries and problems side by side."""

    def __init__(self, tree: YamlMapping, source: str) -> None:
        self.tree, self.source = tree, source
        self.problems: list[Problem] = []

    def read(self) -> Allowlist:
        for key in self.tree:
            if key not in LISTS:
                self.bad(self.tree.lines[key], f"unknown list {key!r}; there are {', '.join(LISTS)}")
        networks = self.entries("networks", "origin", {"note": str})
        relays = self.entries("relays", "relay", {"format": str, "shared": bool, "note": str})
        proxies = self.entries("proxies", "proxy", {"xclient": bool, "note": str})
        senders = self.senders()
        self.conflicts([*networks, *relays, *proxies])
        if self.problems:
            raise AllowlistError(self.source, self.problems)
        return Allowlist(tuple(networks), tuple(relays), tuple(proxies), senders, self.source)

    def bad(self, line: int, text: str) -> None:
        self.problems.append(Problem(line, text))

    def items(self, name: str) -> Iterator[tuple[int, object]]:
        listed = self.tree.get(name)
        if listed is None:
            return
        if not isinstance(listed, YamlList):
            self.bad(self.tree.lines[name], f"{name} must be a list; start each entry with '- '")
            return
        for index, item in enumerate(listed):
            yield listed.lines[index], item

    def entries(self, name: str, role: Role, options: Mapping[str, type]) -> list[Entry]:
        entries = []
        for line, item in self.items(name):
            fields = self.fields(line, item, "network", options, parse_network)
            if fields is None:
                continue
            style = fields.get("format", "postfix")
            if style not in FORMATS:
                self.bad(line, f"unknown format {style!r}; there are {', '.join(FORMATS)}")
                continue
            fields.setdefault("shared", style in SHARED_FORMATS)
            entries.append(Entry(role=role, line=line, **fields))
        return entries

    def fields(
        self,
        line: int,
        item: object,
        main: str,
        options: Mapping[str, type],
        read: Callable[[str], object],
    ) -> dict[str, Any] | None:
        """The checked fields of one entry, written as a plain value or as a mapping; None if it is bad."""
        fields: dict[str, Any] = dict(item) if isinstance(item, YamlMapping) else {main: item}
        before = len(self.problems)
        for key, value in fields.items():
            where = item.lines[key] if isinstance(item, YamlMapping) else line
            if key != main and key not in options:
                keys = ", ".join([main, *options])
                self.bad(where, f"unknown key {key!r}; an entry of this list has {keys}")
            elif key != main and not isinstance(value, options[key]):
                self.bad(where, f"{key} must be {_WANTED[options[key]]}, not {value!r}")
        value = fields.get(main)
        if not isinstance(value, str):
            self.bad(line, f"an entry needs {main} as text, not {value!r}")
        else:
            try:
                fields[main] = read(value)
            except ValueError as error:
                self.bad(line, str(error))
        return fields if len(self.problems) == before else None

    def senders(self) -> dict[str, tuple[str, ...]]:
        senders: dict[str, tuple[str, ...]] = {}
        for line, item in self.items("senders"):
            fields = self.fields(line, item, "domain", {"dkim": list, "note": str}, _domain)
            if fields is None:
                continue
            if fields["domain"] in senders:
                self.bad(line, f"{fields['domain']} is listed twice; keep one entry")
                continue
            senders[fields["domain"]] = self.dkim(line, fields.get("dkim", []))
        return senders

    def dkim(self, line: int, names: Sequence[object]) -> tuple[str, ...]:
        domains = []
        for name in names:
            try:
                domains.append(_domain(str(name)))
            except ValueError as error:
                self.bad(line, f"dkim: {error}")
        return tuple(domains)

    def conflicts(self, entries: Sequence[Entry]) -> None:
        """One network may be listed once, and no address may have two roles."""
        ordered = sorted(
            entries, key=lambda e: (e.network.version, int(e.network.network_address), e.network.prefixlen)
        )
        around: list[Entry] = []
        for entry in ordered:
            while around and not _inside(entry.network, around[-1].network):
                around.pop()
            for outer in around:
                later, earlier = (entry, outer) if entry.line > outer.line else (outer, entry)
                if outer.role != entry.role:
                    self.bad(
                        later.line,
                        f"{later.network} ({later.role}) overlaps {earlier.network} ({earlier.role}, line "
                        f"{earlier.line}): one address would have two roles; narrow or remove one",
                    )
                elif outer.network == entry.network:
                    self.bad(
                        later.line, f"{later.network} is listed in line {earlier.line} already; remove one"
                    )
            around.append(entry)


def _inside(inner: IpNetwork, outer: IpNetwork) -> bool:
    return inner.version == outer.version and inner.subnet_of(outer)  # type: ignore[arg-type]


def _domain(text: str) -> str:
    name = domain_name(text.strip())
    if name is None:
        raise ValueError(f"{text!r} is not a domain name; use one such as shop.example, without @ or *")
    return name
