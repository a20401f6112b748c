"""Jobs: results are those of the command line, each ends once in a stated state."""

from __future__ import annotations

import csv
import errno
import io
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy.exc import OperationalError

from budwood.panel.files import PanelFiles
from budwood.service.jobs import worker as worker_module
from budwood.service.jobs.command_process import CommandEnd
from budwood.service.jobs.expiry import remove_ended_before
from budwood.service.jobs.job_folder import JobFolder, JobRecord
from budwood.service.jobs.job_queue import JobQueue
from budwood.service.jobs.states import State
from budwood.service.jobs.worker import Worker
from budwood.service.metrics import Metrics
from budwood.service.settings import ServiceSettings
from budwood.workflows.predict import PredictOptions, predict

ENDED = ("done", "refused", "failed", "cancelled")


def start(client: TestClient, options: dict[str, Any], **files: Path) -> Any:
    sent = {role: (path.name, path.read_bytes()) for role, path in files.items()}
    return client.post("/v1/jobs", data={"options": json.dumps(options)}, files=sent)


def ended(client: TestClient, answer: Any, seconds: float = 120) -> dict[str, Any]:
    assert answer.status_code == 202, answer.text
    place = answer.headers["location"]
    assert place == f"/v1/jobs/{answer.json()['id']}"
    until = time.monotonic() + seconds
    while (job := client.get(place).json())["state"] not in ENDED:
        assert time.monotonic() < until, job
        time.sleep(0.2)
    return dict(job)


@pytest.fixture
def working(serve: Callable[..., TestClient], settings: ServiceSettings) -> TestClient:
    """A client of a service that runs jobs."""
    return serve(settings, parallel_jobs=1)


def test_a_prediction_equals_the_command_and_saves_its_model(
    client: TestClient, panel: Any, submit: Callable[..., str], finish: Callable[[str], JobFolder]
) -> None:
    options = {"verb": "predict", "trait": "height", "model": "gblup", "save_as": "height"}
    id = submit(options, genotypes=panel.genotypes, phenotypes=panel.phenotypes)
    finish(id)
    job = client.get(f"/v1/jobs/{id}").json()
    assert {"predictions.csv", "evaluation.json", "report.html", "manifest.json"} <= set(job["result"])
    table = client.get(f"/v1/jobs/{id}/files/predictions.csv")
    files = PanelFiles(genotypes=panel.genotypes, phenotypes=panel.phenotypes)
    expected = predict(PredictOptions(files=files, trait="height", model="gblup")).prediction
    row = {name: i for i, name in enumerate(expected.accessions)}
    for record in csv.DictReader(io.StringIO(table.text)):
        predicted = expected.prediction[row[record["accession"]]]
        assert float(record["prediction"]) == pytest.approx(predicted, rel=1e-6)
        assert int(record["rank"]) == expected.rank[row[record["accession"]]]
    report = client.get(f"/v1/jobs/{id}/files/report.html")
    assert "sandbox" in report.headers["content-security-policy"]
    assert "--genotypes inputs/genotypes/panel.vcf" in report.text
    # BrAPI's read calls give the same values, page by page.
    read = []
    for number in range(3):
        asked = {"studyDbId": id, "pageSize": 15, "page": number}
        read += client.get("/brapi/v2/observations", params=asked).json()["result"]["data"]
    records = csv.DictReader(io.StringIO(table.text))
    assert [(each["germplasmName"], each["value"]) for each in read] == [
        (record["accession"], record["prediction"]) for record in records
    ]
    (study,) = client.get("/brapi/v2/studies").json()["result"]["data"]
    assert study["studyDbId"] == id
    # The saved model predicts new lines, at once and as a job.
    sent = {"genotypes": ("new.vcf", panel.new_lines.read_bytes())}
    at_once = client.post("/v1/models/height/predictions", files=sent)
    assert at_once.status_code == 200
    applied = submit({"verb": "apply", "saved_model": "height"}, genotypes=panel.new_lines)
    finish(applied)
    table = client.get(f"/v1/jobs/{applied}/files/predictions.csv")
    records = csv.DictReader(io.StringIO(table.text))
    by_job = {each["accession"]: float(each["prediction"]) for each in records}
    for each in at_once.json()["rows"]:
        assert by_job[each[0]] == pytest.approx(each[3], rel=1e-6)
    again = start(client, options, genotypes=panel.genotypes, phenotypes=panel.phenotypes)
    assert again.status_code == 409


