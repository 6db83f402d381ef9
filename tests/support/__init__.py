"""What several tests lean on, and only tests; what benchmarks use too is in ``relaydesk_testkit``."""
