"""``python -m relaydesk``: the same as the ``relaydesk`` command."""

from relaydesk.cli import main

if __name__ == "__main__":
    main()
