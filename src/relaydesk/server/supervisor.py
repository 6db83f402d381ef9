"""The parent of ``relaydesk serve``: starts the children, restarts what crashes, drains on request."""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import socket
import subprocess
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from relaydesk.logs import announce as say_ready
from relaydesk.logs import log
from relaydesk.server.inherited import READY, STORE_LOST, handed_down

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

HANDLED = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD)


@dataclass(frozen=True, slots=True)
class Child:
    """A process to keep running: its name in the log, its command line, the sockets it is given."""

    name: str
    argv: tuple[str, ...]
    sockets: tuple[socket.socket, ...] = ()


# For the C library (mallopt(3)), which else learns to keep large blocks for itself: each big message is given
# back to the system once it is done.
MEMORY = {"MALLOC_MMAP_THRESHOLD_": "262144", "MALLOC_TRIM_THRESHOLD_": "1048576", "MALLOC_ARENA_MAX": "2"}


@dataclass(frozen=True, slots=True)
class SupervisorTiming:
    """Seconds. ``grace`` from the request to stop until a child is killed; ``first_pause`` before a crashed
    child is started again, doubled with each further crash up to ``longest_pause``; a child that ran for
    ``steady`` seconds counts from the beginning again.
    """

    grace: float = 30.0
    first_pause: float = 0.2
    longest_pause: float = 30.0
    steady: float = 60.0

    def pause(self, crashes: int) -> float:
        """Seconds to wait after this many crashes in a row."""
        return min(self.longest_pause, self.first_pause * 2.0 ** min(crashes - 1, 30))


def supervise(
    children: Sequence[Child],
    *,
    announcement: str = "relaydesk runs",
    pace: SupervisorTiming | None = None,
    announce: Callable[[str], None] | None = None,
) -> int:
    """Runs the children until SIGTERM or SIGINT; returns the exit status. Only in the main thread.

    ``announcement`` is given to ``announce`` (default: a line on stdout) and to systemd once every child
    has said that it is ready. SIGHUP is handed on. SIGTERM and SIGINT end the children: a second one, or
    the end of the grace, kills them. A child that exits by itself before it was ever ready, as for a bad
    setting, ends everything with its status, and so does one that has lost its database; any other end is a
    crash, and the child is started again.
    Status: 0 drained, 1 a child had to be killed, else that of the child that could not start.
    """
    return _Supervisor(children, announcement, pace or SupervisorTiming(), announce or say_ready).run()


def notify_systemd(state: str) -> None:
    """sd_notify(3): informs the service manager, if one asked (``NOTIFY_SOCKET``)."""
    place = os.environ.get("NOTIFY_SOCKET", "")
    if not place.startswith(("/", "@")):
        return
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as to_manager:
        to_manager.sendto(state.encode(), "\0" + place[1:] if place[0] == "@" else place)


@contextlib.contextmanager
def _signals() -> Iterator[socket.socket]:
    """A socket from which the numbers of the signals that came can be read, one byte each."""
    reader, writer = socket.socketpair()
    reader.setblocking(False)
    writer.setblocking(False)
    former = {number: signal.signal(number, lambda *_: None) for number in HANDLED}
    former_fd = signal.set_wakeup_fd(writer.fileno(), warn_on_full_buffer=False)
    try:
        yield reader
    finally:
        signal.set_wakeup_fd(former_fd)
        for number, handler in former.items():
            signal.signal(number, handler)
        reader.close()
        writer.close()


@dataclass(slots=True)
class _Seat:
    """One child's place: the process that sits there now, or when the next one is due."""

    child: Child
    process: subprocess.Popen[bytes] | None = None
    lifeline: socket.socket | None = None
    heard: bytes = b""
    started: float = 0.0
    crashes: int = 0
    restart_at: float = 0.0
    was_ready: bool = False
    reload_when_ready: bool = False

    @property
    def ready(self) -> bool:
        return READY in self.heard

    def signal(self, number: int) -> None:
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError):
                self.process.send_signal(number)


