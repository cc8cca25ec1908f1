"""Runs on other computers, by addresses of fsspec: ``ssh://``, ``http(s)://``, ``s3://`` and whatever else it knows.

A file is asked for its size, and then for parts of it, never beyond that size and never from a copy kept of it. What is
asked for more often than a network likes gets the answer that was given shortly before. A connection that was lost is
made anew at the next question.
"""

from __future__ import annotations

import atexit
import hashlib
import itertools
import posixpath
import shutil
import tempfile
import time
from collections.abc import Callable
from datetime import datetime
from email.utils import parsedate_to_datetime
from functools import cache
from importlib import import_module
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar
from urllib.parse import quote, unquote, urlsplit

from lstm_studio.errors import RunError
from lstm_studio.runs.places import UnlistedError

_T = TypeVar("_T")
_INSTALL = 'Install it with: pip install "lstm-studio[remote]"'
_LARGEST_COPY = 2**30
_MOST_ENTRIES = 100_000
_PACKAGES = {"ssh": "sshfs", "sftp": "sshfs", "http": "aiohttp", "https": "aiohttp", "s3": "s3fs"}
_INTERVALS = {"ssh": 0.1, "sftp": 0.1, "http": 0.2, "https": 0.2}
_INTERVAL = 1.0
"""Seconds between two questions of the same kind; elsewhere, as in s3, each of them has its price."""


def is_remote(address: str) -> bool:
    """Return whether an address is one of another computer."""
    return "://" in address


def remote_folder(address: str) -> RemoteFolder:
    """Return the folder at an address.

    Parameters
    ----------
    address
        ``ssh://user@host/folder``, where ``/~/`` begins a folder in one's home; ``https://host/folder``;
        ``s3://bucket/folder``.

    Raises
    ------
    RunError
        If nothing here knows such addresses.
    """
    protocol = address.partition("://")[0]
    return RemoteFolder(_Connection(protocol, address), _path(protocol, address), address.rstrip("/"))


class _Connection:
    """What all files of one run are read through."""

    def __init__(self, protocol: str, address: str) -> None:
        self.protocol, self._address = protocol, address
        self.interval = _INTERVALS.get(protocol, _INTERVAL)
        self._system: Any = None
        self._lost = False
        self._class = _system_class(protocol)

    def ask(self, question: Callable[[Any], _T]) -> _T:
        """Return the answer of the file system.

        Raises
        ------
        OSError
            If there is none.
        """
        try:
            if self._system is None:
                self._system = self._connected()
            return question(self._system)
        except Exception as error:
            # Each of the packages has errors of its own, and what is not there is no loss of the connection.
            found = _as_os_error(error)
            if not isinstance(found, FileNotFoundError):
                self._system, self._lost = None, True
            raise found from error

    def _connected(self) -> Any:
        options = _options(self.protocol)
        if self._lost:
            options["skip_instance_cache"] = True
        return self._class(**{**self._class._get_kwargs_from_urls(self._address), **options})