def test_every_track_is_a_file_of_its_own(
    client: TestClient, panel: Any, settings: ServiceSettings, finish: Callable[[str], JobFolder]
) -> None:
    sent = [
        (role, (path.name, path.read_bytes()))
        for role, path in (("genotypes", panel.genotypes), ("phenotypes", panel.phenotypes))
    ]
    for name, first in (("open.bed", 0), ("marks.bed", 3000)):
        sent.append(("tracks", (name, f"chr1\t{first}\t{first + 2000}\n".encode())))
    options = {"verb": "predict", "trait": "height", "model": "gblup"}
    answer = client.post("/v1/jobs", data={"options": json.dumps(options)}, files=sent)
    assert answer.status_code == 202, answer.text
    assert set(answer.json()["files"]) == {"genotypes", "phenotypes", "tracks", "tracks_2"}
    folder = finish(answer.json()["id"])
    words = folder.record().words
    assert [word for word in words if word.startswith("--tracks=")] == [
        "--tracks=inputs/tracks/open.bed",
        "--tracks=inputs/tracks_2/marks.bed",
    ]
    notes = json.loads((folder.result / "manifest.json").read_text())["notes"]
    assert [note.split()[0] for note in notes if " by its mean over " in note] == ["open.bed", "marks.bed"]


def test_jobs_run_in_processes_and_bad_input_is_refused(working: TestClient, panel: Any) -> None:
    good = start(working, {"verb": "select", "count": 2}, genotypes=panel.genotypes)
    # The rest of the path is the same for every verb: the words of the command and its exit code.
    wrong = {"verb": "select", "count": 2, "trait": "hieght"}
    bad = start(working, wrong, genotypes=panel.genotypes, phenotypes=panel.phenotypes)
    job = ended(working, good)
    assert job["state"] == "done", job["error"]
    assert "manifest.json" in job["result"]
    # The events end with the state, and the stream with them.
    with working.stream("GET", f"/v1/jobs/{job['id']}/events") as stream:
        lines = [line for line in stream.iter_lines() if line.startswith("data: ")]
    events = [json.loads(line[6:]) for line in lines]
    states = [event["state"] for event in events if event.get("kind") == "state"]
    assert states == ["queued", "running", "done"]
    assert events[-1]["state"] == "done"
    job = ended(working, bad)
    assert job["state"] == "refused", job["error"]
    assert "did you mean 'height'" in job["error"]["mend"]
    assert job["error"]["where"].startswith("inputs/phenotypes/traits.csv")
    assert job["result"] == []


def test_jobs_are_cancelled_while_they_wait_and_while_they_run(
    working: TestClient, settings: ServiceSettings, panel: Any
) -> None:
    # BayesC with many repeats takes far longer than the test.
    options = {"verb": "evaluate", "trait": "height", "models": ["gblup", "bayes-c"], "repeats": 100}
    files = {"genotypes": panel.genotypes, "phenotypes": panel.phenotypes}
    first, second = start(working, options, **files).json(), start(working, options, **files).json()
    until = time.monotonic() + 60
    while working.get(f"/v1/jobs/{first['id']}").json()["state"] != "running":
        assert time.monotonic() < until
        time.sleep(0.1)
    for job in (second, first, first):
        assert working.post(f"/v1/jobs/{job['id']}/cancel").json()["state"] == "cancelled"
    folder = settings.folder / "jobs" / first["id"]
    while (folder / "process.json").exists():
        assert time.monotonic() < until
        time.sleep(0.1)
    assert not (folder / "result").exists()
    assert [job["state"] for job in working.get("/v1/jobs").json()["jobs"]] == ["cancelled"] * 2
    assert working.delete(f"/v1/jobs/{first['id']}").json()["state"] == "expired"
    assert not (folder / "inputs").exists()


