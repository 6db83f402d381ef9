"""Messages to try an installation with: the golden cases, and ``send-test``, which proves a server."""

from relaydesk.samples.case import Case, Step, common_zone, load_cases
from relaydesk.samples.compose import composed_mail
from relaydesk.samples.delivery import Destination, send_composed, server_address
from relaydesk.samples.probe import Filed, filed_sample, send_test
from relaydesk.samples.sample import Sample, SampleKind, SendTestError, Signer, key_published, make_sample

__all__ = [
    "Case",
    "Destination",
    "Filed",
    "Sample",
    "SampleKind",
    "SendTestError",
    "Signer",
    "Step",
    "common_zone",
    "composed_mail",
    "filed_sample",
    "key_published",
    "load_cases",
    "make_sample",
    "send_composed",
    "send_test",
    "server_address",
]