@dataclass(slots=True)
class _Supervisor:
    children: Sequence[Child]
    announcement: str
    pace: SupervisorTiming
    announce: Callable[[str], None]
    seats: list[_Seat] = field(init=False)
    selector: selectors.BaseSelector = field(default_factory=selectors.DefaultSelector)
    announced: bool = False
    kill_at: float | None = None  # set while draining
    status: int = 0

    def __post_init__(self) -> None:
        self.seats = [_Seat(child) for child in self.children]

    def run(self) -> int:
        with _signals() as came, self.selector:
            self.selector.register(came, selectors.EVENT_READ)
            try:
                while self._step():
                    for key, _ in self.selector.select(self._until_next()):
                        if key.data is None:
                            self._obey(came.recv(256))
                        else:
                            self._listen_to(key.data)
            finally:
                self._kill()
        return self.status

    def _step(self) -> bool:
        """Everything the clock and the ends of processes ask for; False when there is nothing left to do."""
        now = time.monotonic()
        for seat in self.seats:
            if seat.process is not None and (status := seat.process.poll()) is not None:
                self._ended(seat, status, now)
        if self.kill_at is not None:
            if now >= self.kill_at:
                self._kill()
            return any(seat.process is not None for seat in self.seats)
        for seat in self.seats:
            if self.kill_at is None and seat.process is None and now >= seat.restart_at:
                self._start(seat, now)
        if not self.announced and self.seats and all(seat.ready for seat in self.seats):
            self.announced = True
            self.announce(self.announcement)
            notify_systemd(f"READY=1\nSTATUS={self.announcement}")
        return True

    def _until_next(self) -> float | None:
        if self.kill_at is not None:
            due = [self.kill_at]
        else:
            due = [seat.restart_at for seat in self.seats if seat.process is None]
        return max(0.0, min(due) - time.monotonic()) if due else None

    def _start(self, seat: _Seat, now: float) -> None:
        try:
            process, ours = self._spawn(seat.child)
        except OSError as error:
            log("child_not_started", level="error", child=seat.child.name, problem=error.strerror)
            self._pause(seat, now)
            if not seat.was_ready:
                self.status = 1
                self._drain()
            return
        ours.setblocking(False)
        self.selector.register(ours, selectors.EVENT_READ, seat)
        seat.lifeline, seat.heard, seat.started = ours, b"", now
        seat.process = process
        log("child_started", level="debug", child=seat.child.name, pid=process.pid)

    def _spawn(self, child: Child) -> tuple[subprocess.Popen[bytes], socket.socket]:
        """Start a child: its process and our end of its lifeline. OSError, as for want of descriptors."""
        ours, theirs = socket.socketpair()
        with theirs, contextlib.ExitStack() as undo:
            undo.enter_context(ours)
            variable, descriptors = handed_down(theirs, child.sockets)
            process = subprocess.Popen(  # noqa: S603 (the command is ours)
                child.argv,
                stdin=subprocess.DEVNULL,
                pass_fds=descriptors,
                env={**MEMORY, **os.environ, **variable},
                process_group=0,  # Ctrl-C in a terminal reaches the parent only, which then drains
            )
            undo.pop_all()
        return process, ours

    def _listen_to(self, seat: _Seat) -> None:
        if seat.lifeline is None:
            return
        try:
            heard = seat.lifeline.recv(64)
        except OSError:
            heard = b""
        if not heard:
            self._hang_up(seat)
            return
        seat.heard = (seat.heard + heard)[:64]
        if seat.ready:
            seat.was_ready = True
            if seat.reload_when_ready:
                seat.reload_when_ready = False
                seat.signal(signal.SIGHUP)

    def _hang_up(self, seat: _Seat) -> None:
        if seat.lifeline is not None:
            self.selector.unregister(seat.lifeline)
            seat.lifeline.close()
            seat.lifeline = None

    def _ended(self, seat: _Seat, status: int, now: float) -> None:
        self._listen_to(seat)  # what it may have said last
        self._hang_up(seat)
        seat.process, seat.heard, seat.reload_when_ready = None, b"", False
        if self.kill_at is not None:
            return
        if status == STORE_LOST or (status > 0 and not seat.was_ready):
            log("child_cannot_start", level="error", child=seat.child.name, status=status)
            self.status = status
            self._drain()
            return
        seat.crashes = 0 if now - seat.started >= self.pace.steady else seat.crashes
        self._pause(seat, now)
        log(
            "child_ended",
            level="error",
            child=seat.child.name,
            how=f"signal {signal.Signals(-status).name}" if status < 0 else f"status {status}",
            restart_in=round(seat.restart_at - now, 1),
        )

    def _pause(self, seat: _Seat, now: float) -> None:
        seat.crashes += 1
        seat.restart_at = now + self.pace.pause(seat.crashes)

    def _obey(self, numbers: bytes) -> None:
        for number in numbers:
            if number == signal.SIGHUP:
                for seat in self.seats:
                    # A child that has not said it is ready has no handler yet and would die of the signal.
                    seat.reload_when_ready = not seat.ready
                    if seat.ready:
                        seat.signal(signal.SIGHUP)
            elif number in (signal.SIGTERM, signal.SIGINT):
                if self.kill_at is None:
                    self._drain()
                else:
                    self.kill_at = time.monotonic()

    def _drain(self) -> None:
        notify_systemd("STOPPING=1")
        log("draining", grace=self.pace.grace)
        self.kill_at = time.monotonic() + self.pace.grace
        for seat in self.seats:
            seat.signal(signal.SIGTERM)
            # Ours is a copy: as long as it is open the port takes connections that are never answered.
            for sock in seat.child.sockets:
                sock.close()

    def _kill(self) -> None:
        """Kills the children that are left, with what they may have started themselves."""
        for seat in self.seats:
            if seat.process is not None:
                log("child_killed", level="warning", child=seat.child.name, pid=seat.process.pid)
                self.status = self.status or 1
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(seat.process.pid, signal.SIGKILL)
                seat.process.wait()
                self._hang_up(seat)
                seat.process = None
