"""Run the code blocks of a page in a temporary folder, as a reader would, one after another.

``bash`` blocks are commands: ``budwood ...`` runs in this process, which saves the import of torch, a command
that ends with ``&`` runs beside the others until the page ends, everything else goes to a shell. ``python``
blocks share their names. A block with a title (``toml title="recipe.toml"``) is a file of that name. A
``text`` block after a command is its output, where ``...`` stands for anything.
"""

from __future__ import annotations

import contextlib
import fnmatch
import io
import os
import re
import shlex
import shutil
import socket
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from budwood.cli.app import main

_BLOCK = re.compile(r"^```(\w+)(?: title=\"([^\"]+)\")?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_PORT = "8080"


@dataclass
class PageRunner:
    """What a page has done so far.

    Attributes
    ----------
    names
        Of the Python blocks.
    output
        Of the latest block.
    beside
        Commands that still run.
    """

    names: dict[str, Any] = field(default_factory=lambda: {"__name__": "page"})
    output: str = ""
    beside: list[subprocess.Popen[bytes]] = field(default_factory=list)
    port: str = ""

    def run(self, page: Path) -> int:
        """Run every block of a page in the present folder, and say how many there were."""
        blocks = _BLOCK.findall(page.read_text(encoding="utf-8"))
        try:
            for language, title, text in blocks:
                self._block(language, title, text)
        finally:
            for process in self.beside:
                process.terminate()
                try:
                    process.wait(timeout=120)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()
        return len(blocks)

    def _block(self, language: str, title: str, text: str) -> None:
        if title:
            Path(title).write_text(text, encoding="utf-8")
        elif language == "bash":
            joined = text.replace("\\\n", " ")
            self.output = "".join(self._command(line) for line in joined.splitlines() if line.strip())
        elif language == "python":
            printed = io.StringIO()
            with contextlib.redirect_stdout(printed):
                exec(compile(text, "<page>", "exec"), self.names)
            self.output = printed.getvalue()
        elif language == "text":
            self._compare(text)

    def _command(self, line: str) -> str:
        if _PORT in line:
            self.port = self.port or _free_port()
            line = line.replace(_PORT, self.port)
        if line.endswith("&"):
            words = [sys.executable, "-m", *shlex.split(line.removesuffix("&"))]
            self.beside.append(subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
            return ""
        if re.match(r"budwood [^|>;]*$", line):
            printed, errors = io.StringIO(), io.StringIO()
            with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(errors):
                code = main(shlex.split(line)[1:])
            assert code == 0, f"{line}\n{errors.getvalue()}"
            return printed.getvalue()
        if line.startswith("curl ") and shutil.which("curl") is None:
            pytest.skip("curl is not installed")
        done = subprocess.run(["bash", "-ec", line], capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{line}\n{done.stdout}{done.stderr}"
        return done.stdout

    def _compare(self, text: str) -> None:
        shown = [" ".join(line.split()) for line in text.splitlines() if line.strip()]
        printed = [" ".join(line.split()) for line in self.output.splitlines()]
        at = 0
        for line in shown:
            if line == "...":
                continue
            pattern = re.sub(r"([\[\]?*])", r"[\1]", line).replace("...", "*")
            found = [n for n in range(at, len(printed)) if fnmatch.fnmatchcase(printed[n], pattern)]
            assert found, f"not printed: {line}\nprinted:\n{self.output}"
            at = found[0] + 1


def _free_port() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])


def environment_of_pages() -> dict[str, str]:
    """The environment in which the shell finds this Python and this package."""
    here = str(Path(sys.executable).parent)
    return {**os.environ, "PATH": os.pathsep.join([here, os.environ.get("PATH", "")])}
