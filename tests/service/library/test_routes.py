"""The model library over HTTP: cards are those of ``budwood library``, and jobs use its adapters."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient

from budwood.inference.embed import embed_sequences
from budwood.library.model_library import ModelLibrary
from budwood.service.settings import ServiceSettings
from budwood.workflows.setup.encoder import EncoderOptions

QUICK = {"steps": 2, "batch": 2, "held_out_windows": 8, "rank": 2, "precision": "float32"}


@pytest.fixture
def settings(settings: ServiceSettings, saved_model: Path) -> ServiceSettings:
    from dataclasses import replace

    return replace(settings, models=saved_model.parent)


def test_a_saved_model_gets_a_card(client: TestClient, settings: ServiceSettings) -> None:
    assert client.get("/v1/library").json() == {"entries": [], "damaged": []}
    wanted = {"name": "rice-height", "saved_model": "height", "species": "Oryza sativa", "note": "<b>first"}
    wanted |= {"provenance": "field", "terms": {"height": "TO:0000207"}}
    answer = client.post("/v1/library", json=wanted)
    assert answer.status_code == 201, answer.text
    card = ModelLibrary(settings.library_folder).card("rice-height")
    assert answer.json() == card.record()
    assert client.get("/v1/library/rice-height").json() == card.record()
    assert ModelLibrary(settings.library_folder).problems("rice-height") == []
    for asked, count in (
        ({}, 1),
        ({"text": "oryza first"}, 1),
        ({"kind": "adapter"}, 0),
        ({"species": "zea"}, 0),
        ({"trait": "TO:0000207"}, 1),
    ):
        assert len(client.get("/v1/library", params=asked).json()["entries"]) == count, asked
    assert client.post("/v1/library", json=wanted).status_code == 409
    page = client.get("/library", params={"text": "oryza"}).text
    assert "rice-height" in page
    page = client.get("/library/rice-height").text
    assert "&lt;b&gt;first" in page
    assert "TO:0000207" in page


def test_an_entry_is_removed(client: TestClient, settings: ServiceSettings) -> None:
    for name in ("one", "two"):
        assert client.post("/v1/library", json={"name": name, "saved_model": "height"}).status_code == 201
    assert client.delete("/v1/library/one").status_code == 204
    assert client.delete("/v1/library/one").status_code == 404
    assert "Remove two" in client.get("/library/two").text
    assert client.post("/library/two/remove", follow_redirects=False).headers["location"] == "/library"
    assert ModelLibrary(settings.library_folder).names() == ()
    assert client.get("/v1/models").json()["models"] != []


@pytest.mark.parametrize(
    ("wanted", "status"),
    [
        ({"name": "x"}, 422),
        ({"name": "x", "saved_model": "height", "job": "y"}, 422),
        ({"name": "x", "saved_model": "none"}, 404),
        ({"name": "x", "job": "../../etc"}, 404),
        ({"name": "../x", "saved_model": "height"}, 422),
        ({"name": "con", "saved_model": "height"}, 422),
        ({"name": "x", "saved_model": "height", "provenance": "heard"}, 422),
        ({"name": "x", "saved_model": "height", "terms": {"height": "tall"}}, 422),
        ({"name": "x", "saved_model": "height", "species": 3}, 422),
    ],
)
def test_what_cannot_be_added_is_refused(
    client: TestClient, settings: ServiceSettings, wanted: dict[str, Any], status: int
) -> None:
    answer = client.post("/v1/library", json=wanted)
    assert answer.status_code == status, answer.text
    assert set(answer.json()["error"]) == {"what", "where", "mend"}
    assert str(settings.folder) not in answer.text
    assert ModelLibrary(settings.library_folder).names() == ()


def test_unknown_entries_and_kinds(client: TestClient) -> None:
    for name in ("none", "..", "%2e%2e%2fkeys", "a" * 300):
        assert client.get(f"/v1/library/{name}").status_code == 404
    assert client.get("/v1/library", params={"kind": "model"}).status_code == 422


def test_the_model_of_a_job_needs_a_key_for_jobs(
    serve: Callable[..., TestClient], settings: ServiceSettings
) -> None:
    client = serve(settings, host="192.0.2.7")
    key = {"Authorization": f"Bearer {client.app.keys.add('a', ['predict'])}"}  # type: ignore[attr-defined]
    assert client.get("/v1/library", headers=key).status_code == 200
    wanted = {"name": "x", "saved_model": "height"}
    assert client.post("/v1/library", json=wanted, headers=key).status_code == 403


def test_an_adapter_is_trained_kept_and_used(
    client: TestClient,
    settings: ServiceSettings,
    genome: Any,
    submit: Callable[..., str],
    finish: Callable[[str], Any],
    tmp_path: Path,
) -> None:
    id = submit({"verb": "adapt", "name": "small", **QUICK}, reference=genome.path)
    assert client.post("/v1/library", json={"name": "small", "job": id}).status_code == 409
    finish(id)
    page = client.get(f"/jobs/{id}").text
    assert "Keep the model in the library" in page
    form = {"name": "small", "job": id, "species": "Oryza sativa", "provenance": "sequence"}
    kept = client.post("/library", data=form)
    assert kept.status_code == 200, kept.text
    assert "<h1>small</h1>" in kept.text
    library = ModelLibrary(settings.library_folder)
    assert library.card("small").kind == "adapter"
    # A job of the service reads sequence with the adapter and the service's own encoder.
    letters = "".join(np.random.default_rng(1).choice(list("ACGT"), 500))
    (tmp_path / "one.fa").write_text(f">one\n{letters}\n")
    embedding = finish(submit({"verb": "embed", "adapter": "small"}, fasta=tmp_path / "one.fa"))
    vectors = np.load(embedding.result / "vectors.npy")
    encoder = EncoderOptions(
        checkpoint=settings.encoder.checkpoint, adapter=(library.path("small"),), device="cpu"
    ).open()
    expected = embed_sequences([letters], encoder, cache=False)
    assert np.abs(vectors - expected).max() < 1e-5 * np.abs(expected).max()
    plain = embed_sequences([letters], settings.encoder.open(), cache=False)
    assert np.abs(vectors - plain).max() > 1e-4 * np.abs(plain).max()
    for name, status in (("none", 404), ("height", 404)):
        sent = {"fasta": ("one.fa", b">a\nACGT\n")}
        options = f'{{"verb": "embed", "adapter": "{name}"}}'
        answer = client.post("/v1/jobs", data={"options": options}, files=sent)
        assert answer.status_code == status, answer.text
