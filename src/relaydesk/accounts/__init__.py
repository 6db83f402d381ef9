"""How somebody proves who they are: passwords, codes of an authenticator, tokens, a company's sign-in.

Nothing here knows the store or a request: texts go in, verdicts and texts come out. What is kept, and who is
let in, is the desk's affair.
"""

from typing import TYPE_CHECKING

from relaydesk import late_names
from relaydesk.accounts.tokens import token_hash, token_text

if TYPE_CHECKING:
    from relaydesk.accounts import authenticator, choosing
    from relaydesk.accounts.company import CompanyAccounts, CompanyRefusal, CompanyVisit
    from relaydesk.accounts.passwords import AgentPasswords, TooManyAtOnce

__all__ = [
    "AgentPasswords",
    "CompanyAccounts",
    "CompanyRefusal",
    "CompanyVisit",
    "TooManyAtOnce",
    "authenticator",
    "choosing",
    "token_hash",
    "token_text",
]

if not TYPE_CHECKING:
    __getattr__ = late_names(
        __name__,
        {
            "CompanyAccounts": "company",
            "CompanyRefusal": "company",
            "CompanyVisit": "company",
            "AgentPasswords": "passwords",
            "TooManyAtOnce": "passwords",
        },
    )
