"""``budwood serve`` in a process of its own, which tests may kill."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx


class RunningService:
    """The command, started and killed.

    Parameters
    ----------
    folder
        Of the service.
    *words
        More options of the command.
    """

    def __init__(self, folder: Path, *words: str) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self._words = [sys.executable, "-m", "budwood", "serve", "--folder", str(folder), "--port", str(port)]
        self._words += ["--rate", "1000000/minute", *words]
        self.url = f"http://127.0.0.1:{port}"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self._process = subprocess.Popen(self._words, stderr=subprocess.DEVNULL)
        self.http = httpx.Client(base_url=self.url, timeout=60)
        until = time.monotonic() + 240
        while True:
            try:
                self.http.get("/v1/health")
                return
            except httpx.HTTPError:
                assert self._process.poll() is None
                assert time.monotonic() < until
                time.sleep(0.2)

    def stop(self, how: signal.Signals = signal.SIGTERM) -> int:
        assert self._process is not None
        self.http.close()
        self._process.send_signal(how)
        return self._process.wait(timeout=240)
