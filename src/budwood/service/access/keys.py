"""Access keys, sessions of the page, and requests for access, in one SQLite file.

A key is 256 random bits. It is shown once; the file holds its SHA-256 alone, which is enough for a secret
that nobody can guess.
"""

from __future__ import annotations

import hashlib
import re
import secrets
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from limits import RateLimitItem, parse_many

from budwood.errors import BudwoodError
from budwood.service.access.scopes import Scope

_PREFIX: Final = "bw_"
_BYTES: Final = 32
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._@+-]{0,63}")
_SESSION: Final = timedelta(hours=12)
#: Requests for access that wait for an answer at most; a form that anybody may send must not fill the disk.
_MOST_WAITING: Final = 200
#: Bounds of a limit: requests, and seconds of its window.
_MOST_REQUESTS: Final = 1_000_000_000
_LONGEST_WINDOW: Final = 10 * 366 * 24 * 3600
_TABLES: Final = """
CREATE TABLE IF NOT EXISTS keys (
    name TEXT PRIMARY KEY, digest TEXT UNIQUE NOT NULL, scopes TEXT NOT NULL, rate TEXT NOT NULL,
    created TEXT NOT NULL, revoked TEXT);
CREATE TABLE IF NOT EXISTS sessions (digest TEXT PRIMARY KEY, key TEXT NOT NULL, until TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS requests (
    id INTEGER PRIMARY KEY, name TEXT NOT NULL, contact TEXT NOT NULL, purpose TEXT NOT NULL,
    created TEXT NOT NULL, answer TEXT);
"""


@dataclass(frozen=True, kw_only=True)
class Key:
    """A key without its secret.

    Attributes
    ----------
    name
        Who holds it.
    scopes
        What it opens.
    rate
        Its limits; those of the service where empty.
    created, revoked
        Times in ISO 8601; ``revoked`` is None while it opens anything.
    """

    name: str
    scopes: tuple[Scope, ...]
    rate: str
    created: str
    revoked: str | None = None


@dataclass(frozen=True, kw_only=True)
class AccessRequest:
    """Somebody asks for a key.

    Attributes
    ----------
    number
        Counted from 1.
    name, contact, purpose
        As the form was filled in.
    created
        Time in ISO 8601.
    """

    number: int
    name: str
    contact: str
    purpose: str
    created: str


