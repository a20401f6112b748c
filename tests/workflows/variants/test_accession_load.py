from pathlib import Path

import pytest

from budwood.errors import BudwoodError
from budwood.genomics.io.tables.phenotypes.covariates import read_covariates
from budwood.workflows.variants.accession_load import write_load

GENOME = "TTATGAAATGGTAATT"
GENES = "1\tx\tmRNA\t3\t14\t.\t+\t.\tID=t\n1\tx\tCDS\t3\t14\t.\t+\t0\tParent=t\n"
RECORDS = (
    "1\t6\t.\tA\tT\t.\t.\t.\tGT\t0/0/0/1\t1/1\t./.",  # stop gained
    "1\t8\t.\tA\tG\t.\t.\t.\tGT\t0/1/1/1\t0/1\t0/0",  # synonymous
    "1\t7\t.\tA\t*\t.\t.\t.\tGT\t0/0/0/1\t1/1\t1/1",
)


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Path]:
    header = "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\ttetraploid\tdiploid\tother"
    text = "\n".join(["##fileformat=VCFv4.2", "##contig=<ID=1,length=16>", header, *RECORDS])
    contents = {"calls.vcf": text + "\n", "genome.fa": f">1\n{GENOME}\n", "genes.gff3": GENES}
    for name, content in contents.items():
        (tmp_path / name).write_text(content)
    return {
        "vcf": tmp_path / "calls.vcf",
        "reference": tmp_path / "genome.fa",
        "annotation": tmp_path / "genes.gff3",
        "out": tmp_path / "load.csv",
    }


def test_the_table_is_read_as_covariates(files: dict[str, Path]) -> None:
    found = write_load(**files)
    assert read_covariates(files["out"]) == {
        "load_high": {"tetraploid": 0.25, "diploid": 1.0, "other": 0.625},
        "load_low": {"tetraploid": 0.75, "diploid": 0.5, "other": 0.0},
    }
    assert not found.columns["load_moderate"].any()
    assert found.notes == ("1 ALT allele without a consequence counts nowhere",)


def test_a_file_of_the_user_is_not_replaced(files: dict[str, Path]) -> None:
    files["out"].write_text("mine")
    for overwrite in (False, True):
        with pytest.raises(BudwoodError, match="did not write"):
            write_load(**files, overwrite=overwrite)
    assert files["out"].read_text() == "mine"
    files["out"].unlink()
    write_load(**files)
    before = files["out"].read_text()
    with pytest.raises(BudwoodError, match=r"exists|there"):
        write_load(**files)
    write_load(**files, overwrite=True)
    assert files["out"].read_text() == before


def test_refusals_leave_nothing_behind(files: dict[str, Path]) -> None:
    lines = files["vcf"].read_text().splitlines()
    without = [line.split("\t") for line in lines if not line.startswith("##")]
    head = lines[:2] + ["\t".join(fields[:8]) for fields in without]
    files["vcf"].write_text("\n".join(head) + "\n")
    with pytest.raises(BudwoodError, match="no accessions"):
        write_load(**files)
    files["vcf"].write_text("\n".join(line.replace("1/1", "0/0") for line in [*lines[:3], lines[5]]) + "\n")
    with pytest.raises(BudwoodError, match="no accession carries"):
        write_load(**files)
    assert not files["out"].exists()
    assert not list(files["out"].parent.glob(".*partial"))
