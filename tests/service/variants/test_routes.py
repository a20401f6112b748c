"""Scores over HTTP are those of ``budwood score-variants``, at once and as a job."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient

from budwood.service.plain_values import plain
from budwood.service.settings import ServiceSettings
from budwood.workflows.variants import scoring_job
from budwood.workflows.variants.score_options import ScoreOptions
from budwood.workflows.variants.score_variants import score_file


@pytest.fixture(autouse=True)
def _few_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Draw fewer windows from the genome."""
    real = scoring_job.draw_sample
    monkeypatch.setattr(scoring_job, "draw_sample", lambda *a, **k: real(*a, **{**k, "long": 2, "short": 3}))


def files(genome: Any) -> dict[str, tuple[str, bytes]]:
    return {
        "vcf": ("calls.vcf", genome.vcf.read_bytes()),
        "reference": ("small.fa", genome.path.read_bytes()),
    }


def records(packed: bytes) -> list[str]:
    return [line for line in gzip.decompress(packed).decode().splitlines() if not line.startswith("#")]


def test_few_variants_are_scored_at_once(
    serve: Callable[..., TestClient], settings: ServiceSettings, genome: Any, tmp_path: Path
) -> None:
    client = serve(settings, genomes=genome.path.parent)
    options = ScoreOptions(vcf=genome.vcf, reference=genome.path, encoder=settings.encoder)
    expected = score_file(options)
    answer = client.post("/v1/variants", files=files(genome))
    assert answer.status_code == 200, answer.text
    found = answer.json()
    assert expected.columns is not None
    assert found["columns"] == list(expected.columns)
    for name, column in zip(found["columns"], zip(*found["rows"], strict=True), strict=True):
        values = plain(list(expected.columns[name]))
        if isinstance(values[0], float):
            assert np.allclose(column, values, rtol=1e-4, atol=1e-6), name
        else:
            assert list(column) == values, name
    assert found["checkpoint"]["digest"] == expected.digest
    assert found["alleles"] == 5
    # A genome of the service, and the file of the command.
    score_file(options, tmp_path / "scored.vcf.gz")
    named = client.post(
        "/v1/variants?format=vcf", files={"vcf": files(genome)["vcf"]}, data={"genome": "small"}
    )
    assert named.status_code == 200, named.text
    assert records(named.content) == records((tmp_path / "scored.vcf.gz").read_bytes())
    few = client.post("/v1/variants", files=files(genome), data={"scores": ["kmer"]})
    assert few.json()["scores"] != found["scores"]


def test_many_variants_become_a_job(
    serve: Callable[..., TestClient],
    settings: ServiceSettings,
    genome: Any,
    finish: Callable[[str], Any],
    tmp_path: Path,
) -> None:
    client = serve(settings, most_variants=4)
    answer = client.post("/v1/variants", files=files(genome), data={"scores": ["consequence", "kmer"]})
    assert answer.status_code == 202, answer.text
    job = answer.json()
    assert answer.headers["location"] == f"/v1/jobs/{job['id']}"
    assert job["verb"] == "score-variants"
    folder = finish(job["id"])
    assert folder.has_result()
    assert client.get(f"/v1/jobs/{job['id']}").json()["result"] == ["scored.vcf.gz"]
    file = client.get(f"/v1/jobs/{job['id']}/files/scored.vcf.gz")
    options = ScoreOptions(
        vcf=genome.vcf, reference=genome.path, scores=("consequence", "kmer"), encoder=settings.encoder
    )
    score_file(options, tmp_path / "scored.vcf.gz")
    assert records(file.content) == records((tmp_path / "scored.vcf.gz").read_bytes())
    assert "Download the scored VCF" in client.get(f"/jobs/{job['id']}").text


def test_what_cannot_be_scored_is_refused(
    serve: Callable[..., TestClient], settings: ServiceSettings, genome: Any
) -> None:
    client = serve(settings, genomes=genome.path.parent, most_variants=3)
    sent = files(genome)
    odd = {**sent, "vcf": ("../calls.vcf", b"no variants\n")}
    with_genes = {**sent, "annotation": ("genes.gff3", b"##gff-version 3\n")}
    for answer, status in (
        (client.post("/v1/variants", files={"vcf": sent["vcf"]}), 422),
        (client.post("/v1/variants", files=sent, data={"genome": "small"}), 422),
        (client.post("/v1/variants", files={"vcf": sent["vcf"]}, data={"genome": "none"}), 404),
        (client.post("/v1/variants", files=sent, data={"scores": ["best"]}), 422),
        (client.post("/v1/variants", files=odd), 422),
        (client.post("/v1/variants", files=with_genes), 422),
    ):
        assert answer.status_code == status, answer.text
        error = answer.json()["error"]
        assert error["mend"]
        assert "/tmp" not in answer.text


def test_a_key_without_jobs_scores_few_variants_alone(
    serve: Callable[..., TestClient], settings: ServiceSettings, genome: Any
) -> None:
    client = serve(settings, host="192.0.2.7", most_variants=4)
    key = {"Authorization": f"Bearer {client.app.keys.add('a', ['embed'])}"}  # type: ignore[attr-defined]
    assert client.post("/v1/variants", files=files(genome), headers=key).status_code == 413
    other = {"Authorization": f"Bearer {client.app.keys.add('b', ['jobs'])}"}  # type: ignore[attr-defined]
    assert client.post("/v1/variants", files=files(genome), headers=other).status_code == 403
