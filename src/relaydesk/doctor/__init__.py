"""Is this installation fit for work? Settings, certificates, store, and what domains publish."""

from relaydesk.doctor.examine import examine, examine_domain
from relaydesk.doctor.published import Finding, audit_networks, check_domain

__all__ = ["Finding", "audit_networks", "check_domain", "examine", "examine_domain"]