class RemoteFolder:
    """A folder of another computer.

    Parameters
    ----------
    connection
        To that.
    path
        As its file system calls it.
    address
        As people do.
    """

    path: Path | None = None
    """Where it lies on this computer: it does not."""

    def __init__(self, connection: _Connection, path: str, address: str) -> None:
        self._connection, self._path = connection, path
        self.address = address
        """Where it lies."""
        self._names: tuple[list[str], list[str]] = [], []
        self._asked: float | None = None

    @property
    def title(self) -> str:
        """What it is called."""
        parts = urlsplit(self.address)
        return unquote(posixpath.basename(parts.path.rstrip("/"))) or parts.netloc or self.address

    def folders(self) -> list[str]:
        """Return the names of the folders in it.

        Raises
        ------
        UnlistedError
            If it is one of a web server that has no page for it.
        OSError
            If it cannot be read.
        """
        return self._listed()[0]

    def files(self) -> list[str]:
        """Return the names of what else is in it, as :meth:`folders` does those of folders."""
        return self._listed()[1]

    def part(self, name: str) -> RemoteFolder:
        """Return a folder in it."""
        return RemoteFolder(self._connection, self._joined(name), f"{self.address}/{name}")

    def file(self, name: str) -> RemoteFile:
        """Return a file in it."""
        return RemoteFile(self._connection, self._joined(name), f"{self.address}/{name}")

    def _joined(self, name: str) -> str:
        is_web = self._connection.protocol in {"http", "https"}
        return f"{self._path.rstrip('/')}/{quote(name) if is_web else name}"

    def _listed(self) -> tuple[list[str], list[str]]:
        now = time.monotonic()
        if self._asked is None or now - self._asked >= self._connection.interval:
            self._names = self._ask()
            self._asked = now
        return self._names

    def _ask(self) -> tuple[list[str], list[str]]:
        is_web = self._connection.protocol in {"http", "https"}
        try:
            entries = self._connection.ask(lambda system: _entries(system, self._path))
        except FileNotFoundError as error:
            if is_web:
                raise UnlistedError(f"{self.address} has no page that says what is in it") from error
            raise
        folders: list[str] = []
        files: list[str] = []
        for entry in itertools.islice(entries, _MOST_ENTRIES):
            name = _name_below(str(entry["name"]), self._path, is_web)
            if name and entry["type"] in {"directory", "file"}:
                (folders if entry["type"] == "directory" else files).append(name)
        if is_web and not folders and not files:
            raise UnlistedError(f"{self.address} has no page that says what is in it")
        return folders, files


class RemoteFile:
    """A file of another computer.

    Parameters
    ----------
    connection, path, address
        As of :class:`RemoteFolder`.
    """

    def __init__(self, connection: _Connection, path: str, address: str) -> None:
        self._connection, self._path = connection, path
        self.address = address
        """Where it lies."""
        self._about: dict[str, Any] = {}
        self._asked: float | None = None

    def open(self) -> RemoteOpened:
        """Ask for its size; it is opened when it is read.

        Raises
        ------
        OSError
            If it is not there, or nobody says how long it is.
        """
        now = time.monotonic()
        if self._asked is None or now - self._asked >= self._connection.interval:
            self._about = self._connection.ask(lambda system: _fresh(system).info(self._path))
            self._asked = now
        size = self._about.get("size")
        if not isinstance(size, int) or self._about.get("type") != "file":
            raise OSError(f"{self.address} is no file whose length is told")
        return RemoteOpened(self._connection, self._path, size)

    def modified(self) -> float:
        """Return when it was last written to, as far as that was told with its size."""
        for key in ("mtime", "LastModified", "Last-Modified", "last_modified", "modified", "updated"):
            if (found := _seconds(self._about.get(key))) > 0:
                return found
        return 0.0

    def here(self) -> Path:
        """Return where a copy of it lies on this computer, until the program ends.

        Raises
        ------
        OSError
            If it cannot be read.
        """
        with self.open() as file:
            if file.size > _LARGEST_COPY:
                raise OSError(f"{self.address} has {file.size} bytes")
            key = hashlib.sha256(f"{self.address} {file.size} {self.modified()}".encode()).hexdigest()
            # Never by a name that somebody else has chosen, but for what follows the dot.
            copy = _copies() / f"{key}{posixpath.splitext(self._path)[1][:20]}"
            if not copy.exists():
                part = copy.with_suffix(".part")
                part.write_bytes(file.read(0, file.size))
                part.replace(copy)
        return copy


class RemoteOpened:
    """A file of another computer, as large as it was when it was asked for.

    Parameters
    ----------
    connection, path
        As of :class:`RemoteFolder`.
    size
        How many bytes it has.
    """

    def __init__(self, connection: _Connection, path: str, size: int) -> None:
        self._connection, self._path = connection, path
        self.size = size
        """How many bytes it had when it was asked for."""
        self._file: Any = None

    def read(self, offset: int, length: int) -> bytes:
        """Return bytes from a place, fewer where it has no more.

        Raises
        ------
        OSError
            If they cannot be read.
        """
        wanted = min(length, self.size - offset)
        return self._connection.ask(lambda system: self._read(system, offset, wanted)) if wanted > 0 else b""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._file is not None:
            file, self._file = self._file, None
            self._connection.ask(lambda _: file.close())

    def _read(self, system: Any, offset: int, length: int) -> bytes:
        if self._file is None:
            # With the size that was told just now, of which nothing is kept.
            self._file = system.open(self._path, "rb", cache_type="none", size=self.size)
        self._file.seek(offset)
        found: bytes = self._file.read(length)
        return found[:length]


