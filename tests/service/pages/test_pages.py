"""The pages without a browser: forms, sessions, shortlists, and names that are no markup."""

from __future__ import annotations

import csv
import io
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from budwood.genomics.io.tables.table import read_table
from budwood.service.access.keys import KeyRing
from budwood.service.pages.ranking import Filters, filtered, shortlist_rows
from budwood.service.settings import ServiceSettings

ODD = '"><script>alert(1)</script>'


@pytest.fixture
def closed(serve: Callable[..., TestClient], settings: ServiceSettings) -> TestClient:
    return serve(settings, host="192.0.2.7")


@pytest.fixture
def ring(settings: ServiceSettings) -> KeyRing:
    return KeyRing(settings.folder / "keys.sqlite")


def test_without_a_key_every_page_leads_to_the_form(closed: TestClient) -> None:
    for path in ("/", "/jobs", "/models", "/keys", "/nothing"):
        answer = closed.get(path, follow_redirects=False)
        assert (answer.status_code, answer.headers["location"]) == (303, "/login")
    assert closed.post("/drafts").status_code == 401
    assert "Sign in" in closed.get("/login").text


def test_a_session_opens_what_the_key_opens(closed: TestClient, ring: KeyRing) -> None:
    assert closed.post("/login", data={"key": "bw_wrong"}).status_code == 401
    answer = closed.post("/login", data={"key": ring.add("breeder", ["jobs"])}, follow_redirects=False)
    assert answer.status_code == 303
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    page = closed.get("/")
    assert "Choose your files" in page.text
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert closed.get("/keys").status_code == 403
    assert "lacks the scope admin" in closed.get("/keys").text
    closed.post("/logout")
    assert closed.get("/", follow_redirects=False).status_code == 303
    # Somebody whose session ends while a form is filled in is not told of headers.
    late = closed.post("/start/adapt", data={"name": "x"})
    assert late.status_code == 401
    assert "sign in and try again" in late.text


def test_models_are_removed_by_administrators_only(closed: TestClient, ring: KeyRing) -> None:
    closed.post("/login", data={"key": ring.add("breeder", ["predict", "jobs"])})
    assert closed.post("/library/height/remove").status_code == 403
    assert closed.delete("/v1/library/height").status_code == 403
    closed.post("/login", data={"key": ring.add("boss", ["predict", "admin"])})
    assert closed.post("/library/height/remove").status_code == 404


def test_access_is_asked_for_and_approved(closed: TestClient, ring: KeyRing) -> None:
    asked = {"name": "Potato programme", "contact": "p@example.org", "purpose": ODD}
    assert "Thank you" in closed.post("/request-access", data=asked).text
    assert closed.post("/request-access", data=asked | {"name": ODD}).status_code == 422
    closed.post("/login", data={"key": ring.add("boss", ["admin"])})
    page = closed.get("/keys").text
    assert "Potato programme" in page
    assert ODD not in page
    approved = closed.post("/keys/requests/1", data={"answer": "approve"}).text
    (secret,) = re.findall(r"bw_[\w-]{43}", approved)
    found = ring.find(secret)
    assert found is not None
    assert found.name == "Potato programme"
    assert "bw_" not in closed.get("/keys").text
    assert closed.post("/keys/requests/1", data={"answer": "approve"}).status_code == 422
    made = closed.post("/keys", data={"name": "second", "scopes": ["jobs", "embed"]}).text
    assert len(re.findall(r"bw_[\w-]{43}", made)) == 1
    closed.post("/keys/revoke", data={"name": "Potato programme"})
    assert ring.find(secret) is None


def test_a_page_explains_what_went_wrong(client: TestClient) -> None:
    answer = client.get("/jobs/<b>x")
    assert answer.status_code == 404
    assert "<b>x" not in answer.text
    assert "there is no such job" in answer.text
    assert client.get("/nothing").headers["content-type"].startswith("text/html")


