"""A server that is killed or stopped takes its jobs up again, on SQLite and on PostgreSQL."""

from __future__ import annotations

import getpass
import json
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from service.running import RunningService

pytestmark = pytest.mark.slow


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[str, ...]]:
    """Options that name a database; PostgreSQL is started for the test."""
    if request.param == "sqlite":
        yield ()
        return
    found = [*Path("/usr/lib/postgresql").glob("*/bin/pg_ctl"), shutil.which("pg_ctl")]
    programs = [Path(each) for each in found if each]
    if not programs:
        pytest.skip("PostgreSQL is not installed")
    folder = tmp_path / "postgresql"
    folder.mkdir()
    as_user: list[str] = []
    if getpass.getuser() == "root":  # PostgreSQL refuses to run as root
        shutil.chown(folder, "postgres")
        for parent in tmp_path.resolve().parents[:3]:
            parent.chmod(parent.stat().st_mode | 0o055)
        tmp_path.chmod(0o755)
        as_user = ["runuser", "-u", "postgres", "--"]
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    control = [*as_user, str(programs[-1]), "-D", str(folder / "data")]
    made = subprocess.run([*control, "init", "-o", "-A trust -U postgres"], capture_output=True, text=True)
    assert made.returncode == 0, made.stderr
    options = f"-p {port} -k {folder} -c listen_addresses=127.0.0.1 -c fsync=off"
    subprocess.run(
        [*control, "-o", options, "-l", str(folder / "log"), "-t", "240", "-w", "start"], check=True
    )
    yield ("--database", f"postgresql://postgres@127.0.0.1:{port}/budwood")
    subprocess.run([*control, "-m", "immediate", "-t", "240", "stop"], check=True)


def submit(service: RunningService, panel: Any, options: dict[str, Any]) -> str:
    files = {
        "genotypes": ("panel.vcf", panel.genotypes.read_bytes()),
        "phenotypes": ("traits.csv", panel.phenotypes.read_bytes()),
    }
    answer = service.http.post("/v1/jobs", data={"options": json.dumps(options)}, files=files)
    assert answer.status_code == 202, answer.text
    return str(answer.json()["id"])


def state(service: RunningService, id: str) -> str:
    return str(service.http.get(f"/v1/jobs/{id}").json()["state"])


def wait_for(service: RunningService, id: str, wanted: str) -> None:
    until = time.monotonic() + 240
    while (now := state(service, id)) != wanted:
        assert time.monotonic() < until, now
        time.sleep(0.1)


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_every_job_ends_once(
    database: tuple[str, ...], how: signal.Signals, tmp_path: Path, panel: Any
) -> None:
    service = RunningService(tmp_path / "service", *database)
    service.start()
    predicting = {"verb": "predict", "trait": "height", "model": "gblup", "save_as": "height"}
    first = submit(service, panel, predicting)
    second = submit(service, panel, {"verb": "select", "count": 3, "trait": "height"})
    third = submit(service, panel, {"verb": "select", "count": 4, "trait": "height"})
    wait_for(service, first, "running")
    service.http.post(f"/v1/jobs/{third}/cancel")
    time.sleep(1)
    service.stop(how)
    service.start()
    wait_for(service, first, "done")
    wait_for(service, second, "done")
    assert state(service, third) == "cancelled"
    assert [each["name"] for each in service.http.get("/v1/models").json()["models"]] == ["height"]
    service.stop()
    for id in (first, second):
        lines = (tmp_path / "service" / "jobs" / id / "events.jsonl").read_text().splitlines()
        ends = [json.loads(line).get("state") for line in lines]
        assert ends.count("done") == 1
