"""``budwood tracks``: what a checkpoint predicts along a genome, as bedGraph."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

import typer

from budwood.cli import options
from budwood.cli.output import announce, hushed, noted, print_summary
from budwood.workflows import tracks as workflow
from budwood.workflows.setup.encoder import EncoderOptions

EXAMPLE: Final = 'Example: budwood tracks --fasta genome.fa --track "open chromatin" --out results/tracks'

FastaFile = Annotated[Path, typer.Option("--fasta", metavar="FILE", help="Genome to read.")]
BedFile = Annotated[
    Path | None,
    typer.Option("--bed", metavar="FILE", help="Intervals of the genome; all of it if not given."),
]
TrackNames = Annotated[
    list[str] | None,
    typer.Option(
        "--track", metavar="NAME", help="Track to predict, once for each; all that the checkpoint knows."
    ),
]
Least = Annotated[
    float,
    typer.Option("--least", metavar="P", help="Leave steps with a smaller probability out of the files."),
]
TrackCheckpoint = Annotated[
    Path | None,
    typer.Option(
        "--checkpoint",
        metavar="DIR",
        callback=options.named_checkpoint,
        help="Checkpoint that was trained on tracks, or its name in the package; the package's if not given.",
    ),
]


def tracks(
    fasta: FastaFile,
    out: options.Out,
    bed: BedFile = None,
    track: TrackNames = None,
    least: Least = 0.05,
    checkpoint: TrackCheckpoint = None,
    device: options.DeviceName = "auto",
    batch_size: options.BatchSize = None,
    precision: options.PrecisionName = "float32",
    threads: options.Threads = None,
    seed: options.Seed = 0,
    overwrite: options.Overwrite = False,
    config: options.Config = None,
    as_json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Predict open chromatin, chromatin states or transposons along a genome: a bedGraph file for each.

    Every 8 bases get the probability that they lie in an interval of the track, read from the sequence
    alone, both strands together. It is what a network learned from tracks of the species of its training,
    measured in none of yours: docs/genes.md says how far that carries. The files can be given to predict and
    evaluate by --tracks, whose reports then say that they are predicted. DIR also holds tracks.json.
    """
    wanted = workflow.TracksOptions(
        fasta=fasta,
        bed=bed,
        track=tuple(track or ()),
        least=least,
        encoder=EncoderOptions(
            checkpoint=checkpoint, device=device, batch_size=batch_size, precision=precision
        ),
        threads=threads,
        seed=seed,
    )
    with hushed(quiet):
        found = workflow.predict_track_files(wanted, out, overwrite=overwrite, announce=announce(quiet))
    rows = [f"  {each.file}: mean probability {_share(each.mean)}" for each in found.tracks]
    lines = [*noted(found.notes), f"{workflow.summary_line(found)}: {out}", *rows]
    print_summary({"out": str(out), **found.record()}, lines, as_json=as_json)


def _share(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.3f}"
