from __future__ import annotations

import gzip
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from budwood.errors import BudwoodError
from budwood.genomics.haplotypes.calls import CallSource
from budwood.genomics.io.variants.open_genotypes import (
    GenotypeFile,
    open_calls,
    read_genotypes,
    summarise_calls,
)

VCF = (
    "##fileformat=VCFv4.3\n##contig=<ID=1>\n"
    "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\ta\tb\n"
    "1\t10\tm1\tC\tT\t.\t.\t.\tGT\t0/1\t1/1\n"
    "1\t20\tm2\tA\tG\t.\t.\t.\tGT\t0/0\t./.\n"
)
HAPMAP = (
    "rs#\talleles\tchrom\tpos\tstrand\tassembly#\tcenter\tprotLSID\tassayLSID\tpanelLSID\tQCcode\ta\tb\n"
    "m1\tC/T\t1\t10\t+\tNA\tNA\tNA\tNA\tNA\tNA\tCT\tTT\n"
    "m2\tA/G\t1\t20\t+\tNA\tNA\tNA\tNA\tNA\tNA\tAA\tNN\n"
)
LETTERS = "marker,chrom,pos,a,b\nm1,1,10,CT,TT\nm2,1,20,AG,NN\n"
NUMERIC = "marker,chrom,pos,allele0,allele1,a,b\nm1,1,10,C,T,1,2\nm2,1,20,A,G,0,NA\n"


def write_every_format(folder: Path) -> dict[str, Path]:
    """The same two markers of two diploid accessions, in every format."""
    texts = {"v.txt": VCF, "h.hmp.txt": HAPMAP, "n.csv": NUMERIC}
    for name, text in texts.items():
        (folder / name).write_text(text)
    (folder / "v.vcf.gz").write_bytes(gzip.compress(VCF.encode()))
    (folder / "p.bim").write_text("1 m1 0 10 T C\n1 m2 0 20 G A\n")
    (folder / "p.fam").write_text("a a 0 0 0 -9\nb b 0 0 0 -9\n")
    (folder / "p.bed").write_bytes(b"\x6c\x1b\x01\x02\x07")
    (folder / "tidy").mkdir()
    np.savez(
        folder / "tidy" / "geno.npz",
        ids=np.array(["a", "b"]),
        dosage=np.array([[1, 0], [2, -1]], dtype=np.int8),
    )
    (folder / "tidy" / "markers.csv").write_text(
        "marker,chrom,pos,allele0,allele1\nm1,1,10,C,T\nm2,1,20,A,G\n"
    )
    names = ["v.txt", "v.vcf.gz", "h.hmp.txt", "n.csv", "p", "p.bed", "p.fam", "tidy"]
    return {name: folder / name for name in names}


def test_every_format_gives_the_same_genotypes(tmp_path: Path) -> None:
    formats = set()
    for name, path in write_every_format(tmp_path).items():
        source = open_calls(path)
        formats.add(source.format)
        assert isinstance(source, GenotypeFile)
        as_source: CallSource = source
        assert as_source.accessions == ("a", "b"), name
        panel = read_genotypes(path)
        assert panel.dosage.tolist() == [[1, 0], [2, -1]], name
        assert panel.ploidy.tolist() == [2, 2], name
        assert panel.markers.identifier.tolist() == ["m1", "m2"]
        assert panel.markers.contig.tolist() == ["1", "1"]
        assert panel.markers.position.tolist() == [9, 19]
        assert panel.markers.counted.tolist() == ["T", "G"]
        assert panel.markers.other.tolist() == ["C", "A"]
        summary = summarise_calls(source)
        assert (summary.sites, summary.missing_share, summary.ploidies) == (2, 0.25, (2,)), name
        # A source can be streamed again.
        assert [block.sites for block in source.blocks()] == [block.sites for block in source.blocks()]
    assert formats == {"VCF", "HapMap", "dosage table", "PLINK", "tidy panel"}


def test_letters_are_told_from_numbers(tmp_path: Path) -> None:
    path = tmp_path / "l.csv"
    path.write_text(LETTERS)
    assert open_calls(path).format == "letters"
    assert read_genotypes(path).dosage.tolist() == [[1, 1], [2, -1]]


