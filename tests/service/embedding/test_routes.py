"""Embeddings over HTTP are those of the library."""

from __future__ import annotations

import io
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient

from budwood.genomics.interval import Interval
from budwood.genomics.io.sequence.fasta import open_fasta
from budwood.inference.embed import Pool, embed_intervals, embed_sequences
from budwood.service.settings import ServiceSettings

LETTERS = np.array(list("ACGT"))


def sequences(count: int, longest: int, seed: int = 1) -> dict[str, str]:
    generator = np.random.default_rng(seed)
    lengths = generator.integers(1, longest, count)
    return {f"s{i}": "".join(generator.choice(LETTERS, n)) for i, n in enumerate(lengths)}


def body(named: dict[str, str], **more: Any) -> dict[str, Any]:
    return {"sequences": [{"name": name, "sequence": text} for name, text in named.items()], **more}


def vectors(answer: Any) -> np.ndarray:
    assert answer.status_code == 200, answer.text
    return np.array([row["vector"] for row in answer.json()["rows"]], dtype=np.float32)


@pytest.mark.parametrize("pool", ["mean", "centre"])
def test_vectors_are_those_of_the_library(client: TestClient, settings: ServiceSettings, pool: str) -> None:
    named = sequences(7, 1500)
    answer = client.post("/v1/embeddings", json=body(named, pool=pool))
    found = vectors(answer)
    encoder = settings.encoder.open()
    # The library reads the cache that the service has filled: equal to the bit.
    assert np.array_equal(found, embed_sequences(list(named.values()), encoder, pool=Pool(pool)))
    anew = embed_sequences(list(named.values()), encoder, pool=Pool(pool), cache=False)
    assert np.abs(found - anew).max() < 1e-5 * np.abs(anew).max()
    assert [row["name"] for row in answer.json()["rows"]] == list(named)
    assert answer.json()["checkpoint"]["digest"] == encoder.digest


def test_bulk_vectors_are_an_archive(client: TestClient) -> None:
    named = sequences(3, 600)
    plain = vectors(client.post("/v1/embeddings", json=body(named)))
    packed = client.post("/v1/embeddings?format=npz", json=body(named))
    with np.load(io.BytesIO(packed.content), allow_pickle=False) as arrays:
        assert np.array_equal(arrays["vectors"], plain)
        assert arrays["vectors"].dtype == np.float32
        assert arrays["names"].tolist() == list(named)


def test_intervals_of_a_genome(
    serve: Callable[..., TestClient], settings: ServiceSettings, tmp_path: Path
) -> None:
    genomes = tmp_path / "genomes"
    genomes.mkdir()
    (genomes / "rice.v7.fa").write_text(">chr1\n" + sequences(1, 9000, 5)["s0"] + "\n")
    client = serve(settings, genomes=genomes)
    (genome,) = client.get("/v1/genomes").json()["genomes"]
    assert genome["name"] == "rice.v7"
    places = [Interval("chr1", 3, 400), Interval("chr1", 100, 1300, "-")]
    wanted = [{"contig": p.contig, "start": p.start, "end": p.end, "strand": p.strand} for p in places]
    answer = client.post("/v1/embeddings/intervals", json={"genome": "rice.v7", "intervals": wanted})
    expected = embed_intervals(open_fasta(genomes / "rice.v7.fa"), places, settings.encoder.open())
    assert np.array_equal(vectors(answer), expected)
    assert [row["name"] for row in answer.json()["rows"]] == [str(place) for place in places]
    outside = {"genome": "rice.v7", "intervals": [{"contig": "chr1", "start": 0, "end": 10**6}]}
    refused = client.post("/v1/embeddings/intervals", json=outside)
    assert refused.status_code == 422
    assert str(tmp_path) not in refused.text
    for unknown in ("rice", "../rice.v7", ""):
        body_ = {"genome": unknown, "intervals": wanted}
        assert client.post("/v1/embeddings/intervals", json=body_).status_code in (404, 422)


def test_clients_share_batches(serve: Callable[..., TestClient], settings: ServiceSettings) -> None:
    client = serve(settings, batch_wait=0.2)
    client.post("/v1/embeddings", json=body(sequences(1, 50)))
    many = [sequences(1 + k % 3, 900, seed=100 + k) for k in range(24)]
    with ThreadPoolExecutor(24) as pool:
        answers = list(pool.map(lambda named: client.post("/v1/embeddings", json=body(named)), many))
    encoder = settings.encoder.open()
    for named, answer in zip(many, answers, strict=True):
        assert np.array_equal(vectors(answer), embed_sequences(list(named.values()), encoder))
    figures = client.get("/metrics").text
    batches = float(figures.split("\nbudwood_batch_windows_count ")[1].split()[0])
    shared = float(figures.split("\nbudwood_batch_requests_total ")[1].split()[0])
    assert shared >= 25
    assert batches < 25


@pytest.mark.parametrize(
    ("wrong", "status", "where"),
    [
        ({"sequences": []}, 422, "body.sequences"),
        (body({"a": ""}), 422, "body.sequences.0.sequence"),
        (body({"a": "ACG#"}), 422, "body.sequences.0.sequence"),
        (body({"a": "AC.G"}), 422, "body.sequences.0.sequence"),
        (body({"a": "ACGé"}), 422, "body.sequences.0.sequence"),
        (body({"a": "ACG"}, pool="max"), 422, "body.pool"),
        (body({"a": "ACG"}, polo="mean"), 422, "body.polo"),
        ({}, 422, "body.sequences"),
        ([], 422, "body"),
        (body({"a": "A" * (512 * 4096)}), 413, ""),
    ],
)
def test_wrong_sequences_are_refused(client: TestClient, wrong: Any, status: int, where: str) -> None:
    answer = client.post("/v1/embeddings", json=wrong)
    assert answer.status_code == status
    error = answer.json()["error"]
    assert set(error) == {"what", "where", "mend"}
    assert error["where"] == where
    assert error["mend"]


def test_an_encoder_that_fails_answers_everybody(
    serve: Callable[..., TestClient], settings: ServiceSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = serve(settings)

    def fail(*_: Any, **__: Any) -> None:
        raise MemoryError("no memory for /secret/path")

    monkeypatch.setattr("budwood.service.embedding.shared_batches.embed_windows", fail)
    with ThreadPoolExecutor(4) as pool:
        named = [sequences(1, 50, seed=k) for k in range(4)]
        answers = list(pool.map(lambda each: client.post("/v1/embeddings", json=body(each)), named))
    assert [answer.status_code for answer in answers] == [500] * 4
    assert all("secret" not in answer.text for answer in answers)
    monkeypatch.undo()
    assert client.post("/v1/embeddings", json=body(named[0])).status_code == 200
