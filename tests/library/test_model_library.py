"""The model library: what goes in comes out, and what is foreign, damaged or unsafe stays outside."""

from __future__ import annotations

import io
import json
import shutil
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from budwood.artifacts import write_artifact
from budwood.cli.app import main
from budwood.errors import BudwoodError
from budwood.library.archive import export_entry, import_entry
from budwood.library.card import check_name, read_card
from budwood.library.model_library import ModelLibrary
from budwood.model.adapters.adapted import AdaptedEncoder
from budwood.model.adapters.adapter_folder import write_adapter
from budwood.model.adapters.low_rank import LowRank
from budwood.model.checkpoint import random_checkpoint, save_checkpoint
from budwood.model.encoder_config import BudwoodConfig
from budwood.panel.example import example_panel
from budwood.prediction.trait_model import TraitModel

SHAPE = BudwoodConfig(stem_channels=8, hidden_size=16, layers=1, heads=2)


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder with a checkpoint, an adapter and a trait model."""
    folder = tmp_path_factory.mktemp("models")
    base = random_checkpoint(SHAPE, seed=1)
    with write_artifact(folder / "checkpoint", kind="checkpoint") as draft:
        save_checkpoint(base.encoder, draft.folder)
    adapted = AdaptedEncoder(base)
    adapted.new("lyrata", LowRank(rank=2), seed=0)
    with write_artifact(folder / "adapter", kind="adapter") as draft:
        write_adapter(draft, adapted, "lyrata", LowRank(rank=2), base)
        draft.path("adaptation.json").write_text(
            json.dumps({"masked_bases": [{"name": "x.fa", "difference": -0.1, "standard_error": 0.01}]})
        )
    TraitModel("gblup").fit(example_panel(), "height").save(folder / "trait-model")
    return folder


@pytest.fixture
def library(tmp_path: Path) -> ModelLibrary:
    return ModelLibrary(tmp_path / "library")


def copied(models: Path, kind: str, tmp_path: Path) -> Path:
    shutil.copytree(models / kind, tmp_path / kind)
    return tmp_path / kind


def test_an_entry_is_removed_and_its_source_stays(models: Path, library: ModelLibrary) -> None:
    library.add(models / "adapter", "lyrata")
    library.add(models / "trait-model", "height")
    library.remove("lyrata")
    assert library.names() == ("height",)
    assert sorted(path.name for path in library.folder.iterdir()) == ["height"]
    assert (models / "adapter").is_dir()
    with pytest.raises(BudwoodError, match="no entry 'lyrata'"):
        library.remove("lyrata")


def test_an_entry_that_holds_files_of_the_user_is_not_removed(models: Path, library: ModelLibrary) -> None:
    library.add(models / "adapter", "lyrata")
    (library.folder / "lyrata" / "notes.txt").write_text("mine")
    with pytest.raises(BudwoodError, match=r"what budwood did not write: notes\.txt"):
        library.remove("lyrata")
    assert library.names() == ("lyrata",)


def test_a_folder_that_is_no_entry_is_not_removed(models: Path, library: ModelLibrary) -> None:
    library.folder.mkdir()
    shutil.copytree(models / "adapter", library.folder / "mine")
    with pytest.raises(BudwoodError, match="no entry of a library"):
        library.remove("mine")
    assert (library.folder / "mine").is_dir()


def test_every_kind_is_added_found_and_opened_again(models: Path, library: ModelLibrary) -> None:
    library.add(models / "checkpoint", "small")
    library.add(models / "adapter", "lyrata", species="Arabidopsis lyrata", provenance="sequence")
    card = library.add(
        models / "trait-model",
        "height",
        species="Oryza sativa",
        terms={"height": "CO_320:0000074"},
        environments=("Los Banos 2012 dry",),
        provenance="field",
    )
    assert card.traits == ("height",)
    assert library.names() == ("height", "lyrata", "small")
    assert [library.problems(name) for name in library.names()] == [[], [], []]
    assert library.card("lyrata").accuracy[0].text.endswith("-0.100 (-0.120 to -0.080)")
    stated = json.loads((models / "adapter" / "manifest.json").read_text())["parameters"]["adapter"]
    assert library.card("lyrata").encoder == stated["checkpoint"]
    assert TraitModel.load(library.path("height")).trait == "height"
    found = {
        ("oryza",): library.search("ORYZA dry"),
        ("kind",): library.search(kind="adapter"),
        ("term",): library.search(trait="CO_320:0000074"),
    }
    assert {key[0]: [card.name for card in cards] for key, cards in found.items()} == {
        "oryza": ["height"],
        "kind": ["lyrata"],
        "term": ["height"],
    }


@pytest.mark.parametrize("kind", ["checkpoint", "adapter", "trait-model"])
def test_an_archive_brings_the_entry_to_another_library(
    models: Path, library: ModelLibrary, tmp_path: Path, kind: str
) -> None:
    card = library.add(models / kind, "entry", species="x")
    archive = tmp_path / "entry.tar.gz"
    export_entry(library, "entry", archive)
    other = ModelLibrary(tmp_path / "other")
    assert import_entry(other, archive) == card
    assert import_entry(other, archive, name="again").name == "again"
    assert other.problems("entry") == other.problems("again") == []
    files = {path.name: path.read_bytes() for path in (models / kind).iterdir()}
    assert {path.name: path.read_bytes() for path in other.path("entry").iterdir()} == files
    with pytest.raises(BudwoodError, match="has an entry"):
        import_entry(other, archive)
    with pytest.raises(BudwoodError, match="such a file"):
        export_entry(library, "entry", archive)
    assert not list((tmp_path / "other").glob(".*"))


def _changed(folder: Path) -> None:
    file = next(folder.glob("*.safetensors"))
    file.write_bytes(file.read_bytes()[:-1] + b"\x01")


def _foreign_file(folder: Path) -> None:
    (folder / "notes.txt").write_text("x")


def _missing(folder: Path) -> None:
    next(folder.glob("*.safetensors")).unlink()


def _no_manifest(folder: Path) -> None:
    (folder / "manifest.json").unlink()


def _linked(folder: Path) -> None:
    (folder / "model.pickle").symlink_to("/etc/hostname")


@pytest.mark.parametrize("kind", ["checkpoint", "adapter"])
@pytest.mark.parametrize("damage", [_changed, _foreign_file, _missing, _no_manifest, _linked])
def test_foreign_and_damaged_models_are_refused(
    models: Path, library: ModelLibrary, tmp_path: Path, kind: str, damage: Callable[[Path], None]
) -> None:
    folder = copied(models, kind, tmp_path)
    damage(folder)
    with pytest.raises(BudwoodError):
        library.add(folder, "entry")
    assert library.names() == ()
    assert not library.folder.exists() or not list(library.folder.iterdir())


@pytest.mark.parametrize("damage", [_changed, _foreign_file, _missing, _no_manifest])
def test_a_damaged_entry_is_found_and_not_exported(
    models: Path, library: ModelLibrary, tmp_path: Path, damage: Callable[[Path], None]
) -> None:
    library.add(models / "checkpoint", "entry")
    damage(library.path("entry"))
    assert library.problems("entry")
    with pytest.raises(BudwoodError):
        export_entry(library, "entry", tmp_path / "x.tar.gz")
    assert not list(tmp_path.glob("*.tar.gz"))


def test_an_entry_without_a_readable_card_hides_no_other_and_is_removed(
    models: Path, library: ModelLibrary, capsys: pytest.CaptureFixture[str]
) -> None:
    library.add(models / "adapter", "lyrata")
    library.add(models / "trait-model", "height")
    (library.folder / "lyrata" / "card.json").write_text("{")
    for words in (["list"], ["search", "trait-model"]):
        assert main(["library", *words, "--library", str(library.folder)]) == 0
        shown = capsys.readouterr().out
        assert "height  trait-model" in shown
        assert "the card of lyrata cannot be read" in shown
    assert main(["library", "remove", "lyrata", "--library", str(library.folder)]) == 0
    assert library.names() == ("height",)


def test_wrong_cards_and_names_are_refused(models: Path, library: ModelLibrary, tmp_path: Path) -> None:
    model = models / "trait-model"
    for wrong in (
        {"terms": {"height": "plant height"}},
        {"terms": {"hieght": "TO:0000207"}},
        {"provenance": "garden"},
    ):
        with pytest.raises(BudwoodError):
            library.add(model, "entry", **wrong)  # type: ignore[arg-type]
    library.add(model, "Entry")
    with pytest.raises(BudwoodError, match="'Entry'"):
        library.add(model, "entry")
    with pytest.raises(BudwoodError, match="did you mean 'Entry'"):
        library.card("Enrty")
    with pytest.raises(BudwoodError, match="kind"):
        library.search(kind="adaptor")
    path = tmp_path / "card.json"
    for text in ("", "[]", "{}", '{"format": 2}', '{"format": 1, "name": 3}', '{"format": 1, "accuracy": 1}'):
        path.write_text(text)
        with pytest.raises(BudwoodError):
            read_card(path)


@pytest.mark.parametrize(
    "name", ["", ".", "..", "../x", "a/b", "a\\b", ".hidden", "con", "a" * 65, "ä", "a b"]
)
def test_names_that_leave_the_library_are_refused(name: str) -> None:
    with pytest.raises(BudwoodError):
        check_name(name)


def archive_of(path: Path, members: list[tuple[str, bytes, bytes]]) -> Path:
    """An archive of (name, type of member, content or target)."""
    with tarfile.open(path, "w:gz") as archive:
        for name, kind, content in members:
            member = tarfile.TarInfo(name)
            member.type = kind
            if kind == tarfile.REGTYPE:
                member.size = len(content)
            else:
                member.linkname = content.decode()
            archive.addfile(member, io.BytesIO(content))
    return path


FILE = tarfile.REGTYPE
UNSAFE = {
    "parent": [("../out.txt", FILE, b"x")],
    "inside": [("entry/../../out.txt", FILE, b"x")],
    "absolute": [("/tmp/out.txt", FILE, b"x")],
    "drive": [("C:/out.txt", FILE, b"x")],
    "backslash": [("entry\\..\\out.txt", FILE, b"x")],
    "link": [("entry/model", tarfile.SYMTYPE, b".."), ("entry/model/out.txt", FILE, b"x")],
    "hard link": [("entry/a", tarfile.LNKTYPE, b"/etc/hostname")],
    "device": [("entry/a", tarfile.CHRTYPE, b"")],
    "pipe": [("entry/a", tarfile.FIFOTYPE, b"")],
    "twice": [("entry/a", FILE, b"x"), ("entry/A", FILE, b"y")],
    "two entries": [("entry/a", FILE, b"x"), ("other/a", FILE, b"y")],
    "hidden": [("entry/.ssh/a", FILE, b"x")],
    "no folder": [("entry", FILE, b"x")],
    "nothing": [],
    "no manifest": [("entry/card.json", FILE, b"{}")],
}


@pytest.mark.parametrize("members", UNSAFE.values(), ids=UNSAFE.keys())
def test_unsafe_archives_write_nothing(
    library: ModelLibrary, tmp_path: Path, members: list[tuple[str, bytes, bytes]]
) -> None:
    archive = archive_of(tmp_path / "x.tar.gz", members)
    with pytest.raises(BudwoodError):
        import_entry(library, archive)
    assert not list(library.folder.iterdir())
    assert [path.name for path in tmp_path.iterdir() if path != library.folder] in (
        ["x.tar.gz"],
        ["x.tar.gz", "cache"],
        ["cache", "x.tar.gz"],
    )


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.floats(0, 1), length=st.integers(0, 40))
def test_archives_with_changed_bytes_are_refused_or_whole(
    models: Path, tmp_path: Path, place: float, length: int
) -> None:
    library, other = ModelLibrary(tmp_path / "library"), ModelLibrary(tmp_path / "other")
    archive, damaged = tmp_path / "entry.tar.gz", tmp_path / "damaged.tar.gz"
    if not archive.exists():
        library.add(models / "adapter", "entry")
        export_entry(library, "entry", archive)
    content = bytearray(archive.read_bytes())
    begin = int(place * len(content))
    if length == 0:
        del content[begin:]
    for k in range(begin, min(begin + length, len(content))):
        content[k] ^= 0x55
    damaged.write_bytes(bytes(content))
    shutil.rmtree(other.folder, ignore_errors=True)
    try:
        import_entry(other, damaged)
    except BudwoodError:
        assert other.names() == ()
    else:
        assert other.problems("entry") == []