def test_polyploid_calls_in_a_diploid_setting_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "t.vcf"
    path.write_text(VCF.replace("0/1", "0/0/1/1"))
    assert read_genotypes(path, ploidy=4).dosage[0].tolist() == [2, 0]
    with pytest.raises(BudwoodError, match="4 copies where ploidy 2 was given"):
        read_genotypes(path, ploidy=2)
    numeric = tmp_path / "n.csv"
    numeric.write_text("taxa,m1\na,4\n")
    with pytest.raises(BudwoodError, match="a dosage is 4 where ploidy 2 was given"):
        read_genotypes(numeric, ploidy=2)
    with pytest.raises(BudwoodError, match="ploidy 0 is not possible"):
        open_calls(numeric, ploidy=0)


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        (
            "x.txt",
            "Dear all,\nplease find the genotypes attached\n",
            "format of the genotype file is not known",
        ),
        ("x.csv", "", "the file is empty"),
        ("x.zip", "PK\x03\x04 and more", "packed with zip"),
        ("x.pgen", "lb", "plink2 --make-bed"),
        ("x.vcf", VCF.replace("0/1", ".").replace("1/1", ".").replace("0/0", "."), "no accession has a call"),
        ("x.vcf", "\n".join(VCF.split("\n")[:3]) + "\n", "no marker with a second allele"),
        ("x.vcf", "##fileformat=VCFv4.3\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n", "no accessions"),
    ],
)
def test_what_cannot_be_read_gets_one_sentence(
    tmp_path: Path, name: str, content: str, sentence: str
) -> None:
    (tmp_path / name).write_text(content)
    with pytest.raises(BudwoodError, match=sentence):
        read_genotypes(tmp_path / name)


def test_missing_paths_and_folders_get_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(BudwoodError, match="does not exist"):
        open_calls(tmp_path / "nothing.vcf")
    with pytest.raises(BudwoodError, match="the folder is no panel"):
        open_calls(tmp_path)
    paths = write_every_format(tmp_path)
    with pytest.raises(BudwoodError, match="a marker map goes with a table of dosages only"):
        open_calls(paths["v.txt"], marker_map=paths["n.csv"])


@pytest.mark.real
def test_the_sorghum_vcf_equals_its_tidy_form(real_data: Path) -> None:
    folder = real_data / "panels" / "sorghum_sbdiv"
    vcf, tidy = read_genotypes(folder / "raw" / "example_genotypes.vcf.gz"), read_genotypes(folder)
    assert vcf.accessions == tidy.accessions
    np.testing.assert_array_equal(vcf.dosage, tidy.dosage)
    np.testing.assert_array_equal(vcf.markers.position, tidy.markers.position)
    np.testing.assert_array_equal(vcf.markers.counted, tidy.markers.counted)


@pytest.mark.real
def test_a_truncated_real_vcf_is_refused(real_data: Path, tmp_path: Path) -> None:
    source = real_data / "panels" / "sorghum_sbdiv" / "raw" / "example_genotypes.vcf.gz"
    path = tmp_path / "cut.vcf.gz"
    shutil.copyfile(source, path)
    with path.open("r+b") as handle:
        handle.truncate(path.stat().st_size * 2 // 3)
    with pytest.raises(BudwoodError, match="truncated or damaged"):
        read_genotypes(path)


@pytest.mark.slow
def test_three_thousand_accessions_at_two_hundred_thousand_markers_fit(tmp_path: Path) -> None:
    n, m = 3_000, 200_000
    rng = np.random.default_rng(1)
    with (tmp_path / "p.bed").open("wb") as handle:
        handle.write(b"\x6c\x1b\x01")
        for _ in range(100):
            handle.write(rng.integers(0, 256, m // 100 * n // 4, dtype=np.uint8).tobytes())
    (tmp_path / "p.bim").write_text("".join(f"{1 + j // 20_000} m{j} 0 {j + 1} A G\n" for j in range(m)))
    (tmp_path / "p.fam").write_text("".join(f"f{i} line{i} 0 0 0 -9\n" for i in range(n)))
    code = (
        "import sys; from pathlib import Path; from budwood.genomics.io.variants.open_genotypes import "
        "read_genotypes\n"
        "assert read_genotypes(Path(sys.argv[1])).dosage.shape == (3000, 200000)\n"
        "print([line.split()[1] for line in open('/proc/self/status') if line.startswith('VmHWM')][0])"
    )
    run = [sys.executable, "-c", code, str(tmp_path / "p")]
    told = subprocess.run(run, capture_output=True, text=True, check=True)
    assert int(told.stdout) < 1_500_000  # kB