BOTH = ("genotypes", "phenotypes")


@pytest.mark.parametrize(
    ("options", "roles", "where"),
    [
        ({"verb": "predict", "trait": "height"}, ("genotypes",), "phenotypes"),
        ({"verb": "predict", "trait": "height"}, (*BOTH, "bed"), "bed"),
        ({"verb": "predict"}, BOTH, "options.trait"),
        ({"verb": "predict", "trait": "height", "out": "/tmp/x"}, BOTH, "options.out"),
        ({"verb": "predict", "trait": "a\nb"}, BOTH, "options.trait"),
        ({"verb": "predict", "trait": "h", "save_as": "../x"}, BOTH, "options.save_as"),
        ({"verb": "pretrain"}, (), "options"),
        ({"verb": "apply", "saved_model": "none"}, ("genotypes",), ""),
        ({"verb": "predict", "trait": "h", "genome": "none"}, BOTH, "genome"),
        ([], (), "options"),
    ],
)
def test_what_cannot_be_a_job_is_refused_at_once(
    client: TestClient, settings: ServiceSettings, options: Any, roles: tuple[str, ...], where: str
) -> None:
    files = dict.fromkeys(roles, ("f.csv", b"x")) or None
    answer = client.post("/v1/jobs", data={"options": json.dumps(options)}, files=files)
    assert answer.status_code in (404, 422), answer.text
    assert answer.json()["error"]["where"] == where
    assert JobFolder.every(settings.folder / "jobs") == []


def test_jobs_of_others_are_not_there(
    serve: Callable[..., TestClient], settings: ServiceSettings, panel: Any
) -> None:
    client = serve(settings, host="192.0.2.7")
    ring = client.app.keys  # type: ignore[attr-defined]
    mine, theirs = ({"Authorization": f"Bearer {ring.add(name, ['jobs'])}"} for name in ("a", "b"))
    sent = {"genotypes": ("panel.vcf", panel.genotypes.read_bytes())}
    asked = {"options": json.dumps({"verb": "select", "count": 2})}
    job = client.post("/v1/jobs", data=asked, files=sent, headers=mine).json()
    assert client.get(f"/v1/jobs/{job['id']}", headers=mine).json()["state"] == "queued"
    for method, path in (
        ("GET", ""),
        ("POST", "/cancel"),
        ("DELETE", ""),
        ("GET", "/files/x"),
        ("GET", "/events"),
    ):
        assert client.request(method, f"/v1/jobs/{job['id']}{path}", headers=theirs).status_code == 404
    assert client.get("/v1/jobs", headers=theirs).json() == {"jobs": []}
    admin = {"Authorization": f"Bearer {ring.add('c', ['jobs', 'admin'])}"}
    assert len(client.get("/v1/jobs", headers=admin).json()["jobs"]) == 1


NAMES = ["../job.json", "..%2Fjob.json", "%2e%2e/job.json", "/etc/passwd", "nothing", ""]


def test_no_file_outside_the_result_is_read_and_files_expire(
    client: TestClient, settings: ServiceSettings, panel: Any
) -> None:
    job = start(client, {"verb": "select", "count": 2}, genotypes=panel.genotypes).json()
    for name in NAMES:
        answer = client.get(f"/v1/jobs/{job['id']}/files/{name}")
        assert answer.status_code == 404
        assert "select" not in answer.text
    queue = JobQueue(settings)
    assert remove_ended_before(queue, time.time() + 10) == []
    client.post(f"/v1/jobs/{job['id']}/cancel")
    assert remove_ended_before(queue, time.time() - 3600) == []
    assert remove_ended_before(queue, time.time() + 10) == [job["id"]]
    assert client.get(f"/v1/jobs/{job['id']}").json()["state"] == "expired"
    queue.close()


