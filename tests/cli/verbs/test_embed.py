"""``budwood embed``."""

from __future__ import annotations

import csv
import errno
import json
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import budwood
from budwood.errors import BudwoodError
from budwood.genomics.interval import Interval
from budwood.genomics.io.sequence.fasta import open_fasta
from budwood.inference import embed as inference
from budwood.inference.embed import Pool, embed_intervals
from budwood.model.checkpoint import load_checkpoint


@pytest.fixture
def genome(tmp_path: Path) -> Path:
    letters = np.random.default_rng(1).choice(list("ACGT"), 2_000)
    path = tmp_path / "genome.fa"
    path.write_text(f">chr1\n{''.join(letters)}\n>chr2\n{''.join(letters[:300])}\n")
    return path


def index(out: Path) -> list[dict[str, str]]:
    with (out / "index.csv").open() as handle:
        return list(csv.DictReader(handle))


def test_a_genome_in_windows(run, genome, tiny_checkpoint, tmp_path) -> None:
    out = tmp_path / "vectors"
    ran = run("embed", "--fasta", genome, "--checkpoint", tiny_checkpoint, "--out", out, "--json")
    assert ran.code == 0
    assert json.loads(ran.out)["rows"] == 5
    vectors = np.load(out / "vectors.npy")
    assert vectors.dtype == np.float32
    rows = index(out)
    assert list(rows[0]) == ["row", "name", "contig", "start", "end", "strand", "digest"]
    assert [row["name"] for row in rows[3:]] == ["chr1:1537-2000", "chr2"]
    places = [Interval(row["contig"], int(row["start"]), int(row["end"])) for row in rows]
    expected = embed_intervals(open_fasta(genome), places, load_checkpoint(tiny_checkpoint))
    np.testing.assert_array_equal(vectors, expected)
    assert run("verify", out).code == 0


