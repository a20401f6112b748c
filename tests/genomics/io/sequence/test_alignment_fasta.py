"""Aligned FASTA: what was written is read, and bad files are refused with one sentence."""

from __future__ import annotations

import io
import lzma
import tarfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from budwood.errors import BudwoodError
from budwood.genomics.alignment import GAP
from budwood.genomics.io.sequence.alignment_fasta import aligned_codes, read_alignment_fasta


@st.composite
def rows(draw: st.DrawFn) -> list[str]:
    columns = draw(st.integers(1, 70))
    row = st.text("ACGTNacgt-.?RY", min_size=columns, max_size=columns)
    return draw(st.lists(row, min_size=1, max_size=5))


def write(path: Path, letters: list[str], width: int = 60) -> bytes:
    text = ""
    for number, row in enumerate(letters):
        lines = [row[i : i + width] for i in range(0, len(row), width)]
        text += f">Genus_s{number}|SRC{number}\n" + "\n".join(lines) + "\n"
    content = text.encode()
    path.write_bytes(lzma.compress(content) if path.suffix == ".xz" else content)
    return content


@given(rows(), st.sampled_from(["a.fa", "a.fasta.xz"]), st.integers(5, 60))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_round_trip(tmp_path: Path, letters: list[str], name: str, width: int) -> None:
    write(tmp_path / name, letters, width)
    (found,) = read_alignment_fasta(tmp_path / name)
    assert found.name == "a"
    assert found.species == tuple(f"Genus s{i}" for i in range(len(letters)))
    for row, codes in zip(letters, found.codes, strict=True):
        assert (codes == aligned_codes(row.encode())).all()
        assert ((codes == GAP) == np.isin(list(row), ["-", "."])).all()


def test_an_archive_gives_a_locus_per_file(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "loci.tar.xz", "w:xz") as archive:
        for name, row in (("loci/1.fa", b"AC-\n"), ("loci/2.fasta", b"GG\n"), ("loci/README", b"words\n")):
            content = b">Zea_mays|x\n" + row
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    first, second = read_alignment_fasta(tmp_path / "loci.tar.xz")
    assert (first.name, second.name) == ("1", "2")
    assert first.codes.tolist() == [[0, 1, GAP]]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "the alignment is empty"),
        (b"ACGT\n", "no FASTA"),
        (b">a\nAC!T\n", "'!' is no nucleotide letter"),
        (b">a\nACGT\n>b\nACG\n", "has 3 columns, the first one 4"),
        (b">\nACGT\n", "a row has no name"),
        (b">|x\nACGT\n", "a row has no name"),
    ],
)
def test_what_is_wrong_is_told(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "bad.fa").write_bytes(content)
    with pytest.raises(BudwoodError, match=message):
        read_alignment_fasta(tmp_path / "bad.fa")


def test_damaged_archives_are_told(tmp_path: Path) -> None:
    path = tmp_path / "loci.tar.xz"
    path.write_bytes(lzma.compress(b"this is no archive" * 100))
    with pytest.raises(BudwoodError, match="truncated or damaged"):
        read_alignment_fasta(path)
    with tarfile.open(path, "w:xz"):
        pass
    with pytest.raises(BudwoodError, match="holds no aligned FASTA"):
        read_alignment_fasta(path)
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(BudwoodError, match="truncated or damaged"):
        read_alignment_fasta(path)


@pytest.mark.real
def test_the_shared_codon_alignments(real_data: Path) -> None:
    loci = read_alignment_fasta(real_data / "alignments" / "a353_codon_plus.tar.xz")
    assert len(loci) == 348
    assert len({species for locus in loci for species in locus.species}) == 625
    assert {"Arabidopsis thaliana", "Oryza sativa"} <= {s for locus in loci for s in locus.species}
    for locus in loci[:5]:
        kept = locus.without(["Arabidopsis", "Oryza"]).species
        assert not [s for s in kept if s.split()[0] in {"Arabidopsis", "Oryza"}]
