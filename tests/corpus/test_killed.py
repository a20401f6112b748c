"""``kill -9`` at any moment: the build goes on and ends in the same bytes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from budwood.artifacts import read_manifest, verify_artifact
from corpus.genomes import write_genomes


@pytest.mark.slow
def test_a_build_that_is_killed_again_and_again_ends_in_the_same_bytes(built, tmp_path):
    recipe, out = write_genomes(tmp_path), tmp_path / "out"
    words = ("corpus", "build", str(recipe), "--out", str(out), "--quiet")
    command = [sys.executable, "-m", "budwood", *words]
    work = tmp_path / ".out.building"
    random = np.random.default_rng(0)
    for _ in range(10):
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, start_new_session=True)
        # Start-up alone takes seconds on a busy machine: count from when something new is written.
        before = set(work.rglob("*"))
        while process.poll() is None and set(work.rglob("*")) <= before:
            time.sleep(0.002)
        time.sleep(float(random.uniform(0, 0.3)))
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        assert not out.exists() or verify_artifact(out) == []
    assert subprocess.run(command, stdout=subprocess.DEVNULL).returncode == 0
    assert read_manifest(out)["files"] == read_manifest(built)["files"]
    assert verify_artifact(out) == []
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".out")] == []
