"""The load generator, a process of its own: sends prepared mails as fast as the server takes them.

    python bench/load.py PORT new|reused CLIENTS FILE

FILE is a pickled list of (MAIL FROM, RCPT TO, content with its dot). Prints one JSON object: the seconds from
the first connection to the last reply, those of each mail, the replies counted by their code, and the
generator's own processor seconds.
"""

from __future__ import annotations

import contextlib
import json
import pickle
import queue
import socket
import sys
import threading
import time
from collections import Counter
from pathlib import Path


class Client:
    """One connection at a time, one command after the other, as the simplest sender does."""

    def __init__(self, port: int, reused: bool, mails: queue.SimpleQueue[tuple[str, str, bytes]]) -> None:
        self.port, self.reused, self.mails = port, reused, mails
        self.seconds: list[float] = []
        self.codes: Counter[str] = Counter()

    def run(self) -> None:
        with contextlib.suppress(queue.Empty):
            while True:
                first = self.mails.get_nowait()
                started = time.perf_counter()
                with socket.create_connection(("127.0.0.1", self.port), timeout=120) as sock:
                    self._converse(sock, first, started)

    def _converse(self, sock: socket.socket, mail: tuple[str, str, bytes], started: float) -> None:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        _reply(sock)
        _ask(sock, b"EHLO mx-out.facebook.com\r\n")
        while True:
            mail_from, rcpt, content = mail
            _ask(sock, f"MAIL FROM:<{mail_from}>\r\n".encode())
            _ask(sock, f"RCPT TO:<{rcpt}>\r\n".encode())
            _ask(sock, b"DATA\r\n")
            self.codes[_ask(sock, content)[:3].decode()] += 1
            if not self.reused:
                _ask(sock, b"QUIT\r\n")
            self.seconds.append(time.perf_counter() - started)
            if not self.reused:
                return
            mail = self.mails.get_nowait()
            started = time.perf_counter()


def _ask(sock: socket.socket, said: bytes) -> bytes:
    sock.sendall(said)
    return _reply(sock)


def _reply(sock: socket.socket) -> bytes:
    """One reply with all its lines; this client never has two on the way."""
    reply = b""
    while not (reply.endswith(b"\r\n") and reply[reply.rfind(b"\n", 0, -1) + 4 :][:1] == b" "):
        data = sock.recv(65536)
        if not data:
            raise ConnectionError(f"the server closed the connection after {reply!r}")
        reply += data
    return reply


def main(port: int, how: str, clients: int, file: Path) -> None:
    mails: queue.SimpleQueue[tuple[str, str, bytes]] = queue.SimpleQueue()
    for one in pickle.loads(file.read_bytes()):
        mails.put(one)
    all_clients = [Client(port, how == "reused", mails) for _ in range(clients)]
    threads = [threading.Thread(target=client.run) for client in all_clients]
    started, processor = time.perf_counter(), time.process_time()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    took = time.perf_counter() - started
    print(
        json.dumps(
            {
                "seconds": took,
                "each": sorted(second for client in all_clients for second in client.seconds),
                "codes": sum((client.codes for client in all_clients), Counter()),
                "generator_seconds": time.process_time() - processor,
            }
        )
    )


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2], int(sys.argv[3]), Path(sys.argv[4]))
