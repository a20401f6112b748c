"""How fast are genotypes read, beside unpacking the file, bcftools and plink2, and in how much memory?

    OMP_NUM_THREADS=1 python benchmarks/speed/reading_speed.py
    OMP_NUM_THREADS=1 python benchmarks/speed/reading_speed.py --form full
    OMP_NUM_THREADS=1 python benchmarks/speed/reading_speed.py --large

A simulated VCF of diploid calls in linkage (founders' haplotypes that change along the chromosome, 2 %
missing), packed with BGZF; ``--form full`` adds depths and qualities (GT:AD:DP:GQ) to every call. In turn,
processor seconds of one thread each: unpacking alone; ``read_genotypes``, which checks every line, counts
alleles and gives a matrix of dosages; ``bcftools view`` to uncompressed BCF; ``plink2 --make-bed``, where
they are installed.

``--large``: 10,000 accessions x 500,000 SNPs as PLINK bed, written block by block, then streamed
(``summarise_calls``, which ``budwood inspect`` uses, and allele frequencies), with the peak memory; a VCF of
a tenth of the SNPs read to a matrix. Needs 1.5 GB of disk under ``--folder``; the files are removed.
"""

from __future__ import annotations

import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # finds the package `benchmarks`

import numpy as np
from numpy.typing import NDArray

from benchmarks.common.arguments import parser_for
from benchmarks.common.timing import cpu_seconds, peak_gigabytes
from budwood.genomics.io.text.bgzf import BgzfWriter
from budwood.genomics.io.text.compressed import open_bytes
from budwood.genomics.io.variants.open_genotypes import open_calls, read_genotypes, summarise_calls

FOUNDERS, STRETCH, MISSING_SHARE = 40, 50, 0.02
SPELLED = {
    "plain": (b"0/0", b"0/1", b"1/1", b"./."),
    "full": (b"0/0:12,0:12:36", b"0/1:07,5:12:99", b"1/1:00,9:09:27", b"./.:00,0:00:00"),
}
#: Two bits of each dosage of A1 in a bed file; the last stands for a missing call.
BITS = np.array([3, 2, 0, 1], dtype=np.uint8)


def dosages(accessions: int, markers: int, seed: int = 1) -> Iterator[NDArray[np.uint8]]:
    """Rows of dosages of the second allele, 3 for missing."""
    random = np.random.default_rng(seed)
    first = random.integers(0, FOUNDERS, accessions)
    second = np.where(random.random(accessions) < 0.1, random.integers(0, FOUNDERS, accessions), first)
    for marker in range(markers):
        if marker % STRETCH == 0:
            changed = random.random(accessions) < 0.1
            first = np.where(changed, random.integers(0, FOUNDERS, accessions), first)
            second = np.where(changed, first, second)
        carriers = (random.random(FOUNDERS) < random.beta(0.5, 1.5)).astype(np.uint8)
        row = carriers[first] + carriers[second]
        row[random.integers(0, accessions, int(accessions * MISSING_SHARE))] = 3
        yield row


def write_vcf(path: Path, accessions: int, markers: int, form: str) -> None:
    words = np.array([list(word + b"\t") for word in SPELLED[form]], dtype=np.uint8)
    names = "\t".join(f"L{number}" for number in range(accessions))
    fields = b"GT" if form == "plain" else b"GT:AD:DP:GQ"
    header = (
        "##fileformat=VCFv4.2\n##contig=<ID=chr1,length=500000000>\n"
        '##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">\n'
        '##FORMAT=<ID=AD,Number=R,Type=Integer,Description="Depth of each allele">\n'
        '##FORMAT=<ID=DP,Number=1,Type=Integer,Description="Depth">\n'
        '##FORMAT=<ID=GQ,Number=1,Type=Integer,Description="Quality">\n'
        f"#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\t{names}\n"
    )
    with path.open("wb") as handle:
        packed = BgzfWriter(handle)
        packed.write(header.encode())
        for number, row in enumerate(dosages(accessions, markers)):
            calls = words[row].ravel()[:-1].tobytes()
            packed.write(
                b"chr1\t%d\ts%d\tA\tG\t.\tPASS\t.\t%s\t%s\n" % (100 * number + 1, number, fields, calls)
            )
        packed.finish()


def write_bed(prefix: Path, accessions: int, markers: int) -> None:
    """A bed, bim and fam; the calls of a thousand markers repeat, which costs the reader as much."""
    rows = np.stack(list(dosages(accessions, 1000)))
    bits = BITS[rows].reshape(len(rows), -1, 4)
    packed = (bits << np.array([0, 2, 4, 6], dtype=np.uint8)).sum(axis=2, dtype=np.uint8)
    with prefix.with_suffix(".bed").open("wb") as handle:
        handle.write(b"\x6c\x1b\x01")
        for begin in range(0, markers, len(packed)):
            handle.write(packed[: markers - begin].tobytes())
    prefix.with_suffix(".bim").write_text(
        "".join(f"1\ts{number}\t0\t{100 * number + 1}\tG\tA\n" for number in range(markers))
    )
    prefix.with_suffix(".fam").write_text("".join(f"L{n} L{n} 0 0 0 -9\n" for n in range(accessions)))


def unpack(path: Path) -> None:
    with open_bytes(path) as handle:
        while handle.read(1 << 18):
            pass


def of_a_command(command: list[str]) -> float:
    """Processor seconds of another program."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def compare(path: Path, folder: Path, repeats: int) -> None:
    ways: dict[str, Callable[[], float]] = {
        "unpacking alone": lambda: cpu_seconds(lambda: unpack(path))[0],
        "read_genotypes": lambda: cpu_seconds(lambda: read_genotypes(path))[0],
    }
    if shutil.which("bcftools"):
        ways["bcftools view -Ou"] = lambda: of_a_command(
            ["bcftools", "view", "-Ou", "-o", "/dev/null", str(path)]
        )
    if shutil.which("plink2"):
        made = ["--threads", "1", "--make-bed", "--allow-extra-chr", "--out", str(folder / "made")]
        ways["plink2 --make-bed"] = lambda: of_a_command(["plink2", "--vcf", str(path), *made])
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(repeats):
        for name, way in ways.items():
            seconds[name].append(way())
    ours = min(seconds["read_genotypes"])
    for name, each in seconds.items():
        print(f"{name}: {min(each):.2f} s, ours takes {ours / min(each):.1f} times as long")


def large(folder: Path, accessions: int, markers: int) -> None:
    prefix = folder / "large"
    write_bed(prefix, accessions, markers)
    size = prefix.with_suffix(".bed").stat().st_size
    print(f"bed, {accessions:,} x {markers:,}: {size / 1e9:.2f} GB; peak so far {peak_gigabytes():.2f} GB")
    began = time.process_time()
    summary = summarise_calls(open_calls(prefix))
    took = time.process_time() - began
    print(
        f"summarised: {summary.sites:,} sites, {summary.missing_share:.1%} missing, {took:.0f} s, "
        f"{accessions * markers / took / 1e6:,.0f} million calls/s, peak {peak_gigabytes():.2f} GB"
    )
    began = time.process_time()
    counted = 0
    for block in open_calls(prefix).blocks():
        counted += int(np.count_nonzero(block.alleles == 1))
    took = time.process_time() - began
    print(
        f"streamed: {counted:,} copies of the counted allele, {took:.0f} s, "
        f"{accessions * markers / took / 1e6:,.0f} million calls/s, peak {peak_gigabytes():.2f} GB"
    )
    for suffix in (".bed", ".bim", ".fam"):
        prefix.with_suffix(suffix).unlink()
    path = folder / "tenth.vcf.gz"
    write_vcf(path, accessions, markers // 10, "plain")
    took, panel = cpu_seconds(lambda: read_genotypes(path))
    print(
        f"VCF of a tenth, {path.stat().st_size / 1e6:.0f} MB: matrix of {panel.dosage.shape}, {took:.0f} s, "
        f"{panel.dosage.size / took / 1e6:,.0f} million calls/s, peak {peak_gigabytes():.2f} GB"
    )


def main() -> None:
    parser = parser_for(__doc__)
    parser.add_argument("--accessions", type=int, help="1,000, with --large 10,000")
    parser.add_argument("--markers", type=int, help="20,000, with --large 500,000")
    parser.add_argument("--form", choices=tuple(SPELLED), default="plain")
    parser.add_argument("--repeats", type=int, default=3, help="the fastest counts")
    parser.add_argument("--large", action="store_true")
    parser.add_argument("--folder", type=Path, help="where the files are made (default: a temporary one)")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=arguments.folder) as name:
        folder = Path(name)
        if arguments.large:
            large(folder, arguments.accessions or 10_000, arguments.markers or 500_000)
            return
        accessions, markers = arguments.accessions or 1000, arguments.markers or 20_000
        path = folder / "panel.vcf.gz"
        write_vcf(path, accessions, markers, arguments.form)
        print(f"{accessions:,} x {markers:,}, {arguments.form}: {path.stat().st_size / 1e6:.1f} MB")
        compare(path, folder, arguments.repeats)


if __name__ == "__main__":
    main()
