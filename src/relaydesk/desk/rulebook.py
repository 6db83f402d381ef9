"""The sorting rules as admins look after them: in order, with what each matched, and tried on a message."""

from __future__ import annotations

import asyncio
import re
import threading
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from relaydesk import intake
from relaydesk.desk.config import DeskError
from relaydesk.desk.permissions import DeskPart
from relaydesk.desk.settings import StoredShopSettings
from relaydesk.message import header_values, parse_header
from relaydesk.process_pool import ProcessPool
from relaydesk.store import audit, secret, state_of, tickets

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator, Mapping

    from relaydesk.classify import Rule
    from relaydesk.policy import Decision
    from relaydesk.reasons import Reason

COUNTED = timedelta(days=30)
LONGEST_TRIAL = 2_000_000  # bytes of a message that is tried
TRIAL_SECONDS = 20.0
_VARIES = re.compile(r"\(\?P<\w+>[^)]*\)|\(\?:[^()]*\)\??|\[[^\]]*\][?*+]?|\.\*(?![.\w])")
_MARKS = re.compile(r"\\b|\\s[*+]?|[\^$]")
_turn = threading.Semaphore(2)  # trials at one time; each may have a process of its own


@dataclass(frozen=True, slots=True)
class RuleShown:
    """One rule in its place. ``sender`` and ``subject`` are what it asks of a mail, in words; ``own`` means
    that the shop made it; ``matched`` counts the messages of 30 days."""

    name: str
    kind: str
    sender: str
    subject: str
    why: str
    own: bool
    matched: int


@dataclass(frozen=True, slots=True)
class Rulebook:
    """All rules in order. ``whole`` is False where more mail came than is counted."""

    rules: tuple[RuleShown, ...]
    unmatched: int
    whole: bool


class RulesInForce(DeskPart):
    """Which rules there are, and what they make of a message."""

    def book(self, *, by: str) -> Rulebook:
        """The rules in force, first match first."""
        self.viewing("administration", by)
        settings = self._settings()
        stored = settings.stored().values
        rules = settings.book.rules(stored)
        shipped = {rule.at for rule in settings.book.shipped_rules().rules}
        with self.store.reading() as session:
            counts, whole = state_of.rule_counts(session, self.clock() - COUNTED)
        shown = tuple(_shown(rule, rule.at not in shipped, counts.get(rule.name, 0)) for rule in rules.rules)
        return Rulebook(shown, counts.get("", 0), whole)

    def stored_message(self, number: int, *, by: str) -> tuple[bytes, str]:
        """The bytes of a stored message and the address it came from; the reading is put on record."""
        with self.acting("run_checks", by) as acting:
            raw = tickets.raw(acting.session, number)
            if raw is None:
                raise DeskError(f"There is no message {number}.")
            facts = {"message": number, "why": "rule tried"}
            audit.append(acting.session, "raw_read", actor=acting.actor, now=acting.now, **facts)
            return raw, tickets.came_from(acting.session, number)

    def try_out(  # noqa: PLR0913 - a message, where it came from, by which rules, and the edge's two words
        self,
        raw: bytes,
        peer: str,
        *,
        by: str,
        text: str | None = None,
        flaw: Callable[[bytes], Reason | None],
        reply: Callable[[Decision], str],
    ) -> Mapping[str, Any]:
        """What would become of a message, as ``relaydesk explain`` says it; nothing of it is kept.

        ``text`` are rules to try in the place of the stored ones. Blocks for as long as name servers do, at
        most :data:`TRIAL_SECONDS`.
        """
        self.viewing("administration", by)
        if not raw.strip():
            raise DeskError("Nothing was pasted; paste a whole message, its header first.")
        if len(raw) > LONGEST_TRIAL:
            raise DeskError(f"The message has more than {LONGEST_TRIAL:,} bytes; try one that is shorter.")
        settings = self._settings()
        stored = settings.stored().values
        changed = stored if text is None else settings.with_change("rules", text)
        with self.store.reading() as session:
            key = secret.kept(session)
        policy, rules = settings.book.policy(stored, key), settings.book.rules(changed)
        rcpt = (min(policy.mailboxes, default="help@shop.example"),)
        envelope = intake.envelope_of_file(
            raw,
            peer=peer,
            helo=None,
            mail_from=_reverse_path(raw),
            rcpt=rcpt,
            policy=policy,
            now=self.clock(),
        )

        async def explained() -> Mapping[str, Any]:
            means = (settings.book.resolver(), policy, rules, flaw(envelope.raw))
            async with _bounded_pool() as pool:
                gathered, decision = await intake.explain(envelope, *means, store=self.store, pool=pool)
            return intake.explanation(envelope, gathered, decision, reply(decision))

        with _a_turn():
            return asyncio.run(explained())

    def _settings(self) -> StoredShopSettings:
        return StoredShopSettings(self.store, self.config, self.clock)


@contextmanager
def _a_turn() -> Iterator[None]:
    if not _turn.acquire(timeout=TRIAL_SECONDS):
        raise DeskError("Others are trying messages just now; try again in a moment.")
    try:
        yield
    finally:
        _turn.release()


@asynccontextmanager
async def _bounded_pool() -> AsyncIterator[ProcessPool]:
    """A process for what is large, and an end to waiting."""
    pool = ProcessPool(1, TRIAL_SECONDS)
    try:
        async with asyncio.timeout(TRIAL_SECONDS):
            yield pool
    except TimeoutError:
        seconds = f"{TRIAL_SECONDS:.0f} seconds"
        raise DeskError(f"The name servers did not answer within {seconds}; try again.") from None
    finally:
        await pool.close()


def _reverse_path(raw: bytes) -> str:
    """The envelope sender a pasted message had: Return-Path, else From. Only the header is read."""
    path = next(iter(header_values(raw, "Return-Path")), None)
    if path is not None:
        return path
    senders = parse_header(raw).from_
    return senders[0].addr if senders else ""


def _shown(rule: Rule, own: bool, matched: int) -> RuleShown:
    sender = _readable(rule.sender.pattern) if rule.sender is not None else ""
    if not sender:
        sender = "a role name of a listed sender" if rule.role else "any listed sender"
    subject = _readable(rule.subject[0].pattern) if rule.subject else ""
    if len(rule.subject) > 1:
        subject += f", or {len(rule.subject) - 1} more"
    if rule.phrases:
        subject = f"{subject}, or a phrase “{rule.phrases}”" if subject else f"a phrase “{rule.phrases}”"
    if rule.hint is not None:
        subject = f"{subject or 'any'}, with a hint in the text"
    return RuleShown(rule.name, rule.kind, sender, subject or "any", rule.why, own, matched)


def _readable(pattern: str) -> str:
    """A pattern as people read it: what varies is an ellipsis. The file holds it exactly."""
    text = _VARIES.sub("…", pattern)
    return _MARKS.sub("", text).replace("\\", "").strip()
