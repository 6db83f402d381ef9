"""The JSON API under ``/api/v1``: the views and acts of the one Desk, for programs.

A token speaks for an agent, within its scopes (``read``, ``write``, ``admin``); what the agent may do is the
Desk's affair. Errors are ``application/problem+json`` (RFC 9457), writes take an ``Idempotency-Key``, lists
have cursors, and ``/api/v1/openapi.json`` describes it all.
"""

from relaydesk.api.app import create_api
from relaydesk.api.problems import problem

__all__ = ["create_api", "problem"]
