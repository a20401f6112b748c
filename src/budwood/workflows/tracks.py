"""Tracks: what a checkpoint predicts along a genome, as bedGraph files that --tracks takes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from budwood.errors import BudwoodError, counted
from budwood.workflows.setup.cost import Announce, announce_tracks, silent
from budwood.workflows.setup.encoder import EncoderOptions
from budwood.workflows.setup.places import check_no_gap, read_places

if TYPE_CHECKING:
    from budwood.artifacts import Draft
    from budwood.genomics.interval import Interval
    from budwood.genomics.io.sequence.fasta import FastaAssembly
    from budwood.inference.tracks import TrackStretch
    from budwood.model.checkpoint import Checkpoint

#: File of the record.
RECORD: Final = "tracks.json"
#: Probability from which a step counts as in the track.
_IN: Final = 0.5
_BLOCK: Final = 1 << 22


@dataclass(frozen=True, kw_only=True)
class TracksOptions:
    """What to predict, and where.

    Attributes
    ----------
    fasta
        The genome.
    bed
        Intervals of it to predict for; all of it where None.
    track
        Names of tracks; all that the checkpoint predicts where there is none.
    least
        Steps with a smaller probability are left out of the files.
    encoder
        Which checkpoint, and where it runs; where none is named, the packaged one that predicts tracks.
    threads
        Threads that read windows, each on one core; as many as there are cores where None.
    seed
        Noted in the manifest; nothing is drawn.

    Raises
    ------
    BudwoodError
        If the least probability is no share, a track is named twice, or there is less than one thread.
    """

    fasta: Path
    bed: Path | None = None
    track: tuple[str, ...] = ()
    least: float = 0.05
    encoder: EncoderOptions = field(default_factory=EncoderOptions)
    threads: int | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.least < 1:
            raise BudwoodError(f"--least {self.least:g} is no probability", mend="give 0 to below 1")
        if len(set(self.track)) < len(self.track):
            raise BudwoodError("a track is named twice", where="--track", mend="name it once")
        if self.threads is not None and self.threads < 1:
            raise BudwoodError(
                f"--threads {self.threads} is not possible", mend="give 1 or more, or leave it out"
            )

    @property
    def inputs(self) -> list[Path]:
        """Every file that is read."""
        return [self.fasta, *([self.bed] if self.bed else [])]


@dataclass(frozen=True, kw_only=True)
class PredictedTrack:
    """A track that was written.

    Attributes
    ----------
    name, file
        Name of the track, and of its file.
    mean
        Mean probability over the steps with a known base; None where there is none.
    share
        Share of those steps with a probability of at least .5; None where there is none.
    intervals
        Intervals in the file.
    """

    name: str
    file: str
    mean: float | None
    share: float | None
    intervals: int


@dataclass(frozen=True, kw_only=True)
class TracksResult:
    """What was predicted.

    Attributes
    ----------
    tracks
        One for each file.
    bases
        Bases in steps with a known base.
    checkpoint, digest
        Name and digest of the encoder.
    device
        Where it ran, such as ``cpu``.
    notes
        Sentences about what was read and what was left out.
    """

    tracks: tuple[PredictedTrack, ...]
    bases: int
    checkpoint: str
    digest: str
    device: str
    notes: tuple[str, ...] = ()

    def record(self) -> dict[str, Any]:
        """The result as plain values.

        Returns
        -------
        dict[str, Any]
            As the file of the verb holds it; None for what was not measured.
        """
        return {
            "tracks": [vars(track) for track in self.tracks],
            "bases": self.bases,
            "checkpoint": {"name": self.checkpoint, "digest": self.digest},
            "measured": False,
            "notes": list(self.notes),
        }


def predict_track_files(
    options: TracksOptions, out: Path, *, overwrite: bool = False, announce: Announce = silent
) -> TracksResult:
    """Predict tracks along a genome and write one bedGraph file for each.

    Parameters
    ----------
    options
        What to predict, and where.
    out
        Folder to write: the files and tracks.json.
    overwrite
        Whether an earlier result in the folder may be replaced.
    announce
        Receives what the prediction will take.

    Returns
    -------
    TracksResult
        Means and file names.

    Raises
    ------
    BudwoodError
        If a file cannot be used, or the checkpoint predicts no tracks or none of a name.
    """
    from budwood.artifacts import check_destination, write_artifact
    from budwood.genomics.io.sequence.fasta import open_fasta
    from budwood.workflows.records.files import write_json

    check_destination(out, inputs=options.inputs, overwrite=overwrite)
    checkpoint = options.encoder.open_tracks()
    names = [checkpoint.head.names[row] for row in checkpoint.head.rows(options.track)]
    assembly = open_fasta(options.fasta)
    places, notes = _places(options, assembly)
    parameters = {
        "tracks": names,
        "least": options.least,
        "checkpoint": {"name": checkpoint.name, "digest": checkpoint.digest},
        "device": str(checkpoint.device),
        "precision": checkpoint.precision,
    }
    with write_artifact(
        out,
        kind="tracks",
        inputs=options.inputs,
        parameters=parameters,
        seeds={"seed": options.seed},
        overwrite=overwrite,
    ) as draft:
        result = _written(draft, options, assembly, checkpoint, names, places, notes, announce)
        draft.notes += result.notes
        write_json(draft.path(RECORD), result.record())
    return result


def _places(options: TracksOptions, assembly: FastaAssembly) -> tuple[list[Interval] | None, tuple[str, ...]]:
    """Places to predict for, None for all of the genome; gaps of an alignment are refused."""
    from budwood.genomics.interval import Interval

    places, notes = None, tuple[str, ...]()
    if options.bed is not None:
        records, notes = read_places(options.bed, assembly.contigs)
        places = [record.interval for record in records]
    whole = (Interval(contig, 0, length) for contig, length in assembly.contigs.items())
    for place in whole if places is None else places:
        for start in range(place.start, place.end, _BLOCK):
            block = Interval(place.contig, start, min(start + _BLOCK, place.end))
            check_no_gap(assembly, options.fasta, block)
    return places, notes


def _written(
    draft: Draft,
    options: TracksOptions,
    assembly: FastaAssembly,
    checkpoint: Checkpoint,
    names: Sequence[str],
    places: Sequence[Interval] | None,
    notes: tuple[str, ...],
    announce: Announce,
) -> TracksResult:
    """The files of all tracks, written as the probabilities come."""
    from budwood.genomics.io.annotation.bedgraph import BedgraphWriter
    from budwood.genomics.io.text.bgzf import BgzfWriter
    from budwood.inference.tracks import STEP, count_tiles, predict_tracks
    from budwood.panel.predicted_tracks import predicted_by
    from budwood.progress import progress

    files = _file_names(names)
    tiles = count_tiles(assembly.contigs, places)
    announce_tracks(tiles, checkpoint, announce)
    with ExitStack() as opened:
        writers = [
            BedgraphWriter(
                BgzfWriter(opened.enter_context(draft.path(files[name]).open("wb"))),
                name=name,
                predicted_by=predicted_by(checkpoint),
                least=options.least,
            )
            for name in names
        ]
        advance = opened.enter_context(progress("predicting tracks", total=tiles))
        sums = _Sums(len(names))
        found = predict_tracks(
            assembly,
            checkpoint,
            names=names,
            places=places,
            batch_size=options.encoder.batch_size,
            threads=options.threads,
            advance=advance,
        )
        for stretch in sums.of(found):
            place = (stretch.contig, stretch.start, stretch.end)
            for writer, values in zip(writers, stretch.probability.T, strict=True):
                writer.add(*place, STEP, values)
        for writer in writers:
            writer.finish()
    tracks = tuple(
        PredictedTrack(name=name, file=files[name], mean=mean, share=share, intervals=writer.written)
        for name, mean, share, writer in zip(names, *sums.means(), writers, strict=True)
    )
    empty = [track.name for track in tracks if not track.intervals]
    if empty:
        notes += (f"No step has a probability of {options.least:g} or more of: {', '.join(empty)}.",)
    return TracksResult(
        tracks=tracks,
        bases=sums.bases,
        checkpoint=checkpoint.name,
        digest=checkpoint.digest,
        device=str(checkpoint.device),
        notes=(*notes, f"Predicted by {predicted_by(checkpoint)}, not measured."),
    )


class _Sums:
    """Sums of the probabilities that pass by."""

    def __init__(self, tracks: int) -> None:
        import numpy as np

        self.bases = self._steps = 0
        self._sum, self._in = np.zeros(tracks), np.zeros(tracks, dtype=np.int64)

    def of(self, stretches: Iterable[TrackStretch]) -> Iterable[TrackStretch]:
        """The same stretches."""
        import numpy as np

        from budwood.inference.tracks import STEP

        for each in stretches:
            known = ~np.isnan(each.probability[:, 0])
            starts = np.arange(each.start, each.end, STEP)[known]
            self.bases += int((np.minimum(starts + STEP, each.end) - starts).sum())
            self._steps += len(starts)
            self._sum += each.probability[known].sum(0, dtype=np.float64)
            self._in += (each.probability[known] >= _IN).sum(0)
            yield each

    def means(self) -> tuple[list[float | None], list[float | None]]:
        """Mean probability of each track, and share of steps in it."""
        if not self._steps:
            nothing: list[float | None] = [None] * len(self._sum)
            return nothing, nothing
        return (self._sum / self._steps).tolist(), (self._in / self._steps).tolist()


def _file_names(names: Iterable[str]) -> Mapping[str, str]:
    """A file name for each track.

    Examples
    --------
    >>> _file_names(["open chromatin", "LTR/Gypsy", "LTR gypsy"])
    {'open chromatin': 'open_chromatin.bedgraph.gz', 'LTR/Gypsy': 'LTR_Gypsy.bedgraph.gz', \
'LTR gypsy': 'LTR_gypsy_2.bedgraph.gz'}
    """
    found: dict[str, str] = {}
    taken: set[str] = set()
    for name in names:
        plain = re.sub(r"[^0-9A-Za-z.-]+", "_", name).strip("._") or "track"
        number, own = 1, plain
        while own.lower() in taken:
            number += 1
            own = f"{plain}_{number}"
        taken.add(own.lower())
        found[name] = f"{own}.bedgraph.gz"
    return found


def summary_line(result: TracksResult) -> str:
    """What was predicted, in a sentence for people.

    Parameters
    ----------
    result
        What was predicted.

    Returns
    -------
    str
        Number of bases and tracks.
    """
    tracks = counted(len(result.tracks), "track")
    return f"{tracks} of {result.bases:,} bases predicted by checkpoint {result.checkpoint}"
