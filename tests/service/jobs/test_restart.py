"""A server that is killed or stopped takes its jobs up again, on SQLite and on PostgreSQL."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from service.postgresql import PostgresServer
from service.running import RunningService

pytestmark = pytest.mark.slow


@pytest.fixture
def postgresql() -> Iterator[PostgresServer]:
    """A server of PostgreSQL for one test."""
    server = PostgresServer()
    try:
        server.start()
        yield server
        server.stop()
    finally:
        server.remove()


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest) -> tuple[str, ...]:
    """Options that name a database; PostgreSQL is started for the test."""
    if request.param == "sqlite":
        return ()
    server: PostgresServer = request.getfixturevalue("postgresql")
    return server.options


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


def ends_of(folder: Path, id: str) -> list[str]:
    """The states in which a job has ended, by its events."""
    lines = (folder / "jobs" / id / "events.jsonl").read_text().splitlines()
    states = [str(json.loads(line).get("state")) for line in lines]
    return [each for each in states if each in ("done", "refused", "failed", "cancelled")]


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
        assert ends_of(tmp_path / "service", id) == ["done"]


def test_jobs_outlive_a_database_that_stops_and_comes_back(
    postgresql: PostgresServer, tmp_path: Path, panel: Any
) -> None:
    service = RunningService(tmp_path / "service", *postgresql.options)
    service.start()
    first = submit(service, panel, {"verb": "predict", "trait": "height", "model": "gblup"})
    second = submit(service, panel, {"verb": "select", "count": 3, "trait": "height"})
    wait_for(service, first, "running")
    postgresql.stop()
    # The service answers at once that it cannot say, takes no job that it would lose, and embeds on.
    answer = service.http.get(f"/v1/jobs/{first}")
    assert answer.status_code == 503, answer.text
    assert answer.headers["retry-after"]
    files = {"genotypes": ("panel.vcf", panel.genotypes.read_bytes())}
    asked = {"options": json.dumps({"verb": "select", "count": 2})}
    assert service.http.post("/v1/jobs", data=asked, files=files).status_code == 503
    assert service.http.get("/v1/health").status_code == 200
    time.sleep(5)
    postgresql.start()
    wait_for(service, first, "done")
    wait_for(service, second, "done")
    jobs = service.http.get("/v1/jobs").json()["jobs"]
    assert {job["id"] for job in jobs} == {first, second}
    service.stop()
    for id in (first, second):
        assert ends_of(tmp_path / "service", id) == ["done"]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 24 MB in memory."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", str(folder)], capture_output=True, text=True
    )
    if mounted.returncode:
        pytest.skip(f"no file system can be mounted here: {mounted.stderr.strip()}")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def test_a_full_disk_ends_jobs_in_a_stated_state(small_disk: Path, panel: Any) -> None:
    service = RunningService(small_disk / "service")
    service.start()
    select = {"verb": "select", "count": 3, "trait": "height"}
    before = submit(service, panel, select)
    wait_for(service, before, "done")
    during = submit(service, panel, select)
    wait_for(service, during, "running")
    filler = small_disk / "filler"
    with filler.open("wb") as handle, suppress(OSError):
        while True:
            handle.write(bytes(1 << 16))
            handle.flush()
    files = {"genotypes": ("panel.vcf", panel.genotypes.read_bytes() * 40)}
    answer = service.http.post("/v1/jobs", data={"options": json.dumps(select)}, files=files)
    assert answer.status_code == 507, answer.text
    assert answer.json()["error"]["what"] == "the disk of the server is full"
    time.sleep(10)
    filler.unlink()
    # What could not be noted while the disk was full is noted at the latest after the next start.
    service.stop()
    service.start()
    until = time.monotonic() + 240
    while (now := state(service, during)) not in ("done", "failed"):
        assert time.monotonic() < until, now
        time.sleep(0.2)
    assert state(service, before) == "done"
    after = submit(service, panel, select)
    wait_for(service, after, "done")
    service.stop()
    assert len(ends_of(small_disk / "service", during)) <= 1


def test_two_services_share_a_queue(postgresql: PostgresServer, tmp_path: Path, panel: Any) -> None:
    services = [
        RunningService(tmp_path / "service", *postgresql.options, "--worker", name) for name in ("a", "b")
    ]
    for each in services:
        each.start()
    select = {"verb": "select", "trait": "height"}
    jobs = [submit(services[k % 2], panel, select | {"count": 2 + k}) for k in range(4)]
    for id in jobs:
        wait_for(services[0], id, "done")
    for each in services:
        assert {job["id"] for job in each.http.get("/v1/jobs").json()["jobs"]} == set(jobs)
        found = each.http.get(f"/v1/jobs/{jobs[0]}/files/manifest.json")
        assert found.status_code == 200
        each.stop()
    for id in jobs:
        lines = (tmp_path / "service" / "jobs" / id / "events.jsonl").read_text().splitlines()
        states = [json.loads(line)["state"] for line in lines if json.loads(line)["kind"] == "state"]
        assert states == ["queued", "running", "done"]
