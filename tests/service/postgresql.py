"""PostgreSQL for tests: Debian's package, started in a folder of the test; skipped where it is absent."""

from __future__ import annotations

import getpass
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path

import pytest


class PostgresServer:
    """A server of its own on a free port, which tests may stop and start.

    Its data are in a folder of its own below that for temporary files: other runs of pytest close the folder
    of tests to other users, and PostgreSQL runs as one.
    """

    def __init__(self) -> None:
        found = [*Path("/usr/lib/postgresql").glob("*/bin/pg_ctl"), shutil.which("pg_ctl")]
        programs = [Path(each) for each in found if each]
        if not programs:
            pytest.skip("PostgreSQL is not installed")
        self._folder = Path(tempfile.mkdtemp(prefix="budwood-postgresql-"))
        as_user: list[str] = []
        if getpass.getuser() == "root":  # PostgreSQL refuses to run as root
            shutil.chown(self._folder, "postgres")
            as_user = ["runuser", "-u", "postgres", "--"]
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self._port = free.getsockname()[1]
        self._control = [*as_user, str(programs[-1]), "-D", str(self._folder / "data")]
        made = subprocess.run(
            [*self._control, "init", "-o", "-A trust -U postgres"], capture_output=True, text=True
        )
        assert made.returncode == 0, made.stderr
        self.options = ("--database", f"postgresql://postgres@127.0.0.1:{self._port}/budwood")

    def start(self) -> None:
        options = f"-p {self._port} -k {self._folder} -c listen_addresses=127.0.0.1 -c fsync=off"
        words = ["-o", options, "-l", str(self._folder / "log"), "-t", "240", "-w", "start"]
        subprocess.run([*self._control, *words], check=True)

    def stop(self) -> None:
        subprocess.run([*self._control, "-m", "immediate", "-t", "240", "stop"], check=True)

    def remove(self) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)
