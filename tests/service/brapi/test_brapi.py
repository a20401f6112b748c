"""BrAPI: reading always ends, nothing is read twice, a round trip gives the values of predict on files."""

from __future__ import annotations

import contextlib
import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from budwood.artifacts import verify_artifact
from budwood.errors import BudwoodError
from budwood.genomics.io.text.csv_writer import CsvDialect
from budwood.genomics.io.variants.open_genotypes import read_genotypes
from budwood.panel.files import PanelFiles
from budwood.service.brapi.client import BrapiClient
from budwood.service.brapi.panel_from_server import read_study
from budwood.service.brapi.predictions_to_server import variable_name, write_list_back, write_predictions_back
from budwood.workflows.predict import PredictOptions, predict
from service.brapi.brapi_server import BrapiServer

#: What the first request for a page asks.
_FIRST = {"page": 0, "pageSize": 7, "dimensionCallSetPage": 0, "dimensionVariantPage": 0}


def client_of(server: BrapiServer, **more: Any) -> BrapiClient:
    return BrapiClient("https://brapi.test", transport=server.transport(), sleep=lambda _: None, **more)


@pytest.fixture
def server(panel: Any) -> BrapiServer:
    """The panel's genotypes and phenotypes on a server."""
    lines = [line for line in panel.genotypes.read_text().splitlines() if not line.startswith("##")]
    names, sites = lines[0].split("\t")[9:], [line.split("\t") for line in lines[1:]]
    with panel.phenotypes.open() as handle:
        values = {row["accession"]: row["height"] for row in csv.DictReader(handle)}
    ids = {name: f"g{k}" for k, name in enumerate(names)}
    return BrapiServer(
        germplasm=[{"germplasmDbId": ids[name], "germplasmName": name} for name in names],
        samples=[{"sampleDbId": f"sample-{name}", "germplasmDbId": ids[name]} for name in names],
        callsets=[
            {"callSetDbId": f"c{k}", "callSetName": f"plate-{k}", "sampleDbId": f"sample-{name}"}
            for k, name in enumerate(names)
        ],
        variants=[
            {
                "variantDbId": f"v{site[2]}",
                "variantNames": [site[2]],
                "referenceName": site[0],
                "start": int(site[1]) - 1,
                "referenceBases": site[3],
                "alternateBases": [site[4]],
            }
            for site in sites
        ],
        calls=[site[9:] for site in sites],
        observations=[
            {
                "observationDbId": f"o-{name}",
                "germplasmDbId": ids[name],
                "germplasmName": name,
                "observationVariableName": "height",
                "observationVariableDbId": "var1",
                "studyDbId": "s1",
                "value": value,
            }
            for name, value in values.items()
        ],
    )


