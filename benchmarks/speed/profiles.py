"""Where does the time of each verb go, and what bounds it?

    OMP_NUM_THREADS=1 python benchmarks/speed/profiles.py
    OMP_NUM_THREADS=1 python benchmarks/speed/profiles.py --verbs predict,embed --top 12

Runs the commands on small simulated files, each in a process of its own under cProfile with processor
seconds as its clock and an empty cache, and prints what share of them went where: to groups of functions (by
their own time; what NumPy's operators do counts for the function that uses them) and to single ones. First
it measures what bounds them on this core: products of matrices, memory, unpacking. docs/profiles.md has
the figures of one run.
"""

from __future__ import annotations

import cProfile
import importlib
import io
import os
import pstats
import re
import subprocess
import sys
import tempfile
import time
import zlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # finds the package `benchmarks`

import numpy as np

from benchmarks.common.arguments import parser_for
from benchmarks.common.timing import cpu_seconds

VERBS = ("predict", "evaluate", "embed", "score-variants", "corpus", "pretrain", "select")
LEAST = 0.02
CORPUS = """name = "profile"
seed = 1
{assemblies}
[filter]
min_n50 = 10000
[balance]
method = "equal"
"""
ASSEMBLY = '[[assembly]]\nspecies = "{species}"\nfasta = "{name}.fa"\nannotation = "{name}.gff3"\n'
TRAINING = """name = "profile"
seed = 1
[corpus]
folder = "corpus"
[schedule]
steps = 6
batch = 16
precision = "{precision}"
"""
ARRAYS = "scipy.linalg scipy.stats scipy.sparse budwood.genomics.io.variants.open_genotypes jinja2 rich"
NETWORK = f"{ARRAYS} torch budwood.model.checkpoint budwood.model.language_model budwood.inference.embed"
#: What each verb loads, so that the profile is of its own work.
LIBRARIES = {
    "predict": NETWORK,
    "evaluate": ARRAYS,
    "embed": NETWORK,
    "score-variants": NETWORK,
    "corpus": f"{ARRAYS} budwood.corpus.stages.build",
    "pretrain": f"{NETWORK} accelerate budwood.training.loop.pretrain",
    "select": ARRAYS,
}
#: The first that fits a function's file and name is its group.
GROUPS = (
    ("work of other threads, which the profiler does not see", r"_thread\.lock"),
    (
        "starting Python and its libraries",
        r"importlib|marshal|create_dynamic|built-in method builtins\.(compile|exec"
        r"|__build_class__)|posix\.(stat|listdir)|open_code|<frozen|dataclasses\.py|re/_|typing\.py|inspect\.py|enum\.py",
    ),
    ("gradients: the backward pass", r"run_backward"),
    (
        "products of the encoder",
        r"mkldnn|linear|conv1d|_convolution|scaled_dot|matmul|bmm|addmm|baddbmm|_ops\.py",
    ),
    ("other operations of PyTorch", r"torch|transformers|accelerate"),
    ("unpacking and packing", r"zlib|lzma|gzip|bgzf|_compression"),
    ("cache of vectors", r"sqlite|blake2|vector_store"),
    ("digests of files", r"_hashlib|sha256|hashlib"),
    ("decompositions and products of matrices", r"linalg|lapack|blas|scipy"),
    ("NumPy", r"numpy"),
    (
        "pictures, report and files of the result",
        r"budwood/(report|artifacts|workflows)|jinja2|json|csv|markupsafe",
    ),
)


@dataclass(frozen=True)
class Profile:
    """Processor seconds by function (file:name), without what it calls, and those of loading libraries."""

    seconds: dict[str, float]
    start: float

    @property
    def total(self) -> float:
        return sum(self.seconds.values())

    def groups(self) -> list[tuple[str, float]]:
        found: Counter[str] = Counter()
        for function, seconds in self.seconds.items():
            found[group_of(function)] += seconds
        return found.most_common()


def group_of(function: str) -> str:
    for name, pattern in GROUPS:
        if re.search(pattern, function):
            return name
    package = re.search(r"budwood/(\w+)", function)
    return f"budwood.{package[1]}, with its arrays" if package else "the rest of Python"


def inputs(folder: Path) -> dict[str, list[str]]:
    """Files of each verb, and its words on the command line."""
    from benchmarks.speed.reading_speed import write_vcf
    from budwood.simulate.files import DemoConfig, write_annotation, write_panel, write_reference
    from budwood.simulate.population import PopulationConfig
    from budwood.simulate.species import SpeciesConfig, simulate_species
    from budwood.simulate.trait import TraitConfig

    sizes = SpeciesConfig(contigs=2, contig_length=60_000, genes_per_contig=12, seed=1)
    made = DemoConfig(sizes, PopulationConfig(lines=200, seed=1), TraitConfig(phenotyped=120, seed=1))
    panel = write_panel(folder / "panel", made)
    trait = panel.phenotypes.read_text().split("\n", 1)[0].split(",")[1].strip()
    assemblies = ""
    for seed, name in enumerate(("alpha", "beta")):
        species = simulate_species(
            SpeciesConfig(contigs=2, contig_length=50_000, genes_per_contig=10, seed=seed)
        )
        write_reference(folder / f"{name}.fa", species)
        write_annotation(folder / f"{name}.gff3", species)
        assemblies += ASSEMBLY.format(species=f"{name.title()} una", name=name)
    (folder / "corpus.toml").write_text(CORPUS.format(assemblies=assemblies))
    (folder / "training.toml").write_text(TRAINING.format(precision="bf16"))
    write_vcf(folder / "many.vcf.gz", 1500, 4000, "plain")
    genotypes, phenotypes = ["--genotypes", str(panel.genotypes)], ["--phenotypes", str(panel.phenotypes)]
    named = [*genotypes, *phenotypes, "--trait", trait]
    return {
        "predict": ["predict", *named, "--reference", str(panel.reference)],
        "evaluate": ["evaluate", *named, "--models", "gblup,gaussian", "--folds", "5", "--repeats", "2"],
        "embed": ["embed", "--fasta", str(folder / "alpha.fa")],
        "score-variants": [
            "score-variants",
            "--vcf",
            str(panel.genotypes),
            "--reference",
            str(panel.reference),
        ],
        "corpus": ["corpus", "build", "corpus.toml"],
        "pretrain": ["pretrain", "training.toml"],
        "select": ["select", "--genotypes", str(folder / "many.vcf.gz"), "--count", "40"],
    }


