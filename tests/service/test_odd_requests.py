"""Requests that no client should send are answered in the usual shape, and nothing of the server shows."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from budwood.errors import BudwoodError
from budwood.service.jobs.job_folder import JobFolder
from budwood.service.jobs.job_queue import JobQueue
from budwood.service.refusal import Refusal
from budwood.service.server_paths import without_server_paths
from budwood.service.settings import ServiceSettings


def error_of(answer: Any, status: int) -> dict[str, str]:
    assert answer.status_code == status, answer.text
    error: dict[str, str] = answer.json()["error"]
    assert set(error) == {"what", "where", "mend"}
    assert error["what"]
    assert error["mend"]
    return error


@pytest.mark.parametrize("host", ["[", "[::1", "a@b", ""])
def test_hosts_that_are_none(client: TestClient, host: str) -> None:
    assert error_of(client.get("/v1/health", headers={"Host": host}), 421)["where"] == "Host"


@pytest.mark.parametrize("origin", ["http://[", "http://[::1", "null", "://"])
def test_origins_that_are_none(client: TestClient, origin: str) -> None:
    assert error_of(client.post("/v1/library", headers={"Origin": origin}), 403)["where"] == "Origin"


@pytest.fixture
def predicted(panel: Any, submit: Callable[..., str], finish: Callable[[str], JobFolder]) -> JobFolder:
    """A finished prediction, in tables with decimal commas."""
    options = {"verb": "predict", "trait": "height", "model": "gblup", "csv_dialect": "excel-de"}
    return finish(submit(options, genotypes=panel.genotypes, phenotypes=panel.phenotypes))


def test_results_of_a_job(client: TestClient, predicted: JobFolder) -> None:
    place = f"/v1/jobs/{predicted.id}/files/manifest.json"
    assert client.get(place, headers={"Range": "bytes=0-5"}).status_code == 206
    for asked in ("bytes=abc", "bytes=5-2", "items=0-1", "", "bytes="):
        error_of(client.get(place, headers={"Range": asked}), 400)
    far = client.get(place, headers={"Range": "bytes=999999999-"})
    error_of(far, 416)
    assert far.headers["content-range"].startswith("bytes */")
    # Numbers have decimal points for programs, and commas where the breeder asked for them.
    (first,) = client.get("/brapi/v2/observations", params={"pageSize": 1}).json()["result"]["data"]
    assert float(first["value"])
    assert float(first["additionalInfo"]["reliability"])
    shortlist = client.get(f"/jobs/{predicted.id}/shortlist.csv?best=1").content.decode("utf-8-sig")
    header, row = (line.split(";") for line in shortlist.splitlines())
    assert "," in row[header.index("prediction")]
    assert client.get(f"/jobs/{predicted.id}/ranking?reliability=0,1").status_code == 200


def test_results_that_are_gone_or_damaged(client: TestClient, predicted: JobFolder) -> None:
    table = predicted.result / "predictions.csv"
    table.write_text("accession;height\na;b\n")
    page = client.get(f"/jobs/{predicted.id}/ranking")
    assert page.status_code == 422
    assert "is damaged" in page.text
    assert client.get("/brapi/v2/observations").json()["result"]["data"] == []
    error_of(client.get("/brapi/v2/observations", params={"studyDbId": predicted.id}), 422)
    table.unlink()
    error = error_of(client.get(f"/v1/jobs/{predicted.id}/files/predictions.csv"), 422)
    assert "damaged" in error["what"]
    (predicted.path / "expired").touch()
    assert (
        error_of(client.get(f"/v1/jobs/{predicted.id}/files/predictions.csv"), 404)["where"] == predicted.id
    )
    assert client.get("/brapi/v2/lists").json()["result"]["data"] == []
    predicted.remove_files()
    error_of(client.get(f"/v1/jobs/{predicted.id}/files/predictions.csv"), 404)


def test_a_job_that_is_withdrawn_while_jobs_are_listed(
    client: TestClient, panel: Any, submit: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    gone, there = (submit({"verb": "select", "count": 2}, genotypes=panel.genotypes) for _ in range(2))
    find = JobFolder.find

    def withdrawn(jobs: Path, id: str) -> JobFolder | None:
        found = find(jobs, id)
        if found is not None and id == gone:
            found.withdraw_record()
        return found

    monkeypatch.setattr(JobFolder, "find", withdrawn)
    assert [job["id"] for job in client.get("/v1/jobs").json()["jobs"]] == [there]


def test_a_start_that_failed_can_be_repeated(
    client: TestClient, panel: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = {
        "genotypes": ("panel.vcf", panel.genotypes.read_bytes()),
        "phenotypes": ("traits.csv", panel.phenotypes.read_bytes()),
    }
    report = str(client.post("/drafts", files=files).url)
    asked = {"verb": "predict", "trait": "height", "model": "gblup"}

    def fail(*_: Any) -> None:
        raise BudwoodError("no", mend="later")

    with monkeypatch.context() as here:
        here.setattr(JobQueue, "add", fail)
        assert client.post(f"{report}/start", data=asked).status_code == 422
    started = client.post(f"{report}/start", data=asked, follow_redirects=False)
    assert started.headers["location"] == report.split("8080")[-1].replace("drafts", "jobs")


def test_a_record_is_not_written_over(
    settings: ServiceSettings, panel: Any, submit: Callable[..., str]
) -> None:
    id = submit({"verb": "select", "count": 2}, genotypes=panel.genotypes)
    folder = JobFolder(settings.folder / "jobs" / id)
    before = folder.record()
    with pytest.raises(FileExistsError):
        folder.write_record(before)
    assert folder.record() == before
    assert [each.name for each in folder.path.glob("*.partial")] == []


def test_a_damaged_entry_of_the_library_hides_no_other(
    client: TestClient, settings: ServiceSettings, saved_model: Path
) -> None:
    settings.model_folder.mkdir(parents=True)
    shutil.copytree(saved_model, settings.model_folder / "height")
    for name in ("one", "two"):
        assert client.post("/v1/library", json={"name": name, "saved_model": "height"}).status_code == 201
    (settings.library_folder / "one" / "card.json").write_text("{")
    found = client.get("/v1/library").json()
    assert [card["name"] for card in found["entries"]] == ["two"]
    assert found["damaged"] == ["one"]
    page = client.get("/library")
    assert page.status_code == 200
    assert "Damaged" in page.text
    answer = client.get("/v1/library/one")
    assert str(settings.folder.parent) not in answer.text
    error_of(answer, 422)


def test_no_answer_says_where_the_folders_are(settings: ServiceSettings) -> None:
    inside = settings.folder / "jobs" / "7"
    refusal = Refusal(422, f"no {inside}/a.csv", where=str(settings.library_folder / "x"), mend=f"{inside}")
    shown = without_server_paths(refusal, settings)
    assert (shown.what, shown.where, shown.mend) == ("no jobs/7/a.csv", "x", "jobs/7")


@pytest.mark.parametrize(
    "options",
    [
        {"verb": "predict", "trait": "h", "aliases": {str(k): "x" for k in range(1001)}},
        {"verb": "select", "count": 1, "quotas": {"north": "1" * 50 + ":"}},
    ],
)
def test_options_that_no_command_line_holds(client: TestClient, options: dict[str, Any]) -> None:
    error_of(client.post("/v1/jobs", data={"options": json.dumps(options)}), 422)


def test_a_file_without_a_name(client: TestClient) -> None:
    asked = {"options": json.dumps({"verb": "select", "count": 2})}
    error = error_of(client.post("/v1/jobs", data=asked, files={"genotypes": ("", b"x")}), 422)
    assert "a file with a name" in error["what"]


def test_variants_of_a_genome_shorter_than_a_window(client: TestClient) -> None:
    head = b"##fileformat=VCFv4.3\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n"
    files = {
        "vcf": ("v.vcf", head + b"c1\t1\t.\tA\tC\t.\t.\t.\n"),
        "reference": ("r.fa", b">c1\nACGTACGTNN\n"),
    }
    answer = client.post("/v1/variants", files=files)
    assert answer.status_code == 200, answer.text
    assert answer.json()["alleles"] == 1