def test_a_round_trip_gives_the_values_of_predict_on_files(
    server: BrapiServer, panel: Any, tmp_path: Path
) -> None:
    client = client_of(server)
    notes = read_study(client, tmp_path / "study", study="s1")
    assert notes == ["60 variants of 40 call sets of variant set set1.", "30 observations of study s1."]
    assert verify_artifact(tmp_path / "study") == []
    ours, theirs = read_genotypes(panel.genotypes), read_genotypes(tmp_path / "study" / "panel.vcf")
    assert theirs.accessions == ours.accessions
    assert np.array_equal(theirs.dosage, ours.dosage)

    def fitted(
        folder: Path, genotypes: Path, phenotypes: Path, dialect: CsvDialect = CsvDialect.PLAIN
    ) -> None:
        files = PanelFiles(genotypes=genotypes, phenotypes=phenotypes)
        predict(PredictOptions(files=files, trait="height", model="gblup", csv_dialect=dialect), folder)

    def predicted(folder: Path, genotypes: Path, phenotypes: Path) -> dict[str, str]:
        fitted(folder, genotypes, phenotypes)
        with (folder / "predictions.csv").open() as handle:
            return {row["accession"]: row["prediction"] for row in csv.DictReader(handle)}

    from_server = predicted(
        tmp_path / "a", tmp_path / "study" / "panel.vcf", tmp_path / "study" / "phenotypes.csv"
    )
    assert from_server == predicted(tmp_path / "b", panel.genotypes, panel.phenotypes)
    # Written twice: added, then changed, never with a null.
    germplasm = tmp_path / "study" / "germplasm.csv"
    assert write_predictions_back(client, tmp_path / "a", study="s1", germplasm=germplasm) == (40, 0)
    for record in server.observations:
        record.setdefault("season", "kept")
    # A table with decimal commas is written with points.
    fitted(tmp_path / "c", panel.genotypes, panel.phenotypes, CsvDialect.EXCEL_DE)
    assert write_predictions_back(client, tmp_path / "c", study="s1") == (0, 40)
    sent = [body for method, _, body in server.received if method in ("PUT", "POST")]
    assert None not in _values(sent)
    name = variable_name("height")
    there = {
        each["germplasmName"]: each for each in server.observations if each["observationVariableName"] == name
    }
    assert {each: record["value"] for each, record in there.items()} == from_server
    assert {record["season"] for record in there.values()} == {"kept"}
    assert [each["observationVariableName"] for each in server.variables] == [name]
    # The candidates as a list: made once, then replaced.
    with (tmp_path / "a" / "predictions.csv").open() as handle:
        rows = [row for row in csv.DictReader(handle) if not row["observed"]]
    ranked = [row["accession"] for row in sorted(rows, key=lambda row: int(row["rank"]))]
    assert write_list_back(client, tmp_path / "a", name="2026", best=3, germplasm=germplasm) == 3
    assert write_list_back(client, tmp_path / "a", name="2026") == 10
    (written,) = server.lists
    by_id = {each["germplasmDbId"]: each["germplasmName"] for each in server.germplasm}
    assert [by_id[id] for id in written["data"]] == ranked
    assert (written["listName"], written["listType"]) == ("2026", "germplasm")


