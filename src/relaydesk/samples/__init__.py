"""Messages to try the line with: the golden cases, and ``send-test``, which proves an installation."""

from relaydesk.samples.case import Case, Step, common_zone, load_cases
from relaydesk.samples.compose import composed_mail
from relaydesk.samples.conversation import Route, door_address
from relaydesk.samples.probe import Filed, filed_sample, send_test
from relaydesk.samples.sample import Sample, SampleKind, SendTestError, Signer, key_published, make_sample
from relaydesk.samples.wire import send_composed

__all__ = [
    "Case",
    "Filed",
    "Route",
    "Sample",
    "SampleKind",
    "SendTestError",
    "Signer",
    "Step",
    "common_zone",
    "composed_mail",
    "door_address",
    "filed_sample",
    "key_published",
    "load_cases",
    "make_sample",
    "send_composed",
    "send_test",
]