def test_files_become_a_job(client: TestClient, panel: Any) -> None:
    odd = panel.phenotypes.read_text().replace("height", ODD.replace('"', ""))
    files = {
        "genotypes": (f"{ODD}.vcf", panel.genotypes.read_bytes()),
        "phenotypes": ("traits.csv", odd.encode()),
        "reference": ("", b""),
    }
    report = client.post("/drafts", files=files)
    assert report.status_code == 200
    assert "Identity report" in report.text
    assert "<script>alert" not in report.text
    assert "30 values" in report.text
    started = client.post(
        str(report.url) + "/start", data={"verb": "predict", "trait": ODD.replace('"', ""), "model": "gblup"}
    )
    assert started.status_code == 200, started.text
    assert "queued" in started.text
    assert "<script>alert" not in started.text
    jobs = client.get("/jobs").text
    assert "queued" in jobs
    assert "<script>alert" not in jobs
    # A form that is sent twice starts one job, and the report of its files leads to it.
    again = client.post(str(report.url) + "/start", data={"verb": "select", "count": "2"})
    assert str(again.url) == str(client.get(str(report.url)).url) == str(started.url)
    assert len(client.get("/v1/jobs").json()["jobs"]) == 1
    cancelled = client.post(str(started.url) + "/cancel").text
    assert "cancelled" in cancelled


TABLE = """accession,trait,observed,prediction,standard_error,reliability,lower_90,upper_90,rank,\
nearest_training_accession,relatedness,extrapolation,candidate_rank
b,height,,3.5,1,0.8,1,6,1,x,0.5,false,1
x,height,3,3,1,0.9,1,5,2,x,1,false,
'=a,height,,2,1,0.4,-1,4,3,x,0.1,true,2
c,height,,-1,1,0.7,-4,2,4,x,0.3,false,3
"""


@pytest.mark.parametrize(
    ("filters", "names"),
    [
        ({}, ["b", "=a", "c"]),
        ({"show": "all"}, ["b", "x", "=a", "c"]),
        ({"reliability": "0,7"}, ["b", "c"]),
        ({"hide_extrapolation": True}, ["b", "c"]),
        ({"best": "2"}, ["b", "=a"]),
        ({"search": " A "}, ["=a"]),
        ({"reliability": "much", "best": "x"}, ["b", "=a", "c"]),
        ({"reliability": "nan", "best": "inf"}, ["b", "=a", "c"]),
        ({"reliability": "-inf", "best": "1e999"}, ["b", "=a", "c"]),
    ],
)
def test_filters_keep_the_order_of_rank(tmp_path: Path, filters: dict[str, Any], names: list[str]) -> None:
    path = tmp_path / "predictions.csv"
    path.write_text(TABLE)
    table = read_table(path)
    ranking = filtered([dict(zip(table.header, row, strict=True)) for row in table.rows], Filters(**filters))
    assert [line.cells["accession"] for line in ranking.lines] == names
    assert (ranking.candidates, ranking.phenotyped) == (3, 1)
    assert [row[0] for row in shortlist_rows(ranking, [])] == names
    assert [row[0] for row in shortlist_rows(ranking, ["c", "nobody"])] == [n for n in names if n == "c"]


@pytest.mark.slow
def test_a_ranking_and_its_shortlist(
    serve: Callable[..., TestClient], settings: ServiceSettings, panel: Any
) -> None:
    client = serve(settings, parallel_jobs=1)
    files = {
        "genotypes": ("panel.vcf", panel.genotypes.read_bytes()),
        "phenotypes": ("traits.csv", panel.phenotypes.read_bytes()),
    }
    report = client.post("/drafts", files=files)
    started = client.post(
        str(report.url) + "/start", data={"verb": "predict", "trait": "height", "model": "gblup"}
    )
    place, until = str(started.url), time.monotonic() + 120
    while "Open the report" not in (page := client.get(place).text):
        assert time.monotonic() < until, page
        time.sleep(0.3)
    ranking = client.get(f"{place}/ranking").text
    assert ranking.count('name="accession"') == 10
    assert client.get(f"{place}/ranking?page=0").status_code == 422
    assert client.get(f"{place}/ranking?reliability=0.99").text.count('name="accession"') == 0
    table = client.get(f"{place}/shortlist.csv?accession=line31&accession=line35")
    assert [row["accession"] for row in csv.DictReader(io.StringIO(table.text))] != []
    assert {row["accession"] for row in csv.DictReader(io.StringIO(table.text))} == {"line31", "line35"}
