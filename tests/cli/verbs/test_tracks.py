"""``budwood tracks``, and what it predicts in the place of measured tracks."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import numpy as np
import pytest
import torch

from budwood.artifacts import read_manifest, write_artifact
from budwood.genomics.assembly import InMemoryAssembly
from budwood.genomics.io.annotation.tracks import read_track
from budwood.inference.tracks import predict_tracks
from budwood.model.checkpoint import load_checkpoint, random_checkpoint, save_checkpoint
from budwood.model.encoder_config import BudwoodConfig
from budwood.model.track_head import TrackHead

NAMES = ("open chromatin", "state 1", "LTR/Gypsy")


@pytest.fixture(scope="module")
def tracked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An untrained checkpoint with a head of tracks."""
    folder = tmp_path_factory.mktemp("tracked") / "tracked"
    encoder = random_checkpoint(
        BudwoodConfig(stem_channels=8, hidden_size=16, layers=1, heads=2), seed=1
    ).encoder
    random = torch.Generator().manual_seed(0)
    head = TrackHead(NAMES, torch.randn(3, 32, generator=random) / 8, torch.tensor([0.0, 0.5, -40.0]))
    with write_artifact(folder, kind="checkpoint") as draft:
        save_checkpoint(encoder, draft.folder, head)
    return folder


@pytest.fixture
def genome(tmp_path: Path) -> Path:
    letters = "".join(np.random.default_rng(1).choice(list("ACGT"), 2_003))
    path = tmp_path / "genome.fa"
    path.write_text(f">chr1\n{letters[:900]}{'N' * 100}{letters[1000:]}\n>chr2\n{letters[:300]}\n")
    return path


def contigs(genome: Path) -> dict[str, str]:
    lines = genome.read_text().split("\n")
    return {name.removeprefix(">"): letters for name, letters in zip(lines[::2], lines[1::2], strict=False)}