def test_blocks_make_the_same_file(run, genome, tiny_checkpoint, tmp_path, monkeypatch) -> None:
    words = ("embed", "--fasta", genome, "--checkpoint", tiny_checkpoint, "--quiet")
    assert run(*words, "--out", tmp_path / "whole").code == 0
    monkeypatch.setattr("budwood.workflows.embed.BLOCK", 2)
    assert run(*words, "--out", tmp_path / "parts").code == 0
    for name in ("vectors.npy", "index.csv"):
        assert (tmp_path / "parts" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()


def test_precision_is_noted_and_kept_apart_and_not_for_haplotypes(
    run, refused, genome, tiny_checkpoint, tmp_path
) -> None:
    words = ("embed", "--fasta", genome, "--checkpoint", tiny_checkpoint, "--device", "cpu", "--quiet")
    for precision in ("float32", "bf16"):
        assert run(*words, "--precision", precision, "--out", tmp_path / precision).code == 0
        manifest = json.loads((tmp_path / precision / "manifest.json").read_text())
        assert manifest["parameters"]["precision"] == precision
    exact, half = (np.load(tmp_path / name / "vectors.npy") for name in ("float32", "bf16"))
    assert 0 < np.abs(exact - half).max() < 0.05 * np.abs(exact).max()
    panel = ("--genotypes", genome, "--reference", genome, "--precision", "bf16")
    assert "rounds their differences away" in refused("embed", *panel)


def test_intervals_pooled_over_their_centre(run, genome, tiny_checkpoint, tmp_path) -> None:
    bed = tmp_path / "places.bed"
    bed.write_text("chr1\t100\t400\tleft\t0\t-\nchr2\t0\t300\tright\n")
    out = tmp_path / "vectors"
    words = ("--fasta", genome, "--bed", bed, "--pool", "centre", "--checkpoint", tiny_checkpoint)
    assert run("embed", *words, "--out", out).code == 0
    places = [Interval("chr1", 100, 400, "-"), Interval("chr2", 0, 300)]
    expected = embed_intervals(open_fasta(genome), places, load_checkpoint(tiny_checkpoint), pool=Pool.CENTRE)
    np.testing.assert_array_equal(np.load(out / "vectors.npy"), expected)
    assert [row["name"] for row in index(out)] == ["left", "right"]


def test_a_cluster_needs_ray(refused, genome, tiny_checkpoint, monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    words = ("--fasta", genome, "--checkpoint", tiny_checkpoint, "--ray", "auto")
    assert "pip install 'budwood[ray]'" in refused("embed", *words)


def test_it_must_be_clear_what_to_embed(refused, genome) -> None:
    assert "give --fasta" in refused("embed")
    assert "give --fasta" in refused("embed", "--fasta", genome, "--genotypes", genome)


def test_intervals_outside_the_genome(refused, genome, tiny_checkpoint, tmp_path) -> None:
    bed = tmp_path / "places.bed"
    bed.write_text("chr3\t0\t100\n")
    told = refused("embed", "--fasta", genome, "--bed", bed, "--checkpoint", tiny_checkpoint)
    assert "no contig 'chr3'" in told


def test_long_intervals_give_one_vector_each_or_one_for_each_tile(run, tiny_checkpoint, tmp_path) -> None:
    letters = "".join(np.random.default_rng(3).choice(list("ACGT"), 3_000))
    fasta, bed = tmp_path / "one.fa", tmp_path / "places.bed"
    fasta.write_text(f">chr1\n{letters}\n")
    bed.write_text("chr1\t0\t1200\tlong\t0\t-\nchr1\t100\t300\tshort\t0\t+\n")
    words = ("embed", "--fasta", fasta, "--bed", bed, "--checkpoint", tiny_checkpoint, "--quiet")
    assert run(*words, "--out", tmp_path / "pooled").code == 0
    assert run(*words, "--tiles", "--batch-size", 3, "--device", "cpu", "--out", tmp_path / "tiled").code == 0
    assembly, encoder = open_fasta(fasta), load_checkpoint(tiny_checkpoint)
    expected = embed_intervals(
        assembly, [Interval("chr1", 0, 1200, "-"), Interval("chr1", 100, 300)], encoder, cache=False
    )
    np.testing.assert_allclose(np.load(tmp_path / "pooled" / "vectors.npy"), expected, atol=1e-6)
    tiles = index(tmp_path / "tiled")
    assert [row["name"] for row in tiles] == ["long/1", "long/2", "long/3", "short"]
    assert (tiles[0]["start"], tiles[2]["end"]) == ("0", "1200")
    assert np.load(tmp_path / "tiled" / "vectors.npy").shape == (4, expected.shape[1])


@pytest.mark.parametrize("words", [("--batch-size", "0"), ("--device", "abacus")])
def test_a_device_or_batch_that_cannot_be_is_refused(refused, genome, words) -> None:
    assert words[0] in refused("embed", "--fasta", genome, *words)


def test_a_full_disk(refused, genome, tiny_checkpoint, monkeypatch) -> None:
    def fail(path: Path, _: object) -> None:
        path.write_text("row,na")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("budwood.workflows.embed.write_index", fail)
    told = refused("embed", "--fasta", genome, "--checkpoint", tiny_checkpoint)
    assert "the disk is full, nothing was written" in told


def test_killed_and_resumed(run, tiny_checkpoint, tmp_path, monkeypatch) -> None:
    """After kill -9 nothing is half-written, and the next run encodes only what was not kept."""
    letters = "".join(np.random.default_rng(2).choice(list("ACGT"), 100 * 512))
    fasta, out = tmp_path / "long.fa", tmp_path / "vectors"
    fasta.write_text(f">chr1\n{letters}\n")
    words = ("embed", "--fasta", fasta, "--checkpoint", tiny_checkpoint, "--quiet", "--out", out)
    # Threads encode chunks side by side, so the process kills itself as soon as a second chunk is kept.
    script = (
        "import itertools, os, signal, sys\n"
        "import budwood.inference.embed as embed\n"
        "from budwood.cli.app import main\n"
        "from budwood.inference.vector_store import VectorStore\n"
        "count, put, embed._CHUNK = itertools.count(1), VectorStore.put, 2\n"
        "def put_or_die(store, digests, vectors):\n"
        "    put(store, digests, vectors)\n"
        "    print(len(digests), flush=True)\n"
        "    if next(count) == 2:\n"
        "        os.kill(os.getpid(), signal.SIGKILL)\n"
        "VectorStore.put = put_or_die\n"
        "sys.exit(main())\n"
    )
    command = [sys.executable, "-c", script, *map(str, words)]
    killed = subprocess.run(command, check=False, stdout=subprocess.PIPE, text=True)
    assert killed.returncode == -signal.SIGKILL
    kept = [int(line) for line in killed.stdout.split()]
    assert len(kept) == 2
    assert min(kept) > 0
    assert not out.exists()

    encoded: list[int] = []
    encode = inference.encode_batch
    with monkeypatch.context() as patch:
        patch.setattr(inference, "encode_batch", lambda c, *rest: encoded.append(len(c)) or encode(c, *rest))
        assert run(*words).code == 0
    assert sum(encoded) == 100 - sum(kept)
    assembly = open_fasta(fasta)
    fresh = embed_intervals(assembly, inference.tile(assembly), load_checkpoint(tiny_checkpoint), cache=False)
    np.testing.assert_array_equal(np.load(out / "vectors.npy"), fresh)
    assert run("verify", out).code == 0


def test_records_without_a_base_are_named(run, tiny_checkpoint, tmp_path) -> None:
    fasta = tmp_path / "s.fa"
    fasta.write_text(">a\n>b\nACGTACGT\n>c\n\n")
    words = ("--fasta", fasta, "--checkpoint", tiny_checkpoint, "--quiet")
    ran = run("embed", *words, "--out", tmp_path / "out")
    assert ran.code == 0, ran.err
    note = "2 records of the FASTA file have no base and no row: a, c."
    assert note in ran.out
    assert json.loads((tmp_path / "out" / "manifest.json").read_text())["notes"] == [note]
    assert json.loads(run("embed", *words, "--json", "--out", tmp_path / "o2").out)["notes"] == [note]


@pytest.mark.parametrize("written", [("1", "2"), ("Chr01", "CHR2"), ("chr1", "2")])
def test_contigs_of_a_bed_file_under_other_names(run, genome, tiny_checkpoint, tmp_path, written) -> None:
    bed, out = tmp_path / "places.bed", tmp_path / "vectors"
    bed.write_text(f"{written[0]}\t100\t400\tleft\n{written[1]}\t0\t300\tright\n")
    words = ("--fasta", genome, "--bed", bed, "--checkpoint", tiny_checkpoint)
    ran = run("embed", *words, "--out", out)
    assert ran.code == 0, ran.err
    assert [row["contig"] for row in index(out)] == ["chr1", "chr2"]
    assert "Contigs of the BED file were read under other names: " in ran.out
    assert f"{written[0]!r} as 'chr1'" in ran.out or written[0] == "chr1"
    assert f"{written[1]!r} as 'chr2'" in ran.out


def test_a_contig_that_the_fasta_lacks_is_refused(refused, genome, tiny_checkpoint, tmp_path) -> None:
    bed = tmp_path / "places.bed"
    bed.write_text("3\t100\t400\n")
    words = ("--fasta", genome, "--bed", bed, "--checkpoint", tiny_checkpoint)
    assert "'3'" in refused("embed", *words)


@pytest.mark.parametrize("gap", ["-", ".", "*"])
@pytest.mark.parametrize("by", ["windows", "intervals"])
def test_gaps_of_an_alignment_are_refused(refused, tiny_checkpoint, tmp_path, gap, by) -> None:
    aligned, bed = tmp_path / "aligned.fa", tmp_path / "places.bed"
    aligned.write_text(f">a\nACGTNRYX\n>b\nACG{gap}ACG\n")
    bed.write_text("b\t2\t6\n")
    more = ("--bed", bed) if by == "intervals" else ()
    told = refused("embed", "--fasta", aligned, "--checkpoint", tiny_checkpoint, *more)
    assert f"{gap!r} is no nucleotide letter" in told
    assert "remove the gaps of the alignment" in told
    with pytest.raises(BudwoodError, match="remove the gaps of the alignment"):
        budwood.embed([f"ACG{gap}ACG"])


def test_intervals_beside_a_gap_are_embedded(run, tiny_checkpoint, tmp_path) -> None:
    aligned, bed = tmp_path / "aligned.fa", tmp_path / "places.bed"
    aligned.write_text(">b\nACGXACG--ACG\n")
    bed.write_text("b\t0\t7\n")
    words = ("embed", "--fasta", aligned, "--bed", bed, "--checkpoint", tiny_checkpoint)
    assert run(*words, "--out", tmp_path / "out").code == 0
