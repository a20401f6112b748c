"""``budwood serve``: the service, and the keys that open it."""

from __future__ import annotations

import importlib.util
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from budwood.cli import options
from budwood.cli.output import print_summary
from budwood.cli.verb import Verb
from budwood.config import library_directory, service_directory
from budwood.errors import BudwoodError

if TYPE_CHECKING:
    from budwood.service.access.keys import KeyRing

EXAMPLE: Final = "Example: budwood serve --folder service --models models --port 8080"
KEY_EXAMPLE: Final = "Example: budwood serve keys add 'Potato programme' --scope predict --scope jobs"
#: What the extra `serve` installs and nothing else of Budwood needs.
_NEEDED: Final = ("fastapi", "uvicorn", "limits", "dbos", "prometheus_client", "python_multipart", "httpx")

app = typer.Typer(help="Serve the API and the page; manage the keys that open them.")
keys = typer.Typer(
    help="Keys that open the service; add and list have --json.", no_args_is_help=True, epilog=KEY_EXAMPLE
)
app.add_typer(keys, name="keys")
brapi = typer.Typer(
    help="Panels from BrAPI v2.1 servers, and predictions back; both have --json.",
    no_args_is_help=True,
    epilog="Example: budwood serve brapi read https://server.example.org --study S --out study",
)
app.add_typer(brapi, name="brapi")
Server = Annotated[str, typer.Argument(metavar="URL", help="Address of the server, without /brapi/v2.")]

Folder = Annotated[
    Path | None,
    typer.Option(
        "--folder",
        metavar="DIR",
        help="Folder of the service: keys, jobs, models, request log; that of BUDWOOD_SERVICE, or the user's "
        "own.",
    ),
]
Models = Annotated[
    Path | None,
    typer.Option("--models", metavar="DIR", help="Folder of saved trait models; DIR/models if not given."),
]
Library = Annotated[
    Path | None,
    typer.Option(
        "--library",
        metavar="DIR",
        help="Folder of the model library; that of BUDWOOD_LIBRARY, or the user's own.",
    ),
]
Genomes = Annotated[
    Path | None,
    typer.Option("--genomes", metavar="DIR", help="Folder of FASTA files that clients may name."),
]
Host = Annotated[
    str, typer.Option("--host", help="Address to listen on; any but this machine's own asks for keys.")
]
Port = Annotated[int, typer.Option("--port", min=1, max=65535, help="Port to listen on.")]
Database = Annotated[
    str | None,
    typer.Option(
        "--database",
        metavar="URL",
        help="PostgreSQL for jobs, such as postgresql://user@host/budwood; SQLite in DIR if not given.",
    ),
]
Worker = Annotated[
    str,
    typer.Option("--worker", metavar="NAME", help="Name of this process among those that share a database."),
]
ParallelJobs = Annotated[
    int, typer.Option("--parallel-jobs", min=0, help="Jobs that run at once; 0 leaves them to other workers.")
]
KeptDays = Annotated[
    float, typer.Option("--kept-days", min=0, help="Days after which files of finished jobs are removed.")
]
LargestUpload = Annotated[
    int, typer.Option("--largest-upload", metavar="MB", min=1, help="Largest request with files.")
]
Rate = Annotated[
    str, typer.Option("--rate", help="Requests that a key allows: 600/minute, or 60/minute; 5000/day.")
]


@app.callback(invoke_without_command=True, epilog=EXAMPLE)
def serve(
    context: typer.Context,
    folder: Folder = None,
    models: Models = None,
    library: Library = None,
    genomes: Genomes = None,
    host: Host = "127.0.0.1",
    port: Port = 8080,
    database: Database = None,
    worker: Worker = "budwood",
    parallel_jobs: ParallelJobs = 1,
    kept_days: KeptDays = 7.0,
    largest_upload: LargestUpload = 2048,
    rate: Rate = "600/minute",
    checkpoint: options.CheckpointFolder = None,
    device: options.DeviceName = "auto",
    batch_size: options.BatchSize = None,
) -> None:
    """Serve the API (/v1, described by /openapi.json) and the page until you press Ctrl-C.

    On this machine's own address (127.0.0.1) no key is needed. On any other address every request needs a key
    of `budwood serve keys add`; put a proxy with TLS before it.
    """
    if context.invoked_subcommand is not None:
        return
    _check_extra()
    from budwood.lesson.page import render_lesson
    from budwood.service.server import run_server
    from budwood.service.settings import MEGABYTE, ServiceSettings
    from budwood.workflows.setup.encoder import EncoderOptions

    run_server(
        ServiceSettings(
            folder=folder or service_directory(),
            models=models,
            library=library or library_directory(),
            genomes=genomes,
            host=host,
            port=port,
            database=database,
            worker=worker,
            parallel_jobs=parallel_jobs,
            kept_days=kept_days,
            largest_upload=largest_upload * MEGABYTE,
            rate=rate,
            encoder=EncoderOptions(checkpoint=checkpoint, device=device, batch_size=batch_size),
            lesson=render_lesson(),
        )
    )


