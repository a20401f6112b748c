"""Contributions along the genome on the page are those of ``budwood attribute``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from fastapi.testclient import TestClient

from budwood.service.brapi.predictions_to_server import ranked_candidates
from budwood.service.jobs.job_folder import JobFolder
from budwood.service.pages.contributions import read_contributions


def test_a_prediction_is_split_along_the_genome(
    client: TestClient, panel: Any, submit: Callable[..., str], finish: Callable[[str], Any]
) -> None:
    options = {"verb": "predict", "trait": "height", "model": "gblup"}
    predicting = submit(options, genotypes=panel.genotypes, phenotypes=panel.phenotypes)
    assert client.post(f"/jobs/{predicting}/attribute").status_code == 422
    finish(predicting)
    assert client.get(f"/jobs/{predicting}/genome").status_code == 404
    page = client.post(f"/jobs/{predicting}/attribute")
    assert page.status_code == 200, page.text
    id = str(page.url).rsplit("/", 1)[-1]
    folder = finish(id)
    assert "Along the genome" in client.get(f"/jobs/{id}").text
    # Its table has other columns than a ranking.
    assert "Ranking and shortlist" not in client.get(f"/jobs/{id}").text
    assert client.get(f"/jobs/{id}/ranking").status_code == 404
    studies = client.get("/brapi/v2/studies").json()["result"]["data"]
    assert [each["studyDbId"] for each in studies] == [predicting]
    (listed,) = client.get("/brapi/v2/lists").json()["result"]["data"]
    assert (listed["listDbId"], listed["listSize"]) == (predicting, 10)
    ids = client.get(f"/brapi/v2/lists/{predicting}").json()["result"]["data"]
    germplasm = client.get("/brapi/v2/germplasm").json()["result"]["data"]
    names = {each["germplasmDbId"]: each["germplasmName"] for each in germplasm}
    assert [names[each] for each in ids] == ranked_candidates(
        JobFolder(folder.path.parent / predicting).result
    )
    assert client.get(f"/brapi/v2/lists/{id}").status_code == 404
    every = read_contributions(folder)
    assert every.windows[0].value == max(each.value for each in every.windows)
    for name in ("line01", "line35"):
        found = read_contributions(folder, name)
        contributions = np.load(folder.result / "contributions.npy")
        row = [line.split(",")[0] for line in (folder.result / "predictions.csv").read_text().splitlines()]
        ours = contributions[row.index(name) - 1]
        assert found.windows[0].value == ours[np.argmax(np.abs(ours))]
        assert found.mean is not None
        assert found.prediction is not None
        page = client.get(f"/jobs/{id}/genome", params={"line": name})
        assert f"<strong>{name}</strong>" in page.text
        assert page.text.count("<circle") == len(found.plot.points)
    missing = client.get(f"/jobs/{id}/genome", params={"line": "<b>x"})
    assert missing.status_code == 404
    assert "<b>x" not in missing.text
