"""Transfers over HTTP: a job of ``transfer evaluate``, and the map of ``transfer map``."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient

from budwood.service.settings import ServiceSettings
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


def test_several_sources_are_joined(
    client: TestClient,
    settings: ServiceSettings,
    saved_model: Path,
    panel: Any,
    target: Path,
    submit: Callable[..., str],
    finish: Callable[[str], Any],
) -> None:
    shutil.copytree(saved_model, settings.model_folder / "height")
    options = {"verb": "transfer-evaluate", "trait": "height", "sizes": [0, 10], "draws": 2, "next_lines": 0}
    options |= {
        "saved_model": ["height"],
        "source_name": ["one", "two"],
        "source_provenance": ["field", "unknown"],
    }
    sent = {"source_genotypes_2": panel.genotypes, "source_phenotypes_2": panel.phenotypes}
    sent |= {"target_genotypes": panel.genotypes, "target_phenotypes": target}
    folder = finish(submit(options, **sent))
    written = json.loads((folder.result / "transfer.json").read_text())
    assert [each["name"] for each in written["sources"]] == ["one", "two"]
    assert [each["provenance"] for each in written["sources"]] == ["field", None]
    assert client.get("/v1/transfers").json()["transfers"][0]["source"] == "one + two"
    page = client.get("/transfers").text
    assert "2 sources<small>one</small><small>two</small>" in page


@pytest.mark.parametrize(
    ("saved", "roles", "expected"),
    [
        (["height"], ("source_genotypes",), "the first is source_genotypes_2 here"),
        (None, ("source_genotypes", "source_genotypes_3"), "not numbered one after another"),
        (None, ("source_genotypes", "orthologs", "orthologs_2"), "source 2 does not exist"),
        (["height", "height"], ("source_map", "source_map_2"), "holds its own files"),
        (None, ("source_genotypes", "source_genotypes_1"), "takes no file 'source_genotypes_1'"),
        (None, ("source_genotype",), "takes no file 'source_genotype'"),
    ],
)
def test_files_of_no_source_are_refused(
    client: TestClient,
    settings: ServiceSettings,
    saved_model: Path,
    saved: list[str] | None,
    roles: tuple[str, ...],
    expected: str,
) -> None:
    shutil.copytree(saved_model, settings.model_folder / "height")
    options = {"verb": "transfer-evaluate", "trait": "height", "saved_model": saved}
    sent = dict.fromkeys(("target_genotypes", "target_phenotypes", *roles), ("a.vcf", b"x"))
    answer = client.post("/v1/jobs", data={"options": json.dumps(options)}, files=sent)
    assert answer.status_code == 422
    error = answer.json()["error"]
    assert expected in f"{error['what']}: {error['mend']}"
    assert client.get("/v1/jobs").json() == {"jobs": []}
