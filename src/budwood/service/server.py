"""Run the service until a signal ends it."""

from __future__ import annotations

import socket
import sys

import uvicorn

from budwood.errors import BudwoodError
from budwood.service.access.gate import Gate
from budwood.service.app import create_app
from budwood.service.settings import ServiceSettings


def run_server(settings: ServiceSettings) -> None:
    """Serve until a signal ends the process.

    Parameters
    ----------
    settings
        Where it listens, what it keeps and what it allows.

    Raises
    ------
    BudwoodError
        If the address cannot be listened on, or a setting is not possible.
    """
    app = create_app(settings)
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_STREAM) as trial:
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            trial.bind((settings.host, settings.port))
    except OSError as error:
        raise BudwoodError(
            f"the service cannot listen there: {error.strerror}",
            where=f"{settings.host}:{settings.port}",
            mend="choose another --port or --host",
        ) from error
    if not settings.is_open and all(key.revoked for key in app.keys.listed()):
        print("no key opens this service yet: make one with budwood serve keys add NAME", file=sys.stderr)
    print(f"keys, jobs and saved models: {settings.folder.resolve()}", file=sys.stderr)
    print(f"Budwood serves http://{settings.host}:{settings.port}", file=sys.stderr, flush=True)
    server_of(app, host=settings.host, port=settings.port).run()


def server_of(app: Gate, *, host: str = "127.0.0.1", port: int = 0) -> uvicorn.Server:
    """The HTTP server of an app, with the limits that hold wherever it runs.

    Parameters
    ----------
    app
        What :func:`budwood.service.app.create_app` made.
    host, port
        Where it listens; port 0 takes a free one.

    Returns
    -------
    uvicorn.Server
        Not yet started.
    """
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        log_level="warning",
        access_log=False,
        server_header=False,
        # A client that sends just as the server closes an idle connection loses its request, so the server
        # waits longer than clients (5 s) and proxies (60 s) keep one.
        timeout_keep_alive=75,
        timeout_graceful_shutdown=10,
        h11_max_incomplete_event_size=64 * 1024,
    )
    return uvicorn.Server(config)
