"""The processes of ``relaydesk serve``: one light parent, several listeners and one office.

``listening`` binds the ports, ``privileges`` gives up root, ``supervisor`` starts the children and keeps
them running, ``inherited`` is the children's side. The parent opens no store and reads no mail: what it
does not load can't bring it down.
"""
