"""The application: its parts, and the gate around them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from sqlalchemy.exc import InterfaceError, OperationalError
from starlette.exceptions import HTTPException

import budwood
from budwood.errors import BudwoodError
from budwood.service import schemas
from budwood.service.access.gate import Gate
from budwood.service.access.keys import KeyRing, check_rate
from budwood.service.access.rates import Rates
from budwood.service.access.request_log import RequestLog
from budwood.service.brapi import routes as brapi
from budwood.service.embedding import routes as embedding
from budwood.service.embedding.shared_batches import SharedBatches
from budwood.service.jobs import routes as jobs
from budwood.service.jobs.expiry import remove_expired
from budwood.service.jobs.job_queue import JobQueue
from budwood.service.jobs.worker import Worker
from budwood.service.library import routes as library
from budwood.service.metrics import Metrics
from budwood.service.pages import (
    genome_pages,
    job_pages,
    key_pages,
    lesson_page,
    library_pages,
    model_pages,
    new_job,
    sign_in,
    start_forms,
)
from budwood.service.refusal import answer, refusal_of
from budwood.service.server_paths import without_server_paths
from budwood.service.settings import ServiceSettings
from budwood.service.trait_models import routes as trait_models
from budwood.service.transfers import routes as transfers
from budwood.service.variants import routes as variants


def create_app(settings: ServiceSettings) -> Gate:
    """The service as an ASGI application.

    Parameters
    ----------
    settings
        Where it keeps what it keeps, and what it allows.

    Returns
    -------
    Gate
        The application behind its gate; ``app`` is FastAPI's.

    Raises
    ------
    BudwoodError
        If a limit cannot be read or the folder cannot be written.
    """
    check_rate(settings.rate)
    settings.folder.mkdir(parents=True, exist_ok=True)
    metrics, keys = Metrics(), KeyRing(settings.folder / "keys.sqlite")
    app = FastAPI(
        title="Budwood",
        version=budwood.__version__,
        description="Embeddings, trait predictions and jobs of one DNA foundation model for plants.",
        # The usual pages of documentation load scripts of other sites.
        docs_url=None,
        redoc_url=None,
        lifespan=_lifespan,
    )
    app.state.settings = settings
    app.state.metrics = metrics
    app.state.keys = keys
    app.state.queue = JobQueue(settings)

    # Whatever has no handler of its own is answered in the same shape, and the gate logs it.
    async def answer_error(request: Request, error: Exception) -> Response:
        return answer(request.method, request.url.path, without_server_paths(refusal_of(error), settings))

    expected = (BudwoodError, RequestValidationError, HTTPException, OperationalError, InterfaceError)
    for kind in (*expected, Exception):
        app.add_exception_handler(kind, answer_error)
    for routes in (embedding, variants, trait_models, library, jobs, transfers, brapi):
        app.include_router(routes.router)
    pages = (sign_in, new_job, start_forms, job_pages, genome_pages, model_pages, library_pages, key_pages)
    for each in (*pages, lesson_page):
        app.include_router(each.router)
    _add_health(app)
    log = RequestLog(settings.folder / "requests.jsonl")
    app.state.log = log
    return Gate(app, settings=settings, keys=keys, rates=Rates(settings.rate), log=log, metrics=metrics)


def _add_health(app: FastAPI) -> None:
    @app.get("/v1/health", response_model=schemas.Health, tags=["service"], responses=schemas.ERRORS)
    async def health() -> dict[str, str]:
        """Whether the service answers, and its release."""
        return {"status": "ok", "version": budwood.__version__}

    @app.get("/metrics", include_in_schema=False)
    async def metrics() -> Response:
        """Figures for Prometheus."""
        figures: Metrics = app.state.metrics
        return Response(figures.text(), media_type="text/plain; version=0.0.4")


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[dict[str, Any]]:
    settings: ServiceSettings = app.state.settings
    app.state.batches = SharedBatches(settings, app.state.metrics)
    # Applying a model takes memory: two at once.
    app.state.applying = asyncio.Semaphore(2)
    app.state.upload_threads = ThreadPoolExecutor(4, thread_name_prefix="uploads")
    await app.state.batches.start()
    worker = Worker(settings, app.state.metrics)
    expiry = asyncio.create_task(remove_expired(settings, app.state.queue))
    if settings.parallel_jobs:
        await asyncio.to_thread(app.state.queue.add_forgotten)
        await asyncio.to_thread(worker.start)
    try:
        yield {}
    finally:
        expiry.cancel()
        await asyncio.to_thread(worker.stop)
        await app.state.batches.close()
        app.state.upload_threads.shutdown(wait=False)
        app.state.queue.close()
        app.state.log.close()