@keys.command(epilog=KEY_EXAMPLE, cls=Verb)
def add(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Who is to hold the key.")],
    folder: Folder = None,
    scope: Annotated[
        list[str] | None,
        typer.Option(
            "--scope",
            metavar="SCOPE",
            help="embed, predict, jobs, brapi or admin; once for each. All but admin if not given.",
        ),
    ] = None,
    rate: Annotated[
        str, typer.Option("--rate", help="Limits of this key, such as 60/minute; 1000/day.")
    ] = "",
    config: options.Config = None,
    as_json: options.Json = False,
) -> None:
    """Make a key and print it: it is shown this once and kept nowhere."""
    ring = _ring(folder)
    from budwood.service.access.scopes import USUAL

    scopes = [str(each) for each in (scope or USUAL)]
    secret = ring.add(name, scopes, rate=rate)
    if as_json:
        print(json.dumps({"name": name, "key": secret, "scopes": scopes}, ensure_ascii=False))
    else:
        print(f"key of {name} for {', '.join(scopes)}; it cannot be shown again:\n{secret}")


@keys.command(name="list", cls=Verb)
def list_keys(folder: Folder = None, config: options.Config = None, as_json: options.Json = False) -> None:
    """List the keys, without their secrets."""
    found = _ring(folder).listed()
    if as_json:
        rows = [
            {
                "name": key.name,
                "scopes": [str(scope) for scope in key.scopes],
                "rate": key.rate,
                "created": key.created,
                "revoked": key.revoked,
            }
            for key in found
        ]
        print(json.dumps({"keys": rows}, indent=2, ensure_ascii=False))
        return
    for key in found:
        state = f"revoked {key.revoked}" if key.revoked else f"made {key.created}"
        print(f"{key.name}: {', '.join(key.scopes)}{f', {key.rate}' if key.rate else ''}; {state}")
    if not found:
        print("there is no key")


@keys.command(cls=Verb)
def revoke(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Whose key ends.")],
    folder: Folder = None,
    config: options.Config = None,
) -> None:
    """End a key; it opens nothing from then on."""
    _ring(folder).revoke(name)
    print(f"the key of {name} is revoked")


@brapi.command(cls=Verb)
def read(
    url: Server,
    out: options.Out,
    study: Annotated[
        str | None, typer.Option("--study", metavar="ID", help="Study whose observations are read.")
    ] = None,
    variant_set: Annotated[
        str | None,
        typer.Option("--variant-set", metavar="ID", help="Set of calls; the study's only one if not given."),
    ] = None,
    overwrite: options.Overwrite = False,
    config: options.Config = None,
    as_json: options.Json = False,
) -> None:
    """Write a study as panel.vcf, phenotypes.csv and germplasm.csv; BRAPI_TOKEN is sent as the token."""
    _check_extra()
    from budwood.service.brapi.client import BrapiClient
    from budwood.service.brapi.panel_from_server import read_study

    client = BrapiClient(url, token=os.environ.get("BRAPI_TOKEN", ""))
    notes = read_study(client, out, study=study, variant_set=variant_set, overwrite=overwrite)
    print_summary({"out": str(out), "notes": notes}, [*notes, f"files: {out}"], as_json=as_json)


@brapi.command(cls=Verb)
def write(
    url: Server,
    predictions: Annotated[
        Path, typer.Option("--predictions", metavar="DIR", help="Folder that predict or apply wrote.")
    ],
    study: Annotated[str, typer.Option("--study", metavar="ID", help="Study that gets the observations.")],
    germplasm: Annotated[
        Path | None,
        typer.Option(
            "--germplasm", metavar="CSV", help="germplasm.csv that read wrote; else names are looked up."
        ),
    ] = None,
    list_name: Annotated[
        str | None,
        typer.Option("--list", metavar="NAME", help="Germplasm list of the candidates, the best first."),
    ] = None,
    best: Annotated[
        int | None,
        typer.Option("--best", min=1, metavar="N", help="Candidates in the list; all if not given."),
    ] = None,
    config: options.Config = None,
    as_json: options.Json = False,
) -> None:
    """Write predictions back as observations of a variable of their own, and the candidates as a list."""
    _check_extra()
    from budwood.service.brapi.client import BrapiClient
    from budwood.service.brapi.predictions_to_server import write_list_back, write_predictions_back

    client = BrapiClient(url, token=os.environ.get("BRAPI_TOKEN", ""))
    added, changed = write_predictions_back(client, predictions, study=study, germplasm=germplasm)
    lines = [f"{added:,} observations added, {changed:,} changed"]
    record: dict[str, int] = {"added": added, "changed": changed}
    if list_name is not None:
        listed = write_list_back(client, predictions, name=list_name, best=best, germplasm=germplasm)
        record["listed"] = listed
        lines.append(f"{listed:,} candidates in the list {list_name!r}")
    print_summary(record, lines, as_json=as_json)


def _ring(folder: Path | None) -> KeyRing:
    _check_extra()
    from budwood.service.access.keys import KeyRing

    return KeyRing((folder or service_directory()) / "keys.sqlite")


def _check_extra() -> None:
    """Refuse to start where the libraries of the service are not installed."""
    missing = [name for name in _NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        raise BudwoodError(
            f"the service needs libraries that are not installed: {', '.join(missing)}",
            mend="install them with pip install 'budwood[serve]'",
        )