def test_a_genome_has_a_file_for_each_track(run, genome, tracked, tmp_path) -> None:
    out = tmp_path / "tracks"
    words = ("tracks", "--fasta", genome, "--checkpoint", tracked, "--least", "0.3", "--out", out)
    ran = run(*words, "--json", "--quiet")
    assert ran.code == 0, ran.err
    told = json.loads(ran.out)
    assert [each["name"] for each in told["tracks"]] == list(NAMES)
    assert told["measured"] is False
    assert told["bases"] == 2_003 - 96 + 300
    assert json.loads((out / "tracks.json").read_text())["tracks"] == told["tracks"]
    assert run("verify", out).code == 0
    manifest = read_manifest(out)
    digest = load_checkpoint(tracked).digest
    assert manifest["parameters"]["checkpoint"] == {"name": "tracked", "digest": digest}
    assembly = InMemoryAssembly(contigs(genome))
    expected = {name: np.full((length + 7) // 8, np.nan) for name, length in assembly.contigs.items()}
    for each in predict_tracks(assembly, load_checkpoint(tracked), names=["state 1"]):
        expected[each.contig][each.start // 8 :][: len(each.probability)] = each.probability[:, 0]
    known = np.concatenate([values[~np.isnan(values)] for values in expected.values()])
    assert told["tracks"][1]["mean"] == pytest.approx(known.mean(), abs=1e-6)
    assert told["tracks"][1]["share"] == pytest.approx((known >= 0.5).mean(), abs=1e-6)
    track = read_track(out / "state_1.bedgraph.gz")
    assert track.predicted_by == f"checkpoint tracked (digest {digest[:12]})"
    for name, values in expected.items():
        steps = track.contigs[name]
        found = np.zeros(len(values))
        for start, end, value in zip(steps.start, steps.end, steps.value, strict=True):
            found[start // 8 : -(-end // 8)] = value
        rounded = np.round(np.nan_to_num(values), 2)
        np.testing.assert_allclose(found, np.where(rounded >= 0.295, rounded, 0), atol=0.0101)
        assert steps.end.max() <= assembly.contigs[name]
    assert "of: LTR/Gypsy." in told["notes"][0]
    lines = gzip.decompress((out / "LTR_Gypsy.bedgraph.gz").read_bytes()).decode().splitlines()
    assert len(lines) == 1
    ran = run(*words, "--overwrite")
    assert "3 tracks of 2,207 bases predicted by checkpoint tracked" in ran.out
    assert "not measured" in ran.out


def test_intervals_and_some_tracks(run, genome, tracked, tmp_path) -> None:
    bed, out = tmp_path / "places.bed", tmp_path / "tracks"
    bed.write_text("1\t100\t203\nChr2\t290\t300\n")
    words = ("--fasta", genome, "--bed", bed, "--track", "open chromatin", "--least", 0, "--quiet")
    ran = run("tracks", *words, "--checkpoint", tracked, "--precision", "bf16", "--out", out)
    assert ran.code == 0, ran.err
    assert sorted(path.name for path in out.iterdir()) == [
        "manifest.json",
        "open_chromatin.bedgraph.gz",
        "tracks.json",
    ]
    track = read_track(out / "open_chromatin.bedgraph.gz")
    for name, start, end in (("chr1", 96, 208), ("chr2", 288, 300)):
        steps = track.contigs[name]
        assert (steps.start[0], steps.end[-1]) == (start, end)
        assert (steps.start[1:] == steps.end[:-1]).all()


def test_what_cannot_be_predicted_is_one_sentence(
    run, refused, genome, tracked, tiny_checkpoint, tmp_path
) -> None:
    words = ("tracks", "--fasta", genome)
    given = (*words, "--checkpoint", tracked)
    assert "checkpoint 'tiny' predicts no tracks" in refused(*words, "--checkpoint", tiny_checkpoint)
    assert "checkpoint 'grasses' predicts no tracks" in refused(*words, "--checkpoint", "grasses")
    assert "predicts no track 'open'" in refused(*given, "--track", "open")
    assert "named twice" in refused(*given, "--track", "state 1", "--track", "state 1")
    assert "no probability" in refused(*given, "--least", "1")
    bed = tmp_path / "places.bed"
    bed.write_text("chr3\t0\t9\n")
    assert "chr3" in refused(*given, "--bed", bed)
    aligned = tmp_path / "aligned.fa"
    aligned.write_text(">a\nACG--T\n")
    assert "is no nucleotide letter" in refused("tracks", "--fasta", aligned, "--checkpoint", tracked)


def test_the_packaged_checkpoint_with_tracks_stands_in(run, genome, tracked, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("budwood.model.checkpoint.track_checkpoint", lambda: tracked)
    ran = run("tracks", "--fasta", genome, "--out", tmp_path / "out", "--json", "--quiet")
    assert ran.code == 0, ran.err
    assert json.loads(ran.out)["checkpoint"]["name"] == "tracked"


class TestPredictedTracks:
    def test_they_stand_in_and_are_named_and_judged(self, run, panel, tracked, tmp_path) -> None:
        words = (*panel.words(), "--reference", panel.reference, "--checkpoint", tracked, "--quiet")
        ran = run("predict", *words, "--tracks", "predicted", "--json", "--out", tmp_path / "out")
        assert ran.code == 0, ran.err
        told = json.loads(ran.out)
        assert "function" in told["variance_shares"]
        digest = load_checkpoint(tracked).digest[:12]
        said = f"Predicted by checkpoint tracked (digest {digest}), not measured: open chromatin"
        assert any(sentence.startswith(said) for sentence in told["notes"])
        assert any("its probabilities count" in sentence for sentence in told["notes"])
        assert any("likelihood ratio" in sentence for sentence in told["notes"])
        assert "not measured: open chromatin" in (tmp_path / "out/report.html").read_text()
        names = {entry["name"] for entry in read_manifest(tmp_path / "out")["inputs"]}
        assert names == {"panel.vcf", "traits.csv", "genome.fa"}

    def test_evaluate_and_files_of_the_verb_give_the_same(self, run, panel, tracked, tmp_path) -> None:
        words = ("--fasta", panel.reference, "--checkpoint", tracked, "--least", 0, "--quiet")
        assert run("tracks", *words, "--out", tmp_path / "tracks").code == 0
        told = []
        for name, given in (
            ("files", ("--tracks", tmp_path / "tracks/state_1.bedgraph.gz")),
            (
                "words",
                ("--tracks", "predicted:state 1", "--reference", panel.reference, "--checkpoint", tracked),
            ),
        ):
            models = ("--models", "gblup,multi-kernel", "--repeats", 1, "--json", "--quiet")
            ran = run("evaluate", *panel.words(), *given, *models, "--out", tmp_path / name)
            assert ran.code == 0, ran.err
            told.append(json.loads(ran.out))
            assert any("not measured: state" in sentence for sentence in told[-1]["notes"])
            assert any("likelihood ratio" in sentence for sentence in told[-1]["notes"])
            assert "not measured: state" in (tmp_path / name / "report.html").read_text()
        first, second = (
            next(value["mean_r"] for key, value in each["models"].items() if key.lower() == "multi-kernel")
            for each in told
        )
        assert first == pytest.approx(second, abs=0.01)
        assert "predicted:state 1" in (tmp_path / "words/report.html").read_text()

    def test_what_is_missing_is_said(self, refused, panel, tracked, tiny_checkpoint) -> None:
        words = ("predict", *panel.words(), "--tracks", "predicted")
        assert "need a reference genome" in refused(*words)
        reference = ("--reference", panel.reference, "--quiet")
        told = refused(*words, *reference, "--checkpoint", tiny_checkpoint)
        assert "checkpoint 'tiny' predicts no tracks" in told
        other = ("predict", *panel.words(), "--tracks", "predicted:open", *reference)
        assert "predicts no track 'open'" in refused(*other, "--checkpoint", tracked)
        panel.reference.write_text(">chr7\nACGT\n")
        told = refused(*words, *reference, "--checkpoint", tracked)
        assert "no marker lies on a contig of the reference" in told