def test_a_queue_that_takes_no_job_leaves_none(
    client: TestClient, settings: ServiceSettings, panel: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent = {"genotypes": ("panel.vcf", panel.genotypes.read_bytes())}
    asked = {"options": json.dumps({"verb": "select", "count": 2})}
    away = OperationalError("select 1", {}, ConnectionError("refused"))
    full = OperationalError("insert", {}, OSError(errno.ENOSPC, "No space left on device"))
    for error, status in ((away, 503), (full, 507)):

        def fail(self: JobQueue, folder: JobFolder, error: Exception = error) -> None:
            raise error

        with monkeypatch.context() as here:
            here.setattr(JobQueue, "add", fail)
            answer = client.post("/v1/jobs", data=asked, files=sent)
        assert answer.status_code == status, answer.text
        assert answer.json()["error"]["mend"]
        assert list((settings.folder / "jobs").iterdir()) == []
    assert client.get("/v1/jobs").json() == {"jobs": []}


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
def test_a_full_disk_is_said_and_leaves_no_upload(
    client: TestClient, settings: ServiceSettings, panel: Any, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def full(*_: Any, **__: Any) -> None:
        raise OSError(number, "no more")

    monkeypatch.setattr("budwood.service.jobs.submission.save_uploads", full)
    answer = start(client, {"verb": "select", "count": 2}, genotypes=panel.genotypes)
    assert answer.status_code == 507, answer.text
    assert list((settings.folder / "jobs").iterdir()) == []


@pytest.fixture
def written(settings: ServiceSettings) -> JobFolder:
    """A job that was written down."""
    folder = JobFolder.new(settings.folder / "jobs")
    folder.write_record(
        JobRecord(
            id=folder.id, owner="local", verb="select", options={}, files={}, words=("select",), created=""
        )
    )
    return folder


def full(*_: Any, **__: Any) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


def test_a_job_ends_in_a_stated_state_on_a_full_disk(
    settings: ServiceSettings, written: JobFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker = Worker(settings, Metrics())
    monkeypatch.setattr(JobFolder, "add_event", full)
    monkeypatch.setattr(JobFolder, "note_end", full)
    monkeypatch.setattr(worker_module, "run_command", lambda *_, **__: CommandEnd(State.DONE))
    assert worker.run_job(written.id) == {"state": "done", "error": None}
    monkeypatch.setattr(worker_module, "run_command", full)
    ended = worker.run_job(written.id)
    assert ended["state"] == "failed"
    assert ended["error"]["what"] == "the disk of the server is full"
    assert worker.run_job("20200101-" + 24 * "0")["state"] == "failed"


def test_the_sentence_of_a_command_names_no_folder_of_the_server(
    settings: ServiceSettings, written: JobFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    where = f"{written.path.resolve()}/inputs/fasta/a.fa"
    error = {"what": "the FASTA file is empty", "where": where, "mend": f"see {settings.folder}/jobs"}
    monkeypatch.setattr(worker_module, "run_command", lambda *_, **__: CommandEnd(State.REFUSED, error))
    ended = Worker(settings, Metrics()).run_job(written.id)["error"]
    assert ended == {"what": "the FASTA file is empty", "where": "inputs/fasta/a.fa", "mend": "see jobs"}


def test_an_end_that_was_announced_is_final(
    settings: ServiceSettings, written: JobFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The service is killed between the end of the command and the note in the database: the job runs again.
    ends = iter([CommandEnd(State.FAILED, {"what": "a", "where": "", "mend": "b"}), CommandEnd(State.DONE)])
    monkeypatch.setattr(worker_module, "run_command", lambda *_, **__: next(ends))
    worker = Worker(settings, Metrics())
    first = worker.run_job(written.id)
    assert worker.run_job(written.id) == first
    states = [event["state"] for _, event in written.events_after() if event["kind"] == "state"]
    assert states == ["running", "failed"]


def test_a_job_that_has_just_ended_is_not_cancelled_as_well(
    client: TestClient, settings: ServiceSettings, panel: Any, submit: Callable[..., str]
) -> None:
    id = submit({"verb": "select", "count": 2}, genotypes=panel.genotypes)
    folder = JobFolder(settings.folder / "jobs" / id)
    folder.note_end({"state": "done", "error": None})
    assert client.post(f"/v1/jobs/{id}/cancel").json()["state"] == "queued"  # the database notes it next
    assert [event["state"] for _, event in folder.events_after()] == ["queued"]
