"""Writing scores into a copy of a VCF: header lines, INFO entries, parts that an interrupted run keeps."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from budwood.artifacts import library_versions, sha256
from budwood.artifacts.parted_file import PartedFile, check_file
from budwood.errors import BudwoodError
from budwood.genomics.consequences.ann import ANN_HEADER, ann_value
from budwood.genomics.consequences.caller import ConsequenceCaller
from budwood.genomics.consequences.haplotype_consequence import (
    BCSQ_HEADER,
    bcsq_value,
    haplotype_consequences,
)
from budwood.genomics.haplotypes.calls import Site
from budwood.genomics.io.annotation.open_annotation import read_annotation
from budwood.genomics.io.text.bgzf import BgzfWriter
from budwood.genomics.io.text.compressed import open_bytes
from budwood.genomics.io.variants.vcf.lines import with_header, with_info
from budwood.genomics.io.variants.vcf.reader import VcfCalls
from budwood.inference.threads import OrderedThreads
from budwood.inference.variants.allele_table import AlleleTable, NoScoreReason
from budwood.inference.variants.score_field import FIELDS, ScoreField
from budwood.progress import Advance
from budwood.workflows.setup.command import command_of
from budwood.workflows.variants.score_options import ScoreOptions
from budwood.workflows.variants.scoring_job import ScoringJob

#: Ends of the names of files that can be written.
PACKED, PLAIN = ".vcf.gz", ".vcf"
_MARK: Final = b"##budwood=<ID="
_REASON: Final = "BW_REASON"
_OUTSIDE: Final = "BW_OOD"
_CALIBRATED: Final = "_CAL"
_ANN: Final = b"ANN"
_JOINT: Final = b"BCSQ"
_Called = Callable[[Sequence[Site], bool], list[list[bytes]]] | None
#: Names of all INFO entries that are written, by whichever options.
NAMES: Final = tuple(
    name.encode()
    for name in (
        *(field.info for field in FIELDS),
        *(field.info + _CALIBRATED for field in FIELDS if field.calibrated),
        _REASON,
        _OUTSIDE,
    )
)


@dataclass(frozen=True, kw_only=True)
class _Block:
    """Records that are scored together, their lines, and their consequences by the annotation."""

    number: int
    sites: Sequence[Site]
    lines: Sequence[bytes]
    called: Sequence[Sequence[bytes]] | None


def check_out(out: Path, inputs: Sequence[Path], *, overwrite: bool) -> None:
    """Refuse a destination that must not be written.

    Parameters
    ----------
    out
        File to write.
    inputs
        Files that are read.
    overwrite
        Whether an earlier result may be replaced.

    Raises
    ------
    BudwoodError
        If its name ends in neither ``.vcf.gz`` nor ``.vcf``, or as :func:`check_file`.
    """
    if not out.name.endswith((PACKED, PLAIN)):
        raise BudwoodError(
            f"the output is a VCF, and its name ends in neither {PACKED} nor {PLAIN}",
            where=str(out),
            mend="name it such as scored.vcf.gz",
        )
    check_file(out, inputs=inputs, overwrite=overwrite, is_ours=_is_scored)


def write_scored(job: ScoringJob, options: ScoreOptions, out: Path, advance: Advance | None = None) -> None:
    """Write every record of a job's file with its scores.

    Parameters
    ----------
    job
        What is scored.
    options
        What it was opened by, for the header.
    out
        File to write; it appears whole or not at all. Parts that an interrupted run of the same job left
        beside it are used.
    advance
        Called with the number of windows just read.

    Raises
    ------
    BudwoodError
        If the file cannot be written.
    """
    called: _Called = None
    replaced = NAMES
    if options.annotation is not None:
        genes = read_annotation(options.annotation)
        caller = ConsequenceCaller(genes, job.assembly, aliases=dict(options.aliases))
        called = _consequences(job, caller, options)
        replaced = (*NAMES, _ANN, _JOINT) if options.joint else (*NAMES, _ANN)
    kept = [line for line in job.lines.header if not line.startswith(_MARK)]
    header = with_header(kept, _added_lines(job, options), replaced)
    key = {"header": [line.decode("utf-8", "replace") for line in header], "out": out.name}
    packed = out.name.endswith(PACKED)

    def annotated(block: _Block) -> tuple[int, list[bytes]]:
        return block.number, list(_annotated(job, block, replaced, advance))

    # While lines of one block are put together, windows of the next are read.
    with PartedFile(out, key) as parts, OrderedThreads(2 if job.survey.is_sorted else 1) as threads:
        for number, written in threads.map(annotated, _blocks_to_do(job, parts, called)):
            with parts.part(number) as path:
                _write(path, written, packed=packed)
        with parts.part(0) as path:
            _write(path, header, packed=packed)
        with parts.part(job.block_count + 1) as path:
            _write(path, [], packed=packed, last=True)
        parts.publish(job.block_count + 2)


def _blocks_to_do(job: ScoringJob, parts: PartedFile, called: _Called) -> Iterator[_Block]:
    """Blocks that an interrupted run has not left, in file order."""
    records = job.lines.records()
    for number, sites in job.blocks():
        lines = list(islice(records, len(sites)))
        wanted = not parts.has(number + 1)
        consequences = called(sites, wanted) if called is not None else None
        if wanted:
            yield _Block(number=number + 1, sites=sites, lines=lines, called=consequences)


def _write(path: Path, lines: Sequence[bytes], *, packed: bool, last: bool = False) -> None:
    with path.open("wb") as handle:
        if not packed:
            handle.writelines(line + b"\n" for line in lines)
            return
        writer = BgzfWriter(handle)
        for line in lines:
            writer.write(line + b"\n")
        if last:
            writer.finish()
        else:
            writer.flush()


def _added_lines(job: ScoringJob, options: ScoreOptions) -> list[bytes]:
    """Header lines of the entries, and of where they come from."""
    found = []
    for each in job.scorer.fields:
        found.append(_info_line(each.info, "A", "Float", each.meaning))
        if each.calibrated:
            meaning = (
                f"{each.info} minus its mean over changes of non-coding bases of this genome with the same "
                "five bases and the same new base; single-base changes only"
            )
            found.append(_info_line(each.info + _CALIBRATED, "A", "Float", meaning))
    unscored = ", ".join(reason for reason in NoScoreReason if reason is not NoScoreReason.SCORED)
    found.append(
        _info_line(_REASON, ".", "String", f"Why an ALT allele has no score, in their order: {unscored}")
    )
    if options.annotation is not None:
        found.append(ANN_HEADER)
        if options.joint:
            found.append(BCSQ_HEADER)
    outside = job.outside
    if outside:
        found.append(
            _info_line(_OUTSIDE, ".", "String", "The genome is outside what the encoder knows: be careful")
        )
    source = {
        "Version": library_versions().get("budwood", "unknown"),
        "Checkpoint": job.checkpoint.name,
        "CheckpointDigest": job.checkpoint.digest,
        "Precision": job.precision,
        "Device": str(job.checkpoint.device),
        # Without the threads, on which nothing depends: a run that resumes may have others.
        "Command": command_of("score-variants", replace(options, threads=None)),
    }
    files = {"Input": options.vcf, "Reference": options.reference, "Annotation": options.annotation}
    for name, path in files.items():
        if path is not None:
            source |= {name: path.name, f"{name}SHA256": sha256(path)}
    found.append(_source_line("score_variants", source))
    found.append(_source_line("genome", {k: str(v) for k, v in job.profile.record().items()}))
    found += [_source_line(f"outside_{k}", {"Description": v}) for k, v in outside.items()]
    return [line.encode("utf-8", "surrogateescape") for line in found]


def _info_line(name: str, number: str, kind: str, description: str) -> str:
    return f'##INFO=<ID={name},Number={number},Type={kind},Description="{description}">'


def _source_line(name: str, values: Mapping[str, str]) -> str:
    listed = ",".join(f'{key}="{_quoted(value)}"' for key, value in values.items())
    return f"{_MARK.decode()}{name},{listed}>"


def _quoted(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", " ")


def _annotated(
    job: ScoringJob, block: _Block, replaced: Sequence[bytes], advance: Advance | None
) -> Iterator[bytes]:
    """Lines of records with their entries."""
    table, values = job.score(block.sites, advance)
    entries = _entries(table, values, job.scorer.fields)
    outside = [f"{_OUTSIDE}={','.join(job.outside)}".encode()] if job.outside else []
    starts = np.searchsorted(table.record, np.arange(len(block.sites) + 1)).tolist()
    scored = table.scored
    spelled = [str(reason) for reason in table.reasons]
    for row, line in enumerate(block.lines):
        first, last = starts[row], starts[row + 1]
        added: list[bytes] = []
        if first == last:
            added.append(f"{_REASON}={NoScoreReason.NO_ALTERNATIVE}".encode())
        else:
            if scored[first:last].any():
                added += [name + b",".join(texts[first:last]) for name, texts in entries]
            if not scored[first:last].all():
                listed = [
                    "." if spelled[i] == NoScoreReason.SCORED else spelled[i] for i in range(first, last)
                ]
                added.append(f"{_REASON}={','.join(listed)}".encode())
        if block.called is not None:
            added += block.called[row]
        yield with_info(line, [*added, *outside], replaced)


def _consequences(job: ScoringJob, caller: ConsequenceCaller, options: ScoreOptions) -> _Called:
    """What gives the entries of consequences of runs of records, which come in file order."""
    joint = None
    if options.joint:
        calls = VcfCalls(options.vcf)
        if not calls.accessions or not job.survey.is_sorted:
            raise BudwoodError(
                "no copies carry several variants, because the file has no calls"
                if not calls.accessions
                else "the records are not sorted, so that variants of one copy cannot be joined",
                where=str(options.vcf),
                mend="leave out --joint" if not calls.accessions else "sort them (bcftools sort)",
            )
        joint = haplotype_consequences(caller, calls.blocks())

    def called(sites: Sequence[Site], wanted: bool) -> list[list[bytes]]:
        together = [] if joint is None else list(islice(joint, len(sites)))
        if not wanted:
            return []
        found = []
        for row, site in enumerate(sites):
            entries = [(_ANN, ann_value(caller.call(site)))]
            if together:
                entries.append((_JOINT, bcsq_value(*together[row])))
            found.append([name + b"=" + value.encode() for name, value in entries if value])
        return found

    return called


def _entries(
    table: AlleleTable, values: Mapping[str, NDArray[np.float64]], fields: Sequence[ScoreField]
) -> list[tuple[bytes, list[bytes]]]:
    """Name with its equals sign, and the value of each allele as text, for each entry."""
    names = {}
    for each in fields:
        names[each.name] = each.info
        names[f"{each.name}_cal"] = each.info + _CALIBRATED
    return [
        (names[name].encode() + b"=", [b"." if v != v else b"%.4g" % v for v in column.tolist()])
        for name, column in values.items()
        if len(table)
    ]


def _is_scored(path: Path) -> bool:
    """Whether a file was written by this module."""
    try:
        with open_bytes(path) as handle:
            for line in handle:
                if line.startswith(_MARK):
                    return True
                if not line.startswith(b"#"):
                    return False
    except BudwoodError:
        return False
    return False
