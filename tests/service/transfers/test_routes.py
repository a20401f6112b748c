"""Transfers over HTTP: a job of ``transfer evaluate``, and the map of ``transfer map``."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient

from budwood.workflows.transfer.map import MapOptions, map_transfers

NAME = "<i>South"


@pytest.fixture(scope="module")
def target(panel: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Trait values of all 40 lines of the panel."""
    path = tmp_path_factory.mktemp("target") / "traits.csv"
    values = 100 + np.random.default_rng(2).normal(size=40)
    rows = [f"line{i:02d},{value:.3f}\n" for i, value in enumerate(values)]
    path.write_text("accession,height\n" + "".join(rows))
    return path


def test_a_transfer_is_measured_and_stands_in_the_map(
    client: TestClient, panel: Any, target: Path, submit: Callable[..., str], finish: Callable[[str], Any]
) -> None:
    empty = client.get("/v1/transfers/map").json()
    assert empty == {
        "cells": [],
        "predictor": None,
        "notes": [],
        "sentences": ["no transfer was measured yet"],
    }
    assert client.get("/v1/transfers").json() == {"transfers": []}
    assert "No transfer was measured yet" in client.get("/transfers").text
    options = {"verb": "transfer-evaluate", "trait": "height", "sizes": [0, 10], "draws": 2}
    options |= {"source_name": "North", "target_name": NAME, "next_lines": 2}
    id = submit(
        options,
        source_genotypes=panel.genotypes,
        source_phenotypes=panel.phenotypes,
        target_genotypes=panel.genotypes,
        target_phenotypes=target,
    )
    folder = finish(id)
    written = json.loads((folder.result / "transfer.json").read_text())
    assert written["target"]["name"] == NAME
    # The same lines stand on both sides here, which is said first.
    assert "30 of the 40 target lines with a value are phenotyped lines of the source" in written["notes"][0]
    (row,) = client.get("/v1/transfers").json()["transfers"]
    assert (row["job"], row["source"], row["target"]) == (id, "North", NAME)
    found = client.get("/v1/transfers/map", params={"species": ["Zea mays"]}).json()
    expected = map_transfers(MapOptions(folders=(folder.result,), species=("Zea mays",)))
    assert found["cells"] == expected.record()["cells"]
    assert found["sentences"] == expected.sentences()
    assert sum(cell["outcome"] == "untested" for cell in found["cells"]) == len(found["cells"]) - 1
    for page in (client.get("/transfers"), client.get("/v1/transfers/map?format=html")):
        assert page.status_code == 200
        assert "&lt;i&gt;South" in page.text
        assert NAME not in page.text
    assert "sandbox" in client.get("/v1/transfers/map?format=html").headers["content-security-policy"]


def test_the_form_starts_a_job(client: TestClient, panel: Any, target: Path) -> None:
    sent = {
        "target_genotypes": ("panel.vcf", panel.genotypes.read_bytes()),
        "target_phenotypes": ("traits.csv", target.read_bytes()),
        "orthologs": ("", b""),
    }
    form = {"trait": "height", "sizes": "0, 25", "draws": "5", "source_name": "", "target_name": "South"}
    started = client.post("/start/transfer-evaluate", files=sent, data=form)
    assert started.status_code == 200, started.text
    (job,) = client.get("/v1/jobs").json()["jobs"]
    assert job["options"] == {
        **{"verb": "transfer-evaluate", "trait": "height", "target_name": "South"},
        **{"sizes": [0, 25], "draws": 5},
    } or job["options"] == {"trait": "height", "target_name": "South", "sizes": [0, 25], "draws": 5}
    assert set(job["files"]) == {"target_genotypes", "target_phenotypes"}
    assert client.post("/start/pretrain").status_code == 404
    assert client.post("/start/adapt", data={"name": "x"}).status_code == 422
