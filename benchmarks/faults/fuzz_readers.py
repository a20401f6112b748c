"""Mutated files of every format: each must end in success or in one sentence (exit 2), in 10 s and 2 GB.

Small sound files of each format are mutated (one to four changes: bytes put in, dropped, repeated, swapped or
replaced by what is known to break readers; packed files before or after they are packed) and read. Genomes,
genotypes, annotations, phenotypes and marker maps go through ``budwood inspect`` in this process, manifests
through ``verify``; everything else goes through its reader, whose refusal every verb turns into exit 2. Input
I of a format depends on the seed, the format and I alone. A hundred inputs share a process with an address
space of 2 GB. Over 10 s of processor time count as a fault; a process that stops, or that an input keeps for
two minutes, is counted, and a new one continues behind that input. Finished parts are kept in --out, so a
second run resumes; the last lines are the table of docs/files.md.

    OMP_NUM_THREADS=1 python benchmarks/faults/fuzz_readers.py --inputs 300 --out fuzz.jsonl
    OMP_NUM_THREADS=1 python benchmarks/faults/fuzz_readers.py --show "GFF3" 17      # one input once more
"""

from __future__ import annotations

import contextlib
import faulthandler
import functools
import gzip
import importlib
import io
import json
import lzma
import os
import resource
import sys
import tempfile
import time
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # finds the package `benchmarks`

import numpy as np

from benchmarks.common.arguments import parser_for
from benchmarks.common.results_file import Record, append_result, read_results
from benchmarks.common.small_files import BINARY, TEXTS, write_sound

SEED, SECONDS, HANGS, MEMORY, PART = 11, 10.0, 120.0, 2_000_000_000, 100
FORMATS = (*TEXTS, *BINARY)
Generator = np.random.Generator

ODD = (
    # what peers' files were seen to hold, and what breaks readers
    *(
        b"",
        b"\0",
        b"\xef\xbb\xbf",
        b"\xff\xfe",
        "\u2028".encode(),
        "\x85".encode(),
        b"\x0b",
        b"\x1c",
        b"\x1a",
    ),
    *(
        b"\r",
        b"\r\n",
        b"\n\n",
        b"\t",
        b" ",
        b",",
        b";",
        b'"',
        b"'",
        b'"' * 41,
        b",," * 20,
        b"\t" * 50,
        b"\n" * 30,
    ),
    *(b"9" * 400, b"9" * 5000, b"1e400", b"1e309", b"1e30", str(2**63).encode(), str(-(2**63) - 1).encode()),
    *(
        b"-9",
        b"-1",
        b"0",
        b"9",
        b"nan",
        b"inf",
        b"-inf",
        b"0x1F",
        b"1_0",
        "٣".encode(),
        "−1".encode(),
        b"1e-320",
    ),
    *(
        b"(" * 3000,
        b"[" * 3000,
        b"{" * 3000,
        b"=1+1",
        b">",
        b"#",
        b"a=",
        b"ID=",
        b"Parent=;",
        b"%00",
        b"\\",
        b"%s",
    ),
    *(
        "é".encode(),
        b"\xe9",
        b"\xed\xb2\x80",
        "\U0001f33d".encode(),
        b"true",
        b"1979-05-27",
        b"[]",
        b"{}",
        b"=",
    ),
    *(
        b".",
        b"NA",
        b"1,5",
        b"1.234,5",
        b"12 %",
        b"AG",
        b"0/1",
        b"./.",
        b"3|4|5",
        b"<DEL>",
        b"*",
        b"N",
        b"\x7f",
        b"|",
    ),
)


def mutated(data: bytes, generator: Generator) -> bytes:
    """One to four changes of the content."""
    for _ in range(int(generator.integers(1, 5))):
        at = int(generator.integers(0, len(data) + 1))
        length = int(generator.choice([1, 2, 4, 12, 40]))
        odd = ODD[int(generator.integers(len(ODD)))]
        piece = data[at : at + length]
        kind = int(generator.integers(8))
        if kind == 0:
            data = data[:at] + odd + data[at:]
        elif kind == 1:
            data = data[:at] + data[at + length :]
        elif kind == 2:
            data = data[:at] + piece * int(generator.choice([2, 3, 300])) + data[at:]
        elif kind == 3 and piece:
            data = data.replace(piece, odd, 2)
        elif kind == 4:
            data = data[at:] + data[:at]
        elif kind == 5:
            data = data[:at] + generator.bytes(length) + data[at + length :]
        elif kind == 6:
            data = data[:at] + odd + data[at + length :]
        elif kind == 7 and data:
            lines = data.split(b"\n")
            row = int(generator.integers(len(lines)))
            cells = lines[row].split(b"\t" if b"\t" in lines[row] else b",")
            cells[int(generator.integers(len(cells)))] = odd
            lines[row] = (b"\t" if b"\t" in lines[row] else b",").join(cells)
            data = b"\n".join(lines)
    return data


def changed(name: str, data: bytes, generator: Generator) -> bytes:
    """The content of a file with changes; half of the packed ones are changed before they are packed."""
    if "UTF-16" in name:
        found = mutated(data, generator)
        with contextlib.suppress(UnicodeDecodeError):
            return found.decode().encode("utf-16")
        return found
    inside = generator.random() < 0.5
    if name.endswith((", gzip", ", xz")):
        found = mutated(data, generator) if inside else data
        pack = gzip.compress if name.endswith("gzip") else lzma.compress
        return pack(found) if inside else mutated(pack(found), generator)
    if inside and data[:2] == b"\x1f\x8b":
        return gzip.compress(mutated(gzip.decompress(data), generator))
    if inside and data[:2] == b"PK":
        return repacked(data, generator)
    return mutated(data, generator)


def repacked(data: bytes, generator: Generator) -> bytes:
    """A zip file in which one file is changed."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    chosen = sorted(files)[int(generator.integers(len(files)))]
    files[chosen] = mutated(files[chosen], generator)
    found = io.BytesIO()
    with zipfile.ZipFile(found, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return found.getvalue()


def command(*words: str) -> Callable[[Path], int]:
    """A verb of the command line, in this process."""
    import typer.main

    from budwood.cli.app import main

    # The verbs are put together once for the process, as a command does.
    typer.main.get_command = functools.cache(typer.main.get_command)
    return lambda path: main([*words, str(path)])


def reader(read: Callable[[Path], object]) -> Callable[[Path], int]:
    """A reader that no verb reaches with one file alone; its refusal counts as exit 2."""
    from budwood.errors import BudwoodError

    def run(path: Path) -> int:
        try:
            read(path)
        except BudwoodError as error:
            print(error.sentence)
            return 2
        return 0

    return run


def checked_recipe(path: Path) -> None:
    """Read a recipe of a training as ``pretrain`` does."""
    from budwood.training.recipe.recipe import read_recipe
    from budwood.training.recipe.recipe_check import check_recipe

    check_recipe(read_recipe(path), str(path))


#: Functions that read a format which ``inspect`` does not.
READERS = {
    "environments": "genomics.io.tables.phenotypes.environments.read_environments",
    "covariates": "genomics.io.tables.phenotypes.covariates.read_covariates",
    "numbers of accessions": "genomics.io.tables.accession_table.read_accession_numbers",
    "groups of accessions": "genomics.io.tables.accession_table.read_accession_column",
    "list of accessions": "genomics.io.tables.accession_table.read_accession_list",
    "kinship, square table": "genomics.io.tables.kinship.read_kinship",
    "kinship, GCTA": "genomics.io.tables.kinship.read_kinship",
    "species table": "genomics.io.tables.species_table.read_species_table",
    "known genes": "genomics.io.tables.genes.known_genes.read_known_genes",
    "gene pairs": "genomics.io.tables.genes.gene_pairs.read_gene_pairs",
    "gene places": "genomics.io.tables.genes.gene_places.read_gene_places",
    "labelled intervals": "genomics.io.annotation.labelled_intervals.read_labelled_intervals",
    "table of sequences": "genomics.io.tables.sequence_table.read_sequence_table",
    "sequences of a collection": "genomics.io.sequence.fasta_collection.open_collection",
    "aligned FASTA": "genomics.io.sequence.alignment_fasta.read_alignment_fasta",
    "MAF": "genomics.io.sequence.maf.read_maf",
    "Newick": "genomics.io.tables.newick.read_newick",
    "corpus recipe": "corpus.recipe.recipe.read_corpus_recipe",
    "haplotype table": "genomics.io.variants.haplotype_store.read_stored_haplotypes",
}


def read_with(name: str) -> Callable[[Path], int]:
    """What reads a format: a verb, or its reader."""
    if name == "manifest":
        return command("verify")
    if name == "training recipe":
        return reader(checked_recipe)
    if name not in READERS:
        return command("inspect")
    module, _, function = READERS[name].rpartition(".")
    read = getattr(importlib.import_module(f"budwood.{module}"), function)
    return reader(functools.partial(read, genes={"g1", "g2"}) if name == "known genes" else read)


def run_one(name: str, index: int, read: Callable[[Path], int], folder: Path) -> tuple[int, str]:
    """Mutate and read one input; the exit code and what was printed."""
    generator = np.random.default_rng([SEED, zlib.crc32(name.encode()), index])
    file, path = write_sound(name, folder)
    file.write_bytes(changed(name, file.read_bytes(), generator))
    told = io.StringIO()
    try:
        with contextlib.redirect_stdout(told), contextlib.redirect_stderr(told):
            code = read(path)
    except BaseException as error:
        return 1, f"{type(error).__name__}: {error}"
    return code, told.getvalue()


def work(name: str, first: int, last: int, out: Path, read: Callable[[Path], int]) -> None:
    """Read inputs and append a line for each; ends by itself where one does not come back."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    for index in range(first, last):
        with tempfile.TemporaryDirectory() as folder:
            faulthandler.dump_traceback_later(HANGS, exit=True)
            begun = time.process_time()
            code, told = run_one(name, index, read, Path(folder))
            seconds = time.process_time() - begun
            faulthandler.cancel_dump_traceback_later()
        if name == "manifest" and code == 1:  # a check that failed is what the verb finds
            code = 2
        fault = told.strip().splitlines()[-1][:300] if code not in (0, 2) and told.strip() else ""
        if seconds > SECONDS:
            code, fault = 1, f"{seconds:.0f} seconds"
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
        append_result(out, {"code": code, "seconds": round(seconds, 3), "peak_mb": peak, "fault": fault})


def run_part(name: str, part: int, read: Callable[[Path], int]) -> Record:
    """Outcomes of a hundred inputs of a format; an input that ends its process counts as one of them."""
    with tempfile.TemporaryDirectory() as folder:  # imports what the sound file needs, once for all
        _, sound = write_sound(name, Path(folder))
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            if (code := read(sound)) != 0:
                raise SystemExit(f"the sound file of {name} ends with exit code {code}")
    first, last = part * PART, (part + 1) * PART
    lines: list[Record] = []
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "outcomes.jsonl"
        out.touch()
        while first + len(lines) < last:
            process = os.fork()
            if process == 0:
                with contextlib.suppress(BaseException):
                    work(name, first + len(lines), last, out, read)
                os._exit(0)
            _, status = os.waitpid(process, 0)
            lines = [json.loads(line) for line in out.read_text().splitlines()]
            if first + len(lines) < last:
                ended = {
                    "code": 1,
                    "seconds": SECONDS,
                    "peak_mb": 0.0,
                    "fault": f"ended with status {status}",
                }
                append_result(out, ended)
                lines.append(ended)
    codes = [line["code"] for line in lines]
    return {
        "format": name,
        "part": part,
        "tried": len(lines),
        "read": codes.count(0),
        "refused": codes.count(2),
        "other": {
            str(first + i): line["fault"] for i, line in enumerate(lines) if line["code"] not in (0, 2)
        },
        "longest_s": max(line["seconds"] for line in lines),
        "peak_mb": round(max(line["peak_mb"] for line in lines)),
    }


def table(records: list[Record]) -> str:
    """The results by format."""
    rows = [
        "| format | tried | read | refused | other | longest, s | peak, MB |",
        "|---|--:|--:|--:|--:|--:|--:|",
    ]
    for name in (*FORMATS, "all"):
        mine = [each for each in records if name in (each["format"], "all")]
        if mine:
            sums = " | ".join(f"{sum(each[key] for each in mine):,}" for key in ("tried", "read", "refused"))
            other = sum(len(each["other"]) for each in mine)
            longest, peak = max(each["longest_s"] for each in mine), max(each["peak_mb"] for each in mine)
            rows.append(f"| {name} | {sums} | {other} | {longest:.2f} | {peak} |")
    return "\n".join(rows)


def main() -> None:
    parser = parser_for(__doc__)
    parser.add_argument("--inputs", type=int, default=300, help="inputs of each format, in hundreds")
    parser.add_argument("--only", action="append", choices=FORMATS, help="a format; all by default")
    parser.add_argument("--out", type=Path, help="file of finished parts, one in a line")
    parser.add_argument("--show", nargs=2, metavar=("FORMAT", "I"), help="run one input here, and print all")
    options = parser.parse_args()
    if options.show:
        with tempfile.TemporaryDirectory() as folder:
            name, index = options.show[0], int(options.show[1])
            code, told = run_one(name, index, read_with(name), Path(folder))
        print(told, f"exit code {code}", sep="\n")
        return
    known = read_results(options.out, "format", "part") if options.out else {}
    for part in range(-(-options.inputs // PART)):
        for name in options.only or FORMATS:
            if (name, part) not in known:
                known[name, part] = run_part(name, part, read_with(name))
                if options.out:
                    append_result(options.out, known[name, part])
            for index, fault in known[name, part]["other"].items():
                print(f"{name}, input {index}: {fault}", flush=True)
    print(table(list(known.values())))


if __name__ == "__main__":
    main()
