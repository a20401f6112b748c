"""Predictions by a saved model over HTTP are those of ``budwood apply``."""

from __future__ import annotations

import csv
import gzip
import io
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient

from budwood.panel.files import PanelFiles
from budwood.prediction.evaluation.results import PREDICTION_COLUMNS
from budwood.service.settings import ServiceSettings
from budwood.workflows.apply import ApplyOptions, apply

PREDICTIONS = "/v1/models/height/predictions"


@pytest.fixture
def client(serve: Callable[..., TestClient], settings: ServiceSettings, saved_model: Path) -> TestClient:
    return serve(settings, models=saved_model.parent)


def upload(path: Path, name: str | None = None) -> dict[str, Any]:
    return {"genotypes": (name or path.name, path.read_bytes())}


def test_predictions_are_those_of_apply(client: TestClient, panel: Any, saved_model: Path) -> None:
    answer = client.post(PREDICTIONS, files=upload(panel.new_lines))
    assert answer.status_code == 200, answer.text
    found = answer.json()
    options = ApplyOptions(model=saved_model, files=PanelFiles(genotypes=panel.new_lines))
    expected = apply(options)
    rows = {row[0]: dict(zip(found["columns"], row, strict=True)) for row in found["rows"]}
    assert found["columns"] == list(PREDICTION_COLUMNS)
    for i, name in enumerate(expected.prediction.accessions):
        for column in ("prediction", "standard_error", "reliability", "lower_90", "upper_90", "rank"):
            assert rows[name][column] == getattr(expected.prediction, column)[i]
        assert rows[name]["observed"] is None
    assert [row["rank"] for row in rows.values()] == sorted(expected.prediction.rank.tolist())
    assert found["mean_r"] == expected.mean_r


def test_the_table_and_the_report_are_files_of_apply(
    client: TestClient, panel: Any, saved_model: Path, tmp_path: Path
) -> None:
    table = client.post(f"{PREDICTIONS}?format=csv", files=upload(panel.new_lines))
    assert table.headers["content-type"].startswith("text/csv")
    apply(ApplyOptions(model=saved_model, files=PanelFiles(genotypes=panel.new_lines)), tmp_path / "out")
    assert table.content == (tmp_path / "out" / "predictions.csv").read_bytes()
    report = client.post(f"{PREDICTIONS}?format=html", files=upload(panel.new_lines))
    assert "<h1>height</h1>" in report.text


def test_models_are_listed(client: TestClient) -> None:
    (model,) = client.get("/v1/models").json()["models"]
    assert (model["name"], model["trait"], model["model"]) == ("height", "height", "gblup")
    assert model["training_lines"] == 30
    assert client.get("/v1/models/height").json() == model
    missing = client.get("/v1/models/heigth")
    assert missing.status_code == 404
    assert "did you mean 'height'" in missing.json()["error"]["mend"]


@pytest.mark.parametrize("name", ["..", "..%2Fkeys", "%2e%2e", "height%00", "keys.sqlite", "a" * 300])
def test_no_name_leads_out_of_the_folder(client: TestClient, panel: Any, name: str) -> None:
    assert client.get(f"/v1/models/{name}").status_code == 404
    answer = client.post(f"/v1/models/{name}/predictions", files=upload(panel.new_lines))
    assert answer.status_code == 404


def test_foreign_folders_are_no_models(
    serve: Callable[..., TestClient], settings: ServiceSettings, saved_model: Path, panel: Any, tmp_path: Path
) -> None:
    folder = tmp_path / "models"
    shutil.copytree(saved_model, folder / "changed")
    with (folder / "changed" / "model.json").open("a") as handle:
        handle.write(" ")
    (folder / "other").mkdir()
    (folder / "other" / "manifest.json").write_text('{"schema_version": 1, "kind": "trait-model"}')
    (folder / "file").write_text("x")
    (folder / "link").symlink_to(saved_model)
    client = serve(settings, models=folder)
    assert [each["name"] for each in client.get("/v1/models").json()["models"]] == ["changed"]
    answer = client.post("/v1/models/changed/predictions", files=upload(panel.new_lines))
    assert answer.status_code == 422
    assert str(tmp_path) not in answer.text
    for name in ("other", "file", "link"):
        assert client.get(f"/v1/models/{name}").status_code == 404


def test_odd_file_names_stay_inside(client: TestClient, panel: Any) -> None:
    for name in (
        "../../../tmp/x.vcf",
        "/etc/passwd",
        "a\\b\\..\\c.vcf",
        "=cmd|x!A1.vcf",
        "<script>.vcf",
        "...",
        "é",
    ):
        answer = client.post(PREDICTIONS, files=upload(panel.new_lines, name))
        assert answer.status_code == 200, (name, answer.text)


def test_bad_genotypes_are_refused_with_the_name_that_was_sent(client: TestClient) -> None:
    answer = client.post(PREDICTIONS, files={"genotypes": ("mine.vcf", b"no genotypes at all\n")})
    assert answer.status_code == 422
    error = answer.json()["error"]
    assert "genotypes/mine.vcf" in " ".join(error.values())
    assert "/tmp" not in answer.text


def test_a_bomb_is_refused(
    serve: Callable[..., TestClient], settings: ServiceSettings, saved_model: Path
) -> None:
    client = serve(settings, models=saved_model.parent, largest_unpacked=3_000_000)
    packed = io.BytesIO()
    with gzip.GzipFile(fileobj=packed, mode="wb") as handle:
        handle.write(b"0" * 4_000_000)
    for bytes_ in (packed.getvalue(), gzip.compress(b"0" * 2_000_000) * 2):
        answer = client.post(PREDICTIONS, files={"genotypes": ("bomb.vcf.gz", bytes_)})
        assert answer.status_code == 413
        assert answer.json()["error"]["where"] == "bomb.vcf.gz"


def test_names_that_are_formulas_are_neutral_in_the_table(
    client: TestClient, panel: Any, tmp_path: Path
) -> None:
    text = panel.new_lines.read_text().replace("line40", "=cmd|' /C calc'!A0")
    table = client.post(f"{PREDICTIONS}?format=csv", files={"genotypes": ("new.vcf", text.encode())})
    names = [row["accession"] for row in csv.DictReader(io.StringIO(table.text))]
    assert "'=cmd|' /C calc'!A0" in names
    assert np.isfinite([float(row["prediction"]) for row in csv.DictReader(io.StringIO(table.text))]).all()
