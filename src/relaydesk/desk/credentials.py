"""What an agent proves themselves by: the password, the authenticator with its recovery codes, and tokens."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from relaydesk.accounts import TooManyAtOnce, authenticator, choosing, token_hash, token_text
from relaydesk.desk import tries
from relaydesk.desk.config import DeskError
from relaydesk.desk.permissions import DeskPart, active_agent
from relaydesk.desk.sessions import Device, Entered, begin_session
from relaydesk.desk.sign_in import WrongSignIn, set_password, use_code
from relaydesk.store import api_tokens, audit, logins

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from relaydesk.desk.permissions import Act, Acting
    from relaydesk.store import LoginRow, TokenRow, TokenScope

MOST_TOKENS = 50  # good ones of an agent
LONGEST_TOKEN_NAME = 80
LONGEST_TOKEN_LIFE = 3650  # days
SCOPES: tuple[TokenScope, ...] = ("read", "write", "admin")


@dataclass(frozen=True, slots=True)
class OwnLogin:
    """How one signs in oneself: what is set up, since when, and how many recovery codes are left."""

    password_at: datetime | None
    authenticator_at: datetime | None
    company_at: datetime | None
    recovery_codes: int


@dataclass(frozen=True, slots=True)
class AuthenticatorSetup:
    """A key that waits for its first code: as text in groups, and as an ``<svg>`` to photograph."""

    key: str
    square: str


class Credentials(DeskPart):
    """One's own password, authenticator and tokens."""

    def login(self, name: str) -> OwnLogin:
        """How an agent signs in."""
        with self.store.reading() as session:
            login = logins.of_agent(session, active_agent(session, name).name)
            left = logins.recovery_codes_left(session, login.agent)
        at = login.totp_at if login.totp_key else None
        return OwnLogin(login.password_at, at, login.company_at, left)

    def change_password(self, former: str, new: str, *, by: str, device: Device | None = None) -> Entered:
        """A new password; every session ends, and one begins anew for this browser.

        WrongSignIn where ``former`` is not the password, DeskError where the new one may not be chosen.
        """
        device = device or Device()
        with self.acting("change_own_password", by) as acting:
            login = logins.of_agent(acting.session, acting.name)
            person = active_agent(acting.session, acting.name)
        flaw = choosing.flaw_of(choosing.normal(new), person.name, person.display_name)
        if flaw:
            raise DeskError(flaw)
        self._demand_password(login, former, device)
        try:
            new_hash = self.config.sign_in.passwords().hashed(choosing.normal(new))
        except TooManyAtOnce as busy:
            raise DeskError(str(busy)) from busy
        with self.acting("change_own_password", by) as acting:
            if logins.of_agent(acting.session, acting.name).password_hash != login.password_hash:
                raise DeskError("The password was changed elsewhere at the same moment; look again.")
            set_password(acting, acting.name, new_hash)
            return begin_session(acting, self.config, acting.name, device, way="password")

    def begin_authenticator(self, *, by: str) -> str:
        """The key that an authenticator app shall take; it counts once a code of it is confirmed."""
        key = authenticator.new_key(self.config.chance)
        with self.acting("begin_authenticator", by) as acting:
            logins.change(acting.session, acting.name, totp_pending=key)
        return key

    def authenticator_setup(self, name: str, *, shop: str = "") -> AuthenticatorSetup | None:
        """The key that waits for its first code; None where nothing is being set up."""
        with self.store.reading() as session:
            login = logins.of_agent(session, active_agent(session, name).name)
        if login.totp_pending is None:
            return None
        square = authenticator.square(login.totp_pending, agent=login.agent, shop=shop)
        return AuthenticatorSetup(authenticator.in_groups(login.totp_pending), square)

    def confirm_authenticator(self, code: str, *, by: str) -> tuple[str, ...]:
        """From now on a code is asked for; the recovery codes, told once. WrongSignIn for a wrong code."""
        codes = authenticator.recovery_codes(self.config.chance)
        with self.acting("confirm_authenticator", by) as acting:
            login = logins.of_agent(acting.session, acting.name)
            if login.totp_pending is None:
                raise DeskError("No authenticator is being set up; begin again.")
            step = authenticator.step_of(login.totp_pending, code, acting.now)
            if step is None:
                raise WrongSignIn(
                    "The code is wrong; take the newest one, and see that the phone's clock is right."
                )
            logins.change(
                acting.session,
                acting.name,
                totp_key=login.totp_pending,
                totp_pending=None,
                totp_step=step,
                totp_at=acting.now,
            )
            self._set_codes(acting, codes)
            audit.append(acting.session, "authenticator_added", actor=acting.actor, now=acting.now)
        return codes

    def renew_recovery_codes(self, code: str, *, by: str, device: Device | None = None) -> tuple[str, ...]:
        """New recovery codes, told once; the former ones are void. Takes a code. WrongSignIn."""
        self._demand_code("renew_recovery_codes", by, code, device or Device())
        codes = authenticator.recovery_codes(self.config.chance)
        with self.acting("renew_recovery_codes", by) as acting:
            self._set_codes(acting, codes)
            audit.append(acting.session, "recovery_codes_made", actor=acting.actor, now=acting.now)
        return codes

    def remove_authenticator(self, code: str, *, by: str, device: Device | None = None) -> None:
        """No code is asked for any more. Takes one last code. WrongSignIn."""
        self._demand_code("remove_own_authenticator", by, code, device or Device())
        with self.acting("remove_own_authenticator", by) as acting:
            self._forget_authenticator(acting, acting.name)
            audit.append(acting.session, "authenticator_removed", actor=acting.actor, now=acting.now)

    def reset_authenticator(self, name: str, *, by: str) -> None:
        """An agent has lost theirs: no code is asked of them any more, until they set up another."""
        with self.acting("reset_authenticator", by) as acting:
            agent = active_agent(acting.session, name).name
            if logins.of_agent(acting.session, agent).totp_key is None:
                raise DeskError(f"Agent {agent} has no authenticator set up.")
            self._forget_authenticator(acting, agent)
            audit.append(
                acting.session, "authenticator_removed", actor=acting.actor, now=acting.now, agent=agent
            )

    def tokens(self, name: str) -> tuple[TokenRow, ...]:
        """An agent's tokens, the newest first; revoked and expired ones too."""
        with self.store.reading() as session:
            return api_tokens.of_agent(session, active_agent(session, name).name)

    def make_token(self, name: str, scopes: Iterable[TokenScope], *, by: str, days: int | None = 90) -> str:
        """A token for a program, told once; it is good for so many days, without ``days`` until revoked."""
        name, wanted = " ".join(name.split()), [scope for scope in SCOPES if scope in set(scopes)]
        if not name or len(name) > LONGEST_TOKEN_NAME or not name.isprintable():
            raise DeskError(
                f"A token needs a name of 1 to {LONGEST_TOKEN_NAME} characters, such as nightly report."
            )
        if not wanted:
            raise DeskError("A token that may do nothing is of no use; choose read, write or admin.")
        if days is not None and not 1 <= days <= LONGEST_TOKEN_LIFE:
            raise DeskError(f"A token is good for 1 to {LONGEST_TOKEN_LIFE} days, or until it is revoked.")
        token = "rd_" + token_text(self.config.chance)
        with self.acting("make_token", by) as acting:
            if "admin" in wanted and active_agent(acting.session, acting.name).role != "admin":
                raise DeskError("Only an admin's token can have the scope admin; choose read or write.")
            if api_tokens.good(acting.session, acting.name, acting.now) >= MOST_TOKENS:
                raise DeskError(f"You have {MOST_TOKENS} tokens; revoke one that is not needed first.")
            api_tokens.add(
                acting.session,
                token_hash(token),
                acting.name,
                name,
                scopes=wanted,
                now=acting.now,
                expires_at=None if days is None else acting.now + timedelta(days=days),
            )
            audit.append(
                acting.session, "token_made", actor=acting.actor, now=acting.now, token=name, scopes=wanted
            )
        return token

    def revoke_token(self, number: int, *, by: str) -> None:
        """Refuses one of one's own tokens from now on. DeskError when it is none, or refused already."""
        with self.acting("revoke_own_token", by) as acting:
            if not api_tokens.revoke(acting.session, acting.name, acting.now, number):
                raise DeskError("That token is revoked already.")
            audit.append(acting.session, "token_revoked", actor=acting.actor, now=acting.now, token=number)

    def _demand_password(self, login: LoginRow, password: str, device: Device) -> None:
        if login.password_hash is None:
            raise DeskError("You have no password yet; ask an admin for a link to choose one.")
        with self.entering() as acting:
            attempt = tries.begin_code(acting.session, login.agent, device.address, "", acting.now)
        try:
            right, _ = self.config.sign_in.passwords().verdict(choosing.normal(password), login.password_hash)
        except TooManyAtOnce as busy:
            raise DeskError(str(busy)) from busy
        if not right:
            raise WrongSignIn("The current password is wrong, so nothing was changed.")
        with self.entering() as acting:
            tries.end(acting.session, attempt, right=True)

    def _demand_code(self, act: Act, by: str, code: str, device: Device) -> None:
        with self.acting(act, by) as acting:
            name = acting.name
            attempt = tries.begin_code(acting.session, name, device.address, "", acting.now)
        with self.entering() as acting:
            login = logins.of_agent(acting.session, name)
            if login.totp_key is None:
                raise DeskError("No authenticator is set up; there is nothing to change.")
            right = use_code(acting, login, code)
            if right:
                tries.end(acting.session, attempt, right=True)
        if not right:
            raise WrongSignIn("The code is wrong or was used already, so nothing was changed.")

    def _set_codes(self, acting: Acting, codes: Iterable[str]) -> None:
        hashes = [token_hash(authenticator.recovery_text(code)) for code in codes]
        logins.set_recovery_codes(acting.session, acting.name, hashes, acting.now)

    def _forget_authenticator(self, acting: Acting, agent: str) -> None:
        logins.change(acting.session, agent, totp_key=None, totp_pending=None, totp_at=None)
        logins.set_recovery_codes(acting.session, agent, (), acting.now)