def profiled(verb: str, words: list[str], folder: Path) -> Profile:
    """Run a verb in a process of its own."""
    out, written = folder / f"{verb}.out", folder / f"{verb}.profile"
    target = folder / "corpus" if verb == "corpus" else out
    if verb == "score-variants":
        target = folder / "scored.vcf.gz"
    surroundings = {**os.environ, "OMP_NUM_THREADS": "1", "BUDWOOD_CACHE": str(folder / f"{verb}.cache")}
    child = [sys.executable, str(Path(__file__).resolve()), "--child", str(written), *words]
    done = subprocess.run(
        [*child, "--out", str(target)],
        env=surroundings,
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    if not written.exists():
        raise SystemExit(f"{verb}: {done.stderr[-2000:]}")
    stats = pstats.Stats(str(written), stream=io.StringIO())
    seconds: Counter[str] = Counter()
    for (file, _, name), (_, _, own, _, _) in stats.stats.items():  # type: ignore[attr-defined]
        seconds[f"{file.rsplit('site-packages/', 1)[-1].rsplit('/src/', 1)[-1]}:{name}"] += own
    start = re.search(r"^start ([0-9.]+)$", done.stdout, re.MULTILINE)
    assert start is not None, "the child prints it"
    return Profile(dict(seconds), float(start[1]))


def child(written: str, words: list[str]) -> int:
    """The command under the profiler, which counts processor seconds; libraries are there before it."""
    for name in LIBRARIES[words[0]].split():
        importlib.import_module(name)
    from budwood.cli.app import main

    print(f"start {time.process_time()}", flush=True)
    profiler = cProfile.Profile(time.process_time)
    sys.argv = ["budwood", *words]
    try:
        profiler.runcall(main)
    except SystemExit as ended:
        if ended.code:
            return int(str(ended.code)) if str(ended.code).isdigit() else 1
    profiler.dump_stats(written)
    return 0


def limits() -> Iterator[str]:
    """What a core does at most, in a sentence each."""
    from benchmarks.speed.embedding_speed import peak

    for precision in ("float32", "bf16"):
        yield f"products in {precision}: {peak(precision) / 1e9:,.0f} GFLOP/s"
    square = np.random.default_rng(1).normal(size=(1024, 1024))
    seconds, _ = cpu_seconds(lambda: square @ square, 5)
    yield f"NumPy's product in float64: {2 * 1024**3 / seconds / 1e9:,.0f} GFLOP/s"
    seconds, _ = cpu_seconds(lambda: np.linalg.eigh(square + square.T))
    yield f"eigendecomposition of 1,024 x 1,024: {seconds:.2f} s"
    large = np.zeros(1 << 28, dtype=np.uint8)
    seconds, _ = cpu_seconds(lambda: large.copy(), 3)
    yield f"copying memory: {2 * large.size / seconds / 1e9:.1f} GB/s read and written"
    calls = np.random.default_rng(1).choice(np.array([list(b"0/0\t"), list(b"0/1\t")], np.uint8), 1 << 22)
    packed = zlib.compress(calls.tobytes())
    seconds, _ = cpu_seconds(lambda: zlib.decompress(packed), 3)
    yield f"unpacking random calls: {calls.nbytes / seconds / 1e6:,.0f} MB/s"


def main() -> None:
    if sys.argv[1:2] == ["--child"]:
        raise SystemExit(child(sys.argv[2], sys.argv[3:]))
    parser = parser_for(__doc__)
    parser.add_argument("--verbs", default=",".join(VERBS), help="names with commas")
    parser.add_argument("--top", type=int, default=5, help="functions shown of each")
    arguments = parser.parse_args()
    for limit in limits():
        print(limit, flush=True)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        words = inputs(folder)
        for verb in arguments.verbs.split(","):
            found = profiled(verb, words[verb], folder)
            print(
                f"\n{verb}: {found.total:.1f} s of the processor, profiler included, after {found.start:.1f} "
                "s of loading libraries",
                flush=True,
            )
            for group, seconds in found.groups():
                if seconds >= LEAST * found.total:
                    print(f"  {seconds / found.total:4.0%}  {group}")
            print("  functions:")
            for function, seconds in Counter(found.seconds).most_common(arguments.top):
                print(f"    {seconds / found.total:4.0%}  {function}")


if __name__ == "__main__":
    main()
