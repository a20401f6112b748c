"""Fixtures every test may use."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest


@pytest.fixture(scope="session", autouse=True)
def _interrupts() -> None:
    """Let Ctrl-C reach the processes of tests, also where a shell started the suite in the background."""
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Folder of shared real data; the test is skipped where BUDWOOD_DATA is not set."""
    named = os.environ.get("BUDWOOD_DATA")
    if not named:
        pytest.skip("BUDWOOD_DATA is not set: no real data here")
    return Path(named)


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Give every test a cache of its own, so that none sees another's files."""
    monkeypatch.setenv("BUDWOOD_CACHE", str(tmp_path / "cache"))
