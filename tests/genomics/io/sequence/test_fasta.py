from __future__ import annotations

import gzip
import lzma
import os
import pickle
import threading
from collections.abc import Callable
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pysam
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from budwood.config import cache_directory
from budwood.errors import BudwoodError
from budwood.genomics.assembly import assembly_quality
from budwood.genomics.interval import Interval
from budwood.genomics.io.sequence.fasta import FastaAssembly, open_fasta
from budwood.genomics.sequence import decode, encode

CONTIGS = {"Chr1": "ACGTacgtNNryACGTTTGACA", "Chr2": "ttt", "Chr3": "A" * 60 + "C"}


def fasta_text(contigs: dict[str, str], width: int = 7, end: str = "\n") -> str:
    lines = []
    for name, letters in contigs.items():
        lines.append(f">{name} a description")
        lines += [letters[i : i + width] for i in range(0, len(letters), width)]
    return end.join(lines) + end


def write_plain(folder: Path, text: str) -> Path:
    path = folder / "genome.fa"
    path.write_bytes(text.encode())
    return path


def write_gzip(folder: Path, text: str) -> Path:
    path = folder / "genome.fa.gz"
    path.write_bytes(gzip.compress(text.encode()))
    return path


def write_bgzf(folder: Path, text: str) -> Path:
    path = folder / "genome.fa.bgz"
    pysam.tabix_compress(str(write_plain(folder, text)), str(path), force=True)
    return path


def write_xz(folder: Path, text: str) -> Path:
    path = folder / "genome.fa.xz"
    path.write_bytes(lzma.compress(text.encode()))
    return path


WRITERS = [write_plain, write_gzip, write_bgzf, write_xz]


def whole(genome: FastaAssembly, name: str) -> str:
    return decode(genome.sequence(Interval(name, 0, genome.contigs[name])))


@pytest.mark.parametrize("write", WRITERS)
def test_every_packing_reads_alike(write: Callable[[Path, str], Path], tmp_path: Path) -> None:
    genome = open_fasta(write(tmp_path, fasta_text(CONTIGS)))
    assert dict(genome.contigs) == {name: len(letters) for name, letters in CONTIGS.items()}
    for name, letters in CONTIGS.items():
        assert whole(genome, name) == decode(encode(letters))
    assert decode(genome.sequence(Interval("Chr1", 3, 12))) == "TACGTNNNN"
    assert decode(genome.sequence(Interval("Chr1", 14, 18, "-"))) == "AAAC"
    assert genome.soft_mask(Interval("Chr1", 3, 6, "-")).tolist() == [True, True, False]
    assert len(genome.sequence(Interval("Chr2", 1, 1))) == 0


@pytest.mark.parametrize("write", WRITERS)
def test_nothing_is_written_beside_the_file(write: Callable[[Path, str], Path], tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    path = write(folder, fasta_text(CONTIGS))
    before = sorted(folder.iterdir())
    whole(open_fasta(path), "Chr1")
    assert sorted(folder.iterdir()) == before
    assert any((cache_directory() / "genomes").iterdir())


@settings(deadline=None)
@given(
    letters=st.lists(st.text("ACGTNacgtn", max_size=40), min_size=1, max_size=4).filter(any),
    widths=st.lists(st.integers(1, 12), min_size=1, max_size=8),
    blanks=st.booleans(),
    end=st.sampled_from(["\n", "\r\n", "\r"]),
    comment=st.sampled_from(["", ";a comment"]),
    mark=st.sampled_from(["", "\ufeff"]),
    last=st.booleans(),
)
def test_any_breaking_into_lines_is_read(
    letters: list[str],
    widths: list[int],
    blanks: bool,
    end: str,
    comment: str,
    mark: str,
    last: bool,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    lines = []
    for number, text in enumerate(letters):
        lines.append(f">c{number}")
        turn = 0
        while text:
            width = widths[turn % len(widths)]
            lines += [text[:width]] + [comment] * (blanks and turn % 2)
            text, turn = text[width:], turn + 1
    path = write_plain(tmp_path_factory.mktemp("fasta"), mark + end.join(lines) + end * last)
    genome = open_fasta(path)
    assert dict(genome.contigs) == {f"c{i}": len(text) for i, text in enumerate(letters)}
    for number, text in enumerate(letters):
        assert whole(genome, f"c{number}") == text.upper()
        for start in range(0, len(text), 5):
            piece = Interval(f"c{number}", start, min(len(text), start + 7))
            assert decode(genome.sequence(piece)) == text[start : start + 7].upper()


def test_a_changed_file_is_read_anew(tmp_path: Path) -> None:
    path = write_xz(tmp_path, ">a\nACGT\n")
    assert whole(open_fasta(path), "a") == "ACGT"
    path.write_bytes(lzma.compress(b">a\nTTTTT\n"))
    assert whole(open_fasta(path), "a") == "TTTTT"


def test_a_packed_file_is_unpacked_once(tmp_path: Path) -> None:
    path = write_xz(tmp_path, fasta_text(CONTIGS))
    open_fasta(path)
    unpacked = list((cache_directory() / "genomes").glob("*/genome.fa"))
    assert len(unpacked) == 1
    stamp = unpacked[0].stat().st_mtime_ns
    assert whole(open_fasta(path), "Chr2") == "TTT"
    assert unpacked[0].stat().st_mtime_ns == stamp


def test_what_a_killed_run_left_behind_is_cleared(tmp_path: Path) -> None:
    path = write_xz(tmp_path, ">a\nACGT\n")
    open_fasta(path)
    (folder,) = (cache_directory() / "genomes").glob("[!.]*/")
    half = folder.rename(folder.with_name(f".{folder.name}.half"))
    (half / "genome.fai").unlink()
    assert whole(open_fasta(path), "a") == "ACGT"
    assert not half.exists()


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "the FASTA file is empty"),
        ("\n\n", "the FASTA file is empty"),
        ("chr1\tACGT\n", r"no FASTA: it does not begin with > \(.*genome.fa, line 1\)"),
        (">a\nACGT\n>b\nAC\n>a\nGG\n", r"contig 'a' occurs twice \(.*line 5\)"),
        (">a\nMKVLLE\n", r"'L' is no nucleotide letter \(.*line 2\)"),
        (">\nACGT\n", "a contig has no name"),
    ],
)
def test_bad_files_are_told_in_one_sentence(text: str, sentence: str, tmp_path: Path) -> None:
    with pytest.raises(BudwoodError, match=sentence):
        open_fasta(write_plain(tmp_path, text))
    assert not list((cache_directory() / "genomes").glob("*/"))