def _values(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        for each in value.values():
            yield from _values(each)
    elif isinstance(value, list):
        for each in value:
            yield from _values(each)
    else:
        yield value


@pytest.mark.parametrize("habit", ["pages", "tokens", "ignores_pages"])
def test_every_record_is_read_once(server: BrapiServer, habit: str) -> None:
    if habit != "pages":
        setattr(server, habit, True)
    found = [each["germplasmDbId"] for each in client_of(server).records("germplasm")]
    assert found == [f"g{k}" for k in range(40)]


def test_pages_that_do_not_end_are_refused(server: BrapiServer) -> None:
    server.grows = True
    with pytest.raises(BudwoodError, match="over 100 records and does not end"):
        list(client_of(server, most_records=100).records("germplasm"))


def test_a_search_is_waited_for(server: BrapiServer) -> None:
    found = list(client_of(server).search("germplasm", {"germplasmNames": ["x"], "genus": None}))
    assert len(found) == 40
    assert server.received[0][2].keys() == {"germplasmNames", "pageSize", "page"}
    server.polls = 10**6
    with pytest.raises(BudwoodError, match="status 202"):
        list(client_of(server).search("germplasm", {}))


def test_a_busy_server_is_asked_again(server: BrapiServer) -> None:
    server.busy = 2
    assert client_of(server).server_info() == ["GET germplasm", "POST germplasm"]
    server.busy = 99
    with pytest.raises(BudwoodError, match="status 503"):
        client_of(server).server_info()


@pytest.mark.parametrize(
    ("signs", "cell", "written"),
    [
        ({}, "0/1", "0/1"),
        ({}, "1", "1/1"),
        ({}, ".", "."),
        ({}, "./.", "./."),
        ({"sepPhased": "~", "sepUnphased": ",", "unknownString": "-"}, "1~0", "1|0"),
        ({"sepPhased": "~", "sepUnphased": ",", "unknownString": "-"}, "1,0,1,1", "1/0/1/1"),
        ({"sepPhased": "~", "sepUnphased": ",", "unknownString": "-"}, "-", "."),
        ({"unknownString": "N"}, "N/N", "./."),
    ],
)
def test_separators_are_honoured(
    server: BrapiServer, tmp_path: Path, signs: dict[str, str], cell: str, written: str
) -> None:
    server.signs = signs
    sep = signs.get("sepUnphased", "/")
    server.calls = [[call.replace("/", sep) for call in row] for row in server.calls]
    server.calls[3][2] = cell
    read_study(client_of(server), tmp_path / "study")
    rows = [line.split("\t") for line in (tmp_path / "study" / "panel.vcf").read_text().splitlines()[2:]]
    assert rows[3][9 + 2] == written
    assert not (tmp_path / "study" / "phenotypes.csv").exists()


def test_names_that_two_records_share_become_ids(server: BrapiServer, tmp_path: Path) -> None:
    server.germplasm[1]["germplasmName"] = server.germplasm[0]["germplasmName"]
    read_study(client_of(server), tmp_path / "study")
    header = (tmp_path / "study" / "panel.vcf").read_text().splitlines()[1].split("\t")
    assert header[9:12] == ["g0", "g1", "line02"]


def test_what_is_not_brapi_is_refused(server: BrapiServer, tmp_path: Path) -> None:
    with pytest.raises(BudwoodError, match="no artifact"):
        write_predictions_back(client_of(server), tmp_path, study="s1")
    with pytest.raises(BudwoodError, match="no predictions"):
        write_list_back(client_of(server), tmp_path, name="x")
    server.callsets = []
    server.variants = []
    with pytest.raises(BudwoodError, match="has no calls"):
        read_study(client_of(server), tmp_path / "none")
    assert not (tmp_path / "none").exists()


def _inside(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Places in an answer; of a list the first member, which stands for the others."""
    if path:
        yield path
    if isinstance(value, dict):
        members = list(value.items())
    else:
        members = list(enumerate(value))[:1] if isinstance(value, list) else []
    for key, each in members:
        yield from _inside(each, (*path, key))


def _with(value: Any, path: tuple[Any, ...], odd: Any) -> Any:
    if not path:
        return odd
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[path[0]] = _with(value[path[0]], path[1:], odd)
    return copy


@pytest.mark.parametrize("call", ["variantsets", "allelematrix", "germplasm", "callsets", "observations"])
def test_odd_answers_end_in_a_sentence(server: BrapiServer, call: str, tmp_path: Path) -> None:
    for name in ("germplasm", "samples", "callsets", "variants", "calls", "observations"):
        setattr(server, name, getattr(server, name)[:3])
    server.calls = [row[:3] for row in server.calls]
    sound = server.answer(httpx.Request("GET", f"https://brapi.test/brapi/v2/{call}", params=_FIRST)).json()
    tried = 0
    for path in [(), *_inside(sound)]:
        for odd in (None, "9" * 5000, [1], {"a": 1}):
            tried += 1

            def answer(request: httpx.Request, path: Any = path, odd: Any = odd) -> httpx.Response:
                given = server.answer(request)
                if not request.url.path.endswith(call):
                    return given
                with contextlib.suppress(LookupError, TypeError):
                    return httpx.Response(200, json=_with(given.json(), path, odd))
                return given

            client = BrapiClient(
                "https://brapi.test", transport=httpx.MockTransport(answer), sleep=lambda _: None
            )
            out = tmp_path / str(tried)
            with contextlib.suppress(BudwoodError):
                read_study(client, out, study="s1")
            assert not list(tmp_path.glob(".*")), "litter"
    assert tried > 20


@pytest.mark.parametrize(
    "text",
    [
        '{"result": {"calls": "x"}}',
        '{"result": {"calls": [1]}}',
        '{"result": {"calls": [{"methods": 3}]}}',
        '{"metadata": {"pagination": {"totalPages": 1e999}}, "result": {"data": [{}], "calls": {"b": 2}}}',
    ],
)
def test_odd_texts_end_in_a_sentence(text: str, tmp_path: Path) -> None:
    transport = httpx.MockTransport(lambda _: httpx.Response(200, content=text.encode()))
    client = BrapiClient("https://brapi.test", transport=transport, sleep=lambda _: None)
    with pytest.raises(BudwoodError):
        client.server_info()
    with pytest.raises(BudwoodError):
        read_study(client, tmp_path / "study", study="s1")


@pytest.mark.parametrize(
    "address", ["", "nowhere", "ftp://x", "http://[", "http://", "http://a b/", "http://x:99999"]
)
def test_odd_addresses_end_in_a_sentence(address: str, tmp_path: Path) -> None:
    with pytest.raises(BudwoodError):
        read_study(BrapiClient(address, sleep=lambda _: None), tmp_path / "out")
    assert not list(tmp_path.iterdir())