def _system_class(protocol: str) -> Any:
    package = _PACKAGES.get(protocol, "fsspec")
    try:
        fsspec = import_module("fsspec")
        import_module(package)
        if package == "sshfs":
            return import_module("sshfs").SSHFileSystem
        return fsspec.get_filesystem_class(protocol)
    except ImportError as error:
        missing = getattr(error, "name", "") or package
        raise RunError(f"Addresses of {protocol}:// need {missing}, which is not installed.", _INSTALL) from None
    except ValueError as error:
        raise RunError(
            f"{protocol}:// is no kind of address that is known here.", "Try ssh, http, https or s3."
        ) from error


def _options(protocol: str) -> dict[str, Any]:
    """Return how to connect: with bounded patience, and believing no copies."""
    if protocol in {"ssh", "sftp"}:
        # The empty tuple stands for the user's own list of known computers; sshfs would trust any.
        return {"known_hosts": (), "connect_timeout": 10, "login_timeout": 20, "keepalive_interval": 5}
    if protocol in {"http", "https"}:
        patience = import_module("aiohttp").ClientTimeout(total=120, sock_connect=10, sock_read=20)
        headers = {"Accept-Encoding": "identity", "Cache-Control": "no-cache"}
        return {"simple_links": False, "client_kwargs": {"timeout": patience}, "headers": headers}
    if protocol == "s3":
        patience = {"connect_timeout": 10, "read_timeout": 20, "retries": {"max_attempts": 2}}
        return {"use_listings_cache": False, "config_kwargs": patience}
    return {}


def _path(protocol: str, address: str) -> str:
    """Return what the file system calls the folder at an address."""
    path: str = _system_class(protocol)._strip_protocol(address)
    if protocol in {"ssh", "sftp"} and path.startswith("/~/"):
        # From the home of the user, as a path that begins nowhere does.
        return path[3:]
    return path.rstrip("/") or "/"


def _fresh(system: Any) -> Any:
    """Return the file system with nothing remembered."""
    system.invalidate_cache()
    return system


def _entries(system: Any, path: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = _fresh(system).ls(path, detail=True)
    return found


def _name_below(name: str, path: str, is_web: bool) -> str:
    """Return what an entry of a folder is called; empty where it is none: a web page may lead anywhere."""
    rest = name.rstrip("/").removeprefix(path.rstrip("/") + "/")
    if is_web:
        if not name.startswith(path.rstrip("/") + "/") or "?" in rest or "#" in rest:
            return ""
        rest = unquote(rest)
    else:
        rest = posixpath.basename(rest)
    return "" if rest in {"", ".", ".."} or "/" in rest or "\\" in rest or "\0" in rest else rest


def _seconds(told: Any) -> float:
    """Return a time as seconds since 1970, 0 where it is none."""
    try:
        if isinstance(told, str):
            told = parsedate_to_datetime(told)
        return told.timestamp() if isinstance(told, datetime) else float(told or 0)
    except (TypeError, ValueError, OverflowError):
        return 0.0


def _as_os_error(error: Exception) -> OSError:
    """Return an error in words, as one that reading a file of this computer could have raised."""
    cause = error.__cause__
    if isinstance(error, FileNotFoundError) and cause is not None and getattr(cause, "status", None) not in {404, 410}:
        # The web's file system calls everything so.
        error = cause if isinstance(cause, Exception) else error
    words = str(error) or type(error).__name__
    if "range requests" in words:
        words = "the server sends whole files only; one that sends parts of them is needed, nginx or Caddy for example"
    if isinstance(error, FileNotFoundError):
        return FileNotFoundError(words)
    return OSError(words[:500])


@cache
def _copies() -> Path:
    """Return the folder with copies of files, which goes when the program ends."""
    folder = Path(tempfile.mkdtemp(prefix="lstm-studio-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder
