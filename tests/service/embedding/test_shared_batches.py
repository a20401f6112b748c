"""Batches that requests share: who gets a turn."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from budwood.service.embedding.shared_batches import SharedBatches
from budwood.service.metrics import Metrics
from budwood.service.settings import ServiceSettings


@pytest.mark.parametrize("room", [1, 2, 3])
def test_a_large_request_ends_while_small_ones_keep_coming(
    settings: ServiceSettings, monkeypatch: pytest.MonkeyPatch, room: int
) -> None:
    def lengths(codes: NDArray[np.uint8], *_: object, **__: object) -> NDArray[np.float32]:
        return np.full((len(codes), 4), codes.shape[1], dtype=np.float32)

    monkeypatch.setattr("budwood.service.embedding.shared_batches.embed_windows", lengths)
    monkeypatch.setattr(SharedBatches, "_opened", lambda self: None)

    async def serve() -> int:
        batches = SharedBatches(replace(settings, batch_windows=room, batch_wait=0), Metrics())
        await batches.start()
        window, answered, over = np.zeros(512, dtype=np.uint8), 0, False

        async def small() -> None:
            nonlocal answered
            while not over:
                await batches.embed([window], "mean")
                answered += 1

        clients = [asyncio.create_task(small()) for _ in range(4)]
        await asyncio.sleep(0)
        vectors = await asyncio.wait_for(batches.embed([window] * 20, "mean"), 20)
        over = True
        await asyncio.gather(*clients)
        await batches.close()
        assert vectors.shape == (20, 4)
        return answered

    # 20 windows in turn with 4 others: about 80 small answers, and not many times as many.
    assert 20 <= asyncio.run(serve()) <= 120