@pytest.mark.parametrize("write", [write_gzip, write_bgzf, write_xz])
@pytest.mark.parametrize("share", [0.3, 0.99])
def test_truncated_files_are_refused_and_leave_nothing(
    write: Callable[[Path, str], Path], share: float, tmp_path: Path
) -> None:
    letters = "".join(np.random.default_rng(1).choice(list("ACGT"), 200_000))
    path = write(tmp_path, fasta_text({"a": letters}, width=60))
    packed = path.read_bytes()
    path.write_bytes(packed[: int(len(packed) * share)])
    with pytest.raises(BudwoodError, match="truncated or damaged"):
        open_fasta(path)
    assert not list((cache_directory() / "genomes").glob("*/"))


def test_bgzf_cut_between_blocks_is_noticed(tmp_path: Path) -> None:
    path = write_bgzf(tmp_path, fasta_text(CONTIGS))
    path.write_bytes(path.read_bytes()[:-28])
    with pytest.raises(BudwoodError, match="truncated or damaged"):
        open_fasta(path)


def test_missing_files_folders_and_foreign_packings_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BudwoodError, match="does not exist"):
        open_fasta(tmp_path / "none.fa")
    with pytest.raises(BudwoodError, match="is a folder"):
        open_fasta(tmp_path)
    (tmp_path / "a.zip").write_bytes(b"PK\x03\x04rest")
    with pytest.raises(BudwoodError, match="packed with zip"):
        open_fasta(tmp_path / "a.zip")


def test_an_unusable_cache_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("BUDWOOD_CACHE", str(tmp_path / "file"))
    with pytest.raises(BudwoodError, match="BUDWOOD_CACHE"):
        open_fasta(write_plain(tmp_path, ">a\nACGT\n"))


def test_outside_intervals_name_the_file(tmp_path: Path) -> None:
    genome = open_fasta(write_plain(tmp_path, fasta_text(CONTIGS)))
    with pytest.raises(BudwoodError, match=r"no contig 'Chr9'.*genome.fa.*Chr1, Chr2, Chr3"):
        genome.sequence(Interval("Chr9", 0, 1))
    with pytest.raises(BudwoodError, match="runs past the end of the contig, which has 3 bases"):
        genome.soft_mask(Interval("Chr2", 0, 4))


def _read_often(genome: FastaAssembly, letters: str, seed: int) -> None:
    random = np.random.default_rng(seed)
    for start in random.integers(0, len(letters) - 50, 300).tolist():
        assert decode(genome.sequence(Interval("a", start, start + 50))) == letters[start : start + 50]