class KeyRing:
    """The keys of a service.

    Parameters
    ----------
    path
        The SQLite file; made with its folder where it is absent.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        with self._open() as connection:
            connection.executescript(_TABLES)
        path.chmod(0o600)

    def add(self, name: str, scopes: Sequence[str], *, rate: str = "") -> str:
        """Make a key.

        Parameters
        ----------
        name
            Who is to hold it; a name is used once.
        scopes
            What it opens.
        rate
            Limits of its own, such as ``"60/minute; 1000/day"``.

        Returns
        -------
        str
            The secret, which is kept nowhere.

        Raises
        ------
        BudwoodError
            If the name is not possible or used already, or a scope or limit does not exist.
        """
        if not _NAME.fullmatch(name):
            raise BudwoodError(
                f"{name!r} cannot be the name of a key",
                mend="use letters, digits, spaces and ._@+-, at most 64 of them",
            )
        known = [scope.value for scope in Scope]
        wrong = [each for each in scopes if each not in known]
        if wrong or not scopes:
            raise BudwoodError(
                f"there is no scope {wrong[0]!r}" if wrong else "a key needs a scope",
                mend=f"choose from: {', '.join(known)}",
            )
        check_rate(rate)
        secret = _PREFIX + secrets.token_urlsafe(_BYTES)
        row = (name, _digest(secret), " ".join(dict.fromkeys(scopes)), rate, _now())
        try:
            with self._open() as connection:
                connection.execute(
                    "INSERT INTO keys (name, digest, scopes, rate, created) VALUES (?, ?, ?, ?, ?)", row
                )
        except sqlite3.IntegrityError as error:
            raise BudwoodError(
                f"there is a key {name!r} already", mend="choose another name; names are not used twice"
            ) from error
        return secret

    def listed(self) -> list[Key]:
        """All keys, the revoked ones included.

        Returns
        -------
        list of Key
            In the order they were made.
        """
        with self._open() as connection:
            rows = connection.execute("SELECT * FROM keys ORDER BY created, name").fetchall()
        return [_key(row) for row in rows]

    def revoke(self, name: str) -> None:
        """End a key and the sessions that were opened with it.

        Parameters
        ----------
        name
            Its name.

        Raises
        ------
        BudwoodError
            If there is no such key that is still good.
        """
        with self._open() as connection:
            query = "UPDATE keys SET revoked = ? WHERE name = ? AND revoked IS NULL"
            changed = connection.execute(query, (_now(), name)).rowcount
            connection.execute("DELETE FROM sessions WHERE key = ?", (name,))
        if not changed:
            raise BudwoodError(f"there is no key {name!r} to revoke", mend="see budwood serve keys list")

    def find(self, secret: str) -> Key | None:
        """The key of a secret.

        Parameters
        ----------
        secret
            As a client sends it.

        Returns
        -------
        Key or None
            None for a wrong or revoked one.
        """
        with self._open() as connection:
            query = "SELECT * FROM keys WHERE digest = ? AND revoked IS NULL"
            row = connection.execute(query, (_digest(secret),)).fetchone()
        return None if row is None else _key(row)

    def open_session(self, key: Key) -> str:
        """A session of the page for a key, for 12 hours.

        Parameters
        ----------
        key
            With which somebody signs in.

        Returns
        -------
        str
            What the cookie holds.
        """
        token = secrets.token_urlsafe(_BYTES)
        until = (datetime.now(UTC) + _SESSION).isoformat()
        with self._open() as connection:
            connection.execute("DELETE FROM sessions WHERE until < ?", (_now(),))
            connection.execute("INSERT INTO sessions VALUES (?, ?, ?)", (_digest(token), key.name, until))
        return token

    def find_session(self, token: str) -> Key | None:
        """The key that a session was opened with.

        Parameters
        ----------
        token
            What the cookie holds.

        Returns
        -------
        Key or None
            None where the session is over or its key revoked.
        """
        query = (
            "SELECT keys.* FROM keys JOIN sessions ON keys.name = sessions.key "
            "WHERE sessions.digest = ? AND sessions.until > ? AND keys.revoked IS NULL"
        )
        with self._open() as connection:
            row = connection.execute(query, (_digest(token), _now())).fetchone()
        return None if row is None else _key(row)

    def close_session(self, token: str) -> None:
        """End a session.

        Parameters
        ----------
        token
            What the cookie holds.
        """
        with self._open() as connection:
            connection.execute("DELETE FROM sessions WHERE digest = ?", (_digest(token),))

    def ask(self, name: str, contact: str, purpose: str) -> None:
        """Note that somebody asks for a key.

        Parameters
        ----------
        name, contact, purpose
            As the form was filled in.

        Raises
        ------
        BudwoodError
            If the name cannot be that of a key, a field is empty or too long, or too many wait already.
        """
        if not _NAME.fullmatch(name):
            raise BudwoodError(
                f"{name[:70]!r} cannot be a name", mend="use letters, digits, spaces and ._@+-"
            )
        for what, text, most in (("contact", contact, 200), ("purpose", purpose, 2000)):
            if not text.strip() or len(text) > most:
                raise BudwoodError(f"the {what} is empty or too long", mend=f"write 1 to {most} characters")
        with self._open() as connection:
            (waiting,) = connection.execute("SELECT COUNT(*) FROM requests WHERE answer IS NULL").fetchone()
            if waiting >= _MOST_WAITING:
                raise BudwoodError("too many requests for access wait", mend="try again another day")
            connection.execute(
                "INSERT INTO requests (name, contact, purpose, created) VALUES (?, ?, ?, ?)",
                (name, contact, purpose, _now()),
            )

    def waiting(self) -> list[AccessRequest]:
        """Requests for access that wait for an answer.

        Returns
        -------
        list of AccessRequest
            The oldest first.
        """
        query = "SELECT id, name, contact, purpose, created FROM requests WHERE answer IS NULL ORDER BY id"
        with self._open() as connection:
            rows = connection.execute(query).fetchall()
        names = ("number", "name", "contact", "purpose", "created")
        return [AccessRequest(**dict(zip(names, row, strict=True))) for row in rows]

    def settle(self, number: int, scopes: Sequence[str] | None) -> str | None:
        """Answer a request for access.

        Parameters
        ----------
        number
            Of the request.
        scopes
            What the new key opens; None declines the request.

        Returns
        -------
        str or None
            The secret of the new key, None where the request was declined.

        Raises
        ------
        BudwoodError
            If no such request waits, or the key cannot be made.
        """
        found = [each for each in self.waiting() if each.number == number]
        if not found:
            raise BudwoodError(f"no request {number} waits for an answer", mend="load the list again")
        secret = None if scopes is None else self.add(found[0].name, scopes)
        answer = "declined" if scopes is None else "approved"
        with self._open() as connection:
            connection.execute("UPDATE requests SET answer = ? WHERE id = ?", (answer, number))
        return secret

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        connection = sqlite3.connect(self._path, timeout=30)
        try:
            with connection:
                yield connection
        except sqlite3.OperationalError as error:
            raise BudwoodError(
                f"the file of keys cannot be used: {error}", where=self._path.name, mend="free some space"
            ) from error
        finally:
            connection.close()


def check_rate(rate: str) -> None:
    """Refuse limits that cannot be read.

    Parameters
    ----------
    rate
        Such as ``"60/minute; 1000/day"``; empty for none.

    Raises
    ------
    BudwoodError
        If it is not understood.

    Examples
    --------
    >>> check_rate("60/minute; 1000/day")
    >>> check_rate("often")
    Traceback (most recent call last):
    budwood.errors.BudwoodError: 'often' is no limit: write such as 60/minute or 60/minute; 1000/day.
    """
    try:
        items = parse_many(rate) if rate else []
        if any(not _is_possible(each) for each in items):
            raise ValueError("numbers out of range")
    except ValueError as error:
        raise BudwoodError(
            f"{rate!r} is no limit", mend="write such as 60/minute or 60/minute; 1000/day"
        ) from error


def _is_possible(item: RateLimitItem) -> bool:
    """Whether a limit lets a request through, and its window ends within a lifetime."""
    return 1 <= item.amount <= _MOST_REQUESTS and 1 <= item.get_expiry() <= _LONGEST_WINDOW


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogateescape")).hexdigest()


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _key(row: Sequence[str | None]) -> Key:
    name, _, scopes, rate, created, revoked = row
    return Key(
        name=str(name),
        scopes=tuple(Scope(each) for each in str(scopes).split()),
        rate=str(rate),
        created=str(created),
        revoked=revoked,
    )
