"""The command ``budwood``: its verbs, and how it leaves when something is wrong.

Exit codes: 0 done, 1 a check failed or Budwood itself did, 2 bad input or usage, 130 interrupted.
"""

from __future__ import annotations

import io
import os
import signal
import sys
import threading
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import Annotated

import typer

import budwood
from budwood.artifacts import stop_on_signals
from budwood.cli import output
from budwood.cli.exit_code import INTERRUPTED
from budwood.cli.verb import Verb
from budwood.cli.verbs import (
    adapt,
    apply,
    attribute,
    corpus,
    demo,
    embed,
    evaluate,
    finetune,
    genes,
    index,
    inspect,
    lesson,
    library,
    predict,
    pretrain,
    probe,
    score_variants,
    select,
    serve,
    tracks,
    transfer,
    verify,
)
from budwood.errors import BudwoodError

app = typer.Typer(
    name="budwood",
    help="One DNA foundation model for plant breeding and plant genomics.",
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_enable=False,
)
app.command(epilog=demo.EXAMPLE, cls=Verb)(demo.demo)
app.command(epilog=lesson.EXAMPLE, cls=Verb)(lesson.lesson)
app.command(epilog=inspect.EXAMPLE, cls=Verb)(inspect.inspect)
app.command(epilog=predict.EXAMPLE, cls=Verb)(predict.predict)
app.command(epilog=apply.EXAMPLE, cls=Verb)(apply.apply)
app.command(epilog=evaluate.EXAMPLE, cls=Verb)(evaluate.evaluate)
app.command(epilog=select.EXAMPLE, cls=Verb)(select.select)
app.command(epilog=genes.EXAMPLE, cls=Verb)(genes.genes)
app.command(epilog=index.EXAMPLE, cls=Verb)(index.index)
app.command(epilog=embed.EXAMPLE, cls=Verb)(embed.embed)
app.command(name="score-variants", epilog=score_variants.EXAMPLE, cls=Verb)(score_variants.score_variants)
app.command(epilog=tracks.EXAMPLE, cls=Verb)(tracks.tracks)
app.add_typer(corpus.app, name="corpus")
app.add_typer(serve.app, name="serve")
app.command(epilog=pretrain.EXAMPLE, cls=Verb)(pretrain.pretrain)
app.add_typer(transfer.app, name="transfer")
app.command(epilog=adapt.EXAMPLE, cls=Verb)(adapt.adapt)
app.command(epilog=finetune.EXAMPLE, cls=Verb)(finetune.finetune)
app.add_typer(library.app, name="library")
app.command(epilog=probe.EXAMPLE, cls=Verb)(probe.probe)
app.command(epilog=attribute.EXAMPLE, cls=Verb)(attribute.attribute)
app.command(epilog=verify.EXAMPLE, cls=Verb)(verify.verify)


def _version(wanted: bool) -> None:
    if wanted:
        print(f"budwood {budwood.__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """One DNA foundation model for plant breeding and plant genomics."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code; never lets an exception out.

    Parameters
    ----------
    arguments
        Words after ``budwood``; those of the process by default.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # names that the terminal cannot show are escaped
            stream.reconfigure(errors="backslashreplace")
    words = list(sys.argv[1:] if arguments is None else arguments) or ["--help"]
    as_json = "--json" in words
    signals: list[int] = []
    try:
        with stop_on_signals(), _noting_interrupts(signals):
            command = typer.main.get_command(app)
            code = int(command.main(args=words, prog_name="budwood", standalone_mode=False) or 0)
    except KeyboardInterrupt:
        code = INTERRUPTED
    except Exception as error:
        # A library that is interrupted while it is imported may raise an error of its own.
        if signals:
            code = INTERRUPTED
        else:
            mendable = _as_user_error(error)
            if mendable is None:
                return _unexpected(error, as_json=as_json)
            output.print_error(mendable, as_json=as_json)
            return mendable.exit_code
    if code == INTERRUPTED:
        print("interrupted: no result was written", file=sys.stderr)
    return code


@contextmanager
def _noting_interrupts(seen: list[int]) -> Iterator[None]:
    """Note each Ctrl-C before it is raised; does nothing outside the main thread."""
    earlier = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or not callable(earlier):
        yield
        return
    handler = earlier

    def note(number: int, frame: FrameType | None) -> None:
        seen.append(number)
        handler(number, frame)

    signal.signal(signal.SIGINT, note)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, earlier)


def _as_user_error(error: Exception) -> BudwoodError | None:
    """The error as one the user can mend; None when it is Budwood's own."""
    if isinstance(error, BudwoodError):
        return error
    if isinstance(error, OSError) and error.strerror:
        return BudwoodError(error.strerror, where=str(error.filename or ""))
    if hasattr(error, "format_message"):  # typer's usage errors, under whichever name this release has them
        context = getattr(error, "ctx", None)
        verb = context.command_path if context else "budwood"
        what = " ".join(error.format_message().split()).rstrip(".")
        return BudwoodError(what, where="command line", mend=f"see {verb} --help")
    return None


def _unexpected(error: Exception, *, as_json: bool) -> int:
    if os.environ.get("BUDWOOD_DEBUG") == "1":
        traceback.print_exception(error)
    reason = f"{type(error).__name__}: {error}".splitlines()[0].rstrip(": ")
    fault = BudwoodError(
        f"budwood failed, which is its own fault: {reason}",
        mend="run it again with BUDWOOD_DEBUG=1 and report what it prints",
    )
    output.print_error(fault, as_json=as_json)
    return 1