def test_threads_and_forked_workers_do_not_disturb_one_another(tmp_path: Path) -> None:
    letters = "".join(np.random.default_rng(2).choice(list("ACGT"), 50_000))
    genome = open_fasta(write_plain(tmp_path, fasta_text({"a": letters}, width=61)))
    _read_often(genome, letters, 0)
    failures: list[BaseException] = []

    def attempt(seed: int) -> None:
        try:
            _read_often(genome, letters, seed)
        except AssertionError as error:
            failures.append(error)

    threads = [threading.Thread(target=attempt, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    if hasattr(os, "fork"):
        workers = [
            get_context("fork").Process(target=_read_often, args=(genome, letters, seed)) for seed in range(3)
        ]
        for worker in workers:
            worker.start()
        _read_often(genome, letters, 9)
        for worker in workers:
            worker.join()
        assert [worker.exitcode for worker in workers] == [0, 0, 0]


def test_an_assembly_may_be_sent_to_another_process(tmp_path: Path) -> None:
    genome = open_fasta(write_xz(tmp_path, fasta_text(CONTIGS)))
    assert whole(pickle.loads(pickle.dumps(genome)), "Chr1") == whole(genome, "Chr1")  # noqa: S301


@pytest.mark.real
def test_rice_piece_of_the_shared_data(real_data: Path) -> None:
    genome = open_fasta(real_data / "genomes/oryza_sativa/chr02_first_1Mb.fa.xz")
    assert dict(genome.contigs) == {"Chr2": 1_000_000}
    quality = assembly_quality(genome)
    assert (quality.n50, quality.l50, quality.n_share) == (1_000_000, 1, 0.0)


@pytest.mark.real
def test_quality_of_the_brassica_scaffolds(real_data: Path) -> None:
    quality = assembly_quality(open_fasta(real_data / "genomes/brassica_napus/genome.fa.xz"))
    assert (quality.contigs, quality.total) == (27, 80_494_908)
    assert quality.n_share == pytest.approx(0.13, abs=0.001)
    assert quality.soft_masked_share == pytest.approx(0.267, abs=0.001)


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("replaced", [False, True])
def test_changed_content_under_an_old_date_is_read_anew(tmp_path: Path, packed: bool, replaced: bool) -> None:
    """Same name, same size, same date: written in place, or put in its place by another file."""
    path = tmp_path / ("genome.fa.xz" if packed else "genome.fa")

    def write(letters: str, file: Path) -> None:
        text = f">c\n{letters}\n".encode()
        file.write_bytes(lzma.compress(text) if packed else text)

    first, second = "ACGTACGT" * 40, "CAGTCAGT" * 40
    write(first, path)
    size, date = path.stat().st_size, (10**18, 10**18)
    os.utime(path, ns=date)
    assert decode(open_fasta(path).sequence(Interval("c", 0, 320))) == first
    if replaced:
        other = tmp_path / "other"
        write(second, other)
        other.replace(path)
    else:
        write(second, path)
    os.utime(path, ns=date)
    assert path.stat().st_size == size
    assert decode(open_fasta(path).sequence(Interval("c", 0, 320))) == second


def test_without_a_date_of_the_entry_the_content_tells(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Windows has no such date: the first of two lines becomes longer, so an old index misplaces bases."""
    path = tmp_path / "genome.fa"
    true = os.stat

    class Still:
        def __init__(self, facts: os.stat_result) -> None:
            self.facts = facts

        def __getattr__(self, name: str) -> object:
            return {"st_mtime_ns": 1, "st_ctime_ns": 1, "st_ino": 1}.get(name, getattr(self.facts, name))

    monkeypatch.setattr(Path, "stat", lambda self, **others: Still(true(self, **others)))
    path.write_text(">c\nACGT\nAC\n")
    assert decode(open_fasta(path).sequence(Interval("c", 0, 6))) == "ACGTAC"
    path.write_text(">c\nACGTT\nA\n")
    assert decode(open_fasta(path).sequence(Interval("c", 0, 6))) == "ACGTTA"


@pytest.mark.parametrize("write", WRITERS)
@pytest.mark.parametrize("name", ["ch\u2028r", "ch\u0085r", "a|b;c=d", "chr1:5-9", "Ł\u00a01"])
def test_odd_names_are_read(write: Callable[[Path, str], Path], name: str, tmp_path: Path) -> None:
    genome = open_fasta(write(tmp_path, f">{name}\nACGT\n>b\nGG\n"))
    assert dict(genome.contigs) == {name: 4, "b": 2}
    assert whole(genome, name) == "ACGT"


@pytest.mark.parametrize("name", ["a\0b", "a\x01", "\x7f"])
def test_control_characters_in_names_are_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(BudwoodError, match="holds a control character"):
        open_fasta(write_plain(tmp_path, f">{name}\nACGT\n"))


def test_names_in_another_encoding_are_told_apart(tmp_path: Path) -> None:
    path = tmp_path / "genome.fa"
    path.write_bytes(">é\nACGT\n>è\nCC\n".encode("cp1252"))
    assert dict(open_fasta(path).contigs) == {"é": 4, "è": 2}


def test_empty_records_are_named_and_refused_where_all_are(tmp_path: Path) -> None:
    assert open_fasta(write_plain(tmp_path, ">a\n>b\nACGT\n>c\n\n")).empty_contigs == ("a", "c")
    for text in (">a\n", ">a\n>b\n\n", ">a\r>b\r", ";c\n>a\n"):
        with pytest.raises(BudwoodError, match="no record of the FASTA file has a base"):
            open_fasta(write_plain(tmp_path, text))


def test_carriage_returns_over_several_blocks(tmp_path: Path) -> None:
    letters = "ACGTTGCA" * 40
    text = "".join(f">c{n}\r" + "\r".join([letters] * 1_000) + "\r" for n in range(8))
    genome = open_fasta(write_plain(tmp_path, text))
    assert set(genome.contigs.values()) == {320_000}
    assert whole(genome, "c7") == letters * 1_000
