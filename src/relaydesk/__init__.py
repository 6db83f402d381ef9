"""relaydesk: receives the mail Meta relays from buyers, proves it genuine and keeps its clock."""

__version__ = "0.1.0"
