"""What several tests lean on: the real far sides (DNS server, database) and the shared test data."""
