"""Signing in: by password and code, by a link that works once, by the company's account.

No password is looked at within a transaction: it takes long.
"""

from __future__ import annotations

from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

from relaydesk.accounts import (
    CompanyRefusal,
    CompanyVisit,
    TooManyAtOnce,
    authenticator,
    choosing,
    token_hash,
    token_text,
)
from relaydesk.desk import tries
from relaydesk.desk.config import DeskError
from relaydesk.desk.permissions import NOBODY, DeskPart, NotPermitted, active_agent, agent_actor
from relaydesk.desk.sessions import CodeNeeded, Device, Entered, begin_session, own_mark
from relaydesk.logs import log
from relaydesk.store import LoginRow, StepRow, agents, audit, logins, web_sessions

if TYPE_CHECKING:
    from collections.abc import Iterator

    from relaydesk.desk.permissions import Acting
    from relaydesk.store import LinkKind, LinkRow

STEP_LASTS = timedelta(minutes=10)
LINK_IS_OVER = "This link has been used or has expired; ask an admin for a new one."
STEP_IS_OVER = "The first step is too long ago; begin again."


class WrongSignIn(DeskError):  # noqa: N818 - a verdict
    """Name, password or code are wrong; the text says how many tries are left."""


class SignIn(DeskPart):
    """The ways in."""

    def by_password(
        self, name: str, password: str, device: Device | None = None, *, stays: bool = False
    ) -> Entered | CodeNeeded:
        """Signs in who has the password, or asks for the code. WrongSignIn, SignInPaused."""
        device = device or Device()
        with self.entering() as acting:
            agent = agents.named(acting.session, name)
            login = logins.of_agent(acting.session, agent.name) if agent and agent.active else LoginRow("")
            mark = own_mark(self.config, login, device)
            attempt = tries.begin_password(acting.session, name, device.address, mark, acting.now)
        with self._given_back(attempt):
            right, better = self.config.sign_in.passwords().verdict(
                choosing.normal(password[: choosing.MOST + 1]), login.password_hash
            )
        with self.entering() as acting:
            if right and self._is_still(acting, login):
                tries.end(acting.session, attempt, right=True)
                if better and login.password_hash:
                    logins.replace_hash(acting.session, login.agent, login.password_hash, better)
                return self._first_step(acting, login.agent, device, stays=stays, way="password")
            self._note_failure(acting, attempt, login.agent, device, "password")
        raise WrongSignIn(f"Name or password is wrong. {_left(attempt.left)} for this name.")

    def by_code(self, step: str, code: str, device: Device | None = None) -> Entered:
        """Signs in who took the first step and has the code or a recovery code. WrongSignIn, SignInPaused."""
        device = device or Device()
        with self.entering() as acting:
            first = self._step(acting, step)
            login = logins.of_agent(acting.session, first.agent)
            mark = own_mark(self.config, login, device)
            attempt = tries.begin_code(acting.session, first.agent, device.address, mark, acting.now)
        with self.entering() as acting:
            if use_code(acting, logins.of_agent(acting.session, first.agent), code):
                if not logins.end_step(acting.session, token_hash(step)):
                    raise WrongSignIn(STEP_IS_OVER)
                tries.end(acting.session, attempt, right=True)
                return begin_session(
                    acting, self.config, first.agent, device, way=f"{first.way} and code", stays=first.stays
                )
            self._note_failure(acting, attempt, first.agent, device, "code")
        raise WrongSignIn(f"The code is wrong or was used already. {_left(attempt.left)}.")

    def awaited(self, step: str) -> StepRow | None:
        """Whose code is waited for after this first step, None for nobody's."""
        with self.store.reading() as session:
            return logins.step_of(session, token_hash(step), self.clock())

    def link(self, token: str) -> LinkRow:
        """What a link is good for; that uses up nothing. NotPermitted when it is good for nothing more."""
        with self.store.reading() as session:
            link = web_sessions.link_of(session, token_hash(token), self.clock())
            if link is None:
                raise NotPermitted(LINK_IS_OVER)
            active_agent(session, link.agent)
        return link

    def by_link(self, token: str, device: Device | None = None) -> Entered:
        """Signs in who has a link that asks for no password, which uses it up. NotPermitted."""
        with self.entering() as acting:
            link = self._used(acting, token, ("enter", "direct"))
            return begin_session(acting, self.config, link.agent, device or Device(), way="link")

    def choose_password(
        self, token: str, password: str, device: Device | None = None
    ) -> Entered | CodeNeeded:
        """Sets the password of who has a link for that, which uses it up, and signs them in.

        DeskError for a password that may not be chosen: the link stays good then.
        """
        agent = self.link(token).agent
        new_hash = self.hash_of(password, agent)
        with self.entering() as acting:
            link = self._used(acting, token, ("password",))
            set_password(acting, link.agent, new_hash)
            return self._first_step(acting, link.agent, device or Device(), stays=False, way="link")

    @property
    def has_company(self) -> bool:
        """Whether there is a company's account to sign in with."""
        return self.config.sign_in.company() is not None

    def company_visit(self, back: str) -> CompanyVisit:
        """Begins at the company's provider, which sends the browser to ``back``. DeskError."""
        company = self.config.sign_in.company()
        if company is None:
            raise DeskError("No company account is set up here; sign in with a password.")
        try:
            return company.visit(back, self.config.chance)
        except CompanyRefusal as refusal:
            raise DeskError(str(refusal)) from refusal

    def by_company(  # noqa: PLR0913 - what comes back from a provider, and to whom
        self, back: str, visit: CompanyVisit, *, state: str, code: str, device: Device, stays: bool = False
    ) -> Entered:
        """Signs in the agent whom the provider names. DeskError, WrongSignIn when there is no such agent."""
        company = self.config.sign_in.company()
        if company is None:
            raise DeskError("No company account is set up here; sign in with a password.")
        try:
            name = company.name(back, visit, state=state, code=code)
        except CompanyRefusal as refusal:
            log("sign_in_failed", level="warning", limit_by=device.address, ip=device.address, way="company")
            raise DeskError(str(refusal)) from refusal
        with self.entering() as acting:
            find = agents.with_email if company.claim == "email" else agents.named
            agent = find(acting.session, name)
            if agent is not None and agent.active:
                logins.change(acting.session, agent.name, company_at=acting.now)
                return begin_session(acting, self.config, agent.name, device, way="company", stays=stays)
        raise WrongSignIn(
            "Your company account is right, but there is no agent of that name here; ask an admin to add you."
        )

    def hash_of(self, password: str, agent: str) -> str:
        """The hash of a password that may be chosen by this agent; else DeskError with the reason."""
        with self.store.reading() as session:
            person = active_agent(session, agent)
        normal = choosing.normal(password)
        flaw = choosing.flaw_of(normal, person.name, person.display_name, person.email.partition("@")[0])
        if flaw:
            raise DeskError(flaw)
        try:
            return self.config.sign_in.passwords().hashed(normal)
        except TooManyAtOnce as busy:
            raise DeskError(str(busy)) from busy

    def _first_step(
        self, acting: Acting, agent: str, device: Device, *, stays: bool, way: str
    ) -> Entered | CodeNeeded:
        if logins.of_agent(acting.session, agent).totp_key is None:
            return begin_session(acting, self.config, agent, device, way=way, stays=stays)
        token = token_text(self.config.chance)
        logins.begin_step(
            acting.session,
            token_hash(token),
            StepRow(agent, stays, way),
            now=acting.now,
            until=acting.now + STEP_LASTS,
        )
        return CodeNeeded(agent, token)

    def _step(self, acting: Acting, token: str) -> StepRow:
        step = logins.step_of(acting.session, token_hash(token), acting.now)
        if step is None:
            raise WrongSignIn(STEP_IS_OVER)
        active_agent(acting.session, step.agent)
        return step

    def _used(self, acting: Acting, token: str, kinds: tuple[LinkKind, ...]) -> LinkRow:
        link = web_sessions.use_link(acting.session, token_hash(token), acting.now)
        if link is None or link.kind not in kinds:
            raise NotPermitted(LINK_IS_OVER)
        active_agent(acting.session, link.agent)
        return link

    def _is_still(self, acting: Acting, login: LoginRow) -> bool:
        """Whether agent and password are what they were when the password was looked at."""
        agent = agents.named(acting.session, login.agent)
        now = logins.of_agent(acting.session, login.agent)
        return agent is not None and agent.active and now.password_hash == login.password_hash

    def _note_failure(
        self, acting: Acting, attempt: tries.SignInTry, agent: str, device: Device, way: str
    ) -> None:
        """On record; who was tried only where there is such an agent, since it may be a password."""
        network = tries.network_of(device.address)
        log(
            "sign_in_failed",
            level="warning",
            limit_by=device.address,
            ip=device.address,
            agent=agent or None,
            way=way,
        )
        if agent and attempt.is_worth_a_line:
            audit.append(
                acting.session,
                "sign_in_failed",
                actor=NOBODY,
                now=acting.now,
                agent=agent,
                network=network,
                way=way,
                tries=attempt.count,
            )

    @contextmanager
    def _given_back(self, attempt: tries.SignInTry) -> Iterator[None]:
        """What could not be looked at does not count."""
        try:
            yield
        except TooManyAtOnce as busy:
            with self.entering() as acting:
                tries.end(acting.session, attempt, right=False)
            raise tries.SignInPaused(str(busy)) from busy


def set_password(acting: Acting, agent: str, new_hash: str) -> None:
    """An agent has a new password: whatever they were signed in by before is over."""
    logins.change(acting.session, agent, password_hash=new_hash, password_at=acting.now)
    logins.forget_steps(acting.session, agent)
    web_sessions.end_all(acting.session, agent)
    audit.append(acting.session, "password_set", actor=agent_actor(agent), now=acting.now)


def use_code(acting: Acting, login: LoginRow, code: str) -> bool:
    """Uses up a code of the authenticator, or a recovery code; False where it is wrong or was used."""
    if login.totp_key is None:
        return False
    step = authenticator.step_of(login.totp_key, code, acting.now)
    if step is not None:
        return logins.use_step(acting.session, login.agent, step)
    text = token_hash(authenticator.recovery_text(code))
    if not logins.use_recovery_code(acting.session, login.agent, text, acting.now):
        return False
    left = logins.recovery_codes_left(acting.session, login.agent)
    audit.append(
        acting.session, "recovery_code_used", actor=agent_actor(login.agent), now=acting.now, left=left
    )
    return True


def _left(tries_left: int) -> str:
    return f"{tries_left} {'try is' if tries_left == 1 else 'tries are'} left"
