from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from budwood.errors import BudwoodError
from budwood.genomics.haplotypes.calls import MISSING, Site
from budwood.genomics.io.variants.open_genotypes import read_genotypes
from budwood.genomics.io.variants.plink.binary import PlinkCalls

BITS = {(1, 1): 0b00, (MISSING, MISSING): 0b01, (0, 1): 0b10, (0, 0): 0b11}
CALLS = list(BITS)


def write_trio(prefix: Path, calls: NDArray[np.intp], bim: list[str] | None = None) -> Path:
    """Write genotypes (markers, accessions), indices into CALLS, after the format's description."""
    m, n = calls.shape
    data = bytearray(b"\x6c\x1b\x01")
    for row in calls:
        codes = [BITS[CALLS[call]] for call in row] + [0] * (-n % 4)
        data += bytes(
            sum(code << 2 * k for k, code in enumerate(codes[i : i + 4])) for i in range(0, len(codes), 4)
        )
    prefix.with_suffix(".bed").write_bytes(data)
    prefix.with_suffix(".fam").write_text("".join(f"fam{i} line{i} 0 0 0 -9\n" for i in range(n)))
    lines = bim or [f"{1 + 2 * j // m} m{j} 0 {j + 1} G A" for j in range(m)]
    prefix.with_suffix(".bim").write_text("\n".join(lines) + "\n")
    return prefix


@settings(max_examples=50, deadline=None)
@given(
    m=st.integers(1, 12),
    n=st.integers(1, 9),
    size=st.integers(1, 5),
    seed=st.integers(0, 2**32 - 1),
    suffix=st.sampled_from(["", ".bed", ".bim", ".fam"]),
)
def test_random_round_trip(
    tmp_path_factory: pytest.TempPathFactory, m: int, n: int, size: int, seed: int, suffix: str
) -> None:
    calls = np.random.default_rng(seed).integers(0, 4, (m, n))
    prefix = write_trio(tmp_path_factory.mktemp("plink") / "panel", calls)
    source = PlinkCalls(prefix.with_suffix(suffix))
    assert source.accessions == tuple(f"line{i}" for i in range(n))
    read = []
    for block in source.blocks(size):
        assert len({site.contig for site in block.sites}) == 1
        assert len(block.sites) <= size
        assert not block.phased.any()
        read.append(block.alleles)
    assert np.concatenate(read).tolist() == np.array(CALLS)[calls].tolist()


def test_a2_stands_first_and_odd_alleles_are_marked(tmp_path: Path) -> None:
    bim = ["1 snp 0 10 a G", "1 . 0 20 AT A", "2 array 0 0 D I", "0 fixed 0 -5 0 T"]
    source = PlinkCalls(write_trio(tmp_path / "p", np.zeros((4, 3), dtype=np.intp), bim))
    sites = [site for block in source.blocks() for site in block.sites]
    assert sites == [
        Site("1", 9, "snp", ("G", "A")),
        Site("1", 19, "1_20", ("A", "AT")),
        Site("2", -1, "array", ("<I>", "<D>")),
        Site("0", -1, "fixed", ("T", "N")),
    ]
    assert source.has_letters
    assert any("A1 is counted" in phrase for phrase in source.assumptions)


@pytest.mark.parametrize("alleles", ["1 2", "A B"])
def test_coded_alleles_are_no_letters(tmp_path: Path, alleles: str) -> None:
    source = PlinkCalls(write_trio(tmp_path / "p", np.zeros((1, 2), dtype=np.intp), [f"1 m 0 5 {alleles}"]))
    assert not source.has_letters
    assert next(source.blocks()).sites[0].alleles == ("", "")


def test_accessions_are_named_by_the_family_where_individual_ids_repeat(tmp_path: Path) -> None:
    prefix = write_trio(tmp_path / "p", np.zeros((1, 2), dtype=np.intp))
    prefix.with_suffix(".fam").write_text("IR64 1 0 0 0 -9\nAzucena 1 0 0 0 -9\n")
    source = PlinkCalls(prefix)
    assert source.accessions == ("IR64", "Azucena")
    assert "family id" in source.assumptions[1]
    prefix.with_suffix(".fam").write_text("f 1 0 0 0 -9\nf 1 0 0 0 -9\n")
    with pytest.raises(BudwoodError, match="individual '1' occurs twice"):
        PlinkCalls(prefix)


def test_a_damaged_trio_gets_one_sentence(tmp_path: Path) -> None:
    prefix = write_trio(tmp_path / "p", np.ones((7, 6), dtype=np.intp))
    bed = prefix.with_suffix(".bed")
    whole = bed.read_bytes()
    for data, sentence in [
        (whole[:-1], "is truncated: 16 bytes where 7 markers x 6 accessions take 17"),
        (whole + b"x", "is too long"),
        (b"chr1\t5\t6\n", "does not start with PLINK's two magic bytes"),
        (b"", "does not start with PLINK's two magic bytes"),
        (b"\x6c\x1b\x00" + whole[3:], "accession by accession"),
    ]:
        bed.write_bytes(data)
        with pytest.raises(BudwoodError, match=sentence):
            PlinkCalls(prefix)
    bed.write_bytes(whole)
    with pytest.raises(BudwoodError, match="diploid calls, not ploidy 4"):
        PlinkCalls(prefix, ploidy=4)
    prefix.with_suffix(".bim").write_text("1 m1 5 A\n")
    with pytest.raises(BudwoodError, match="line 1 does not hold chromosome"):
        PlinkCalls(prefix)
    prefix.with_suffix(".fam").unlink()
    with pytest.raises(BudwoodError, match=r"p\.fam is missing"):
        PlinkCalls(prefix)


@pytest.mark.real
def test_the_rice_panel_equals_its_tidy_form(real_data: Path, tmp_path: Path) -> None:
    folder = real_data / "panels" / "rice_rdp1_44k"
    with zipfile.ZipFile(folder / "raw" / "Rice44k.zip") as archive:
        for name in archive.namelist():
            if Path(name).stem == "UNL" and "__MACOSX" not in name:
                (tmp_path / Path(name).name).write_bytes(archive.read(name))
    plink, tidy = read_genotypes(tmp_path / "UNL"), read_genotypes(folder)
    assert [f"NSFTV_{name}" for name in plink.accessions] == list(tidy.accessions)
    np.testing.assert_array_equal(plink.dosage, tidy.dosage)
    for column in ("identifier", "contig", "position", "counted", "other"):
        np.testing.assert_array_equal(getattr(plink.markers, column), getattr(tidy.markers, column))
