"""What a training costs: operations per base, and what this machine can do."""

from __future__ import annotations

import time
from contextlib import nullcontext

import torch
from torch.utils.flop_counter import FlopCounterMode

from budwood.model.encoder import BudwoodEncoder
from budwood.model.ordered_product import ordered_product

_SIDE = 1024


def operations_per_base(encoder: BudwoodEncoder, window: int) -> float:
    """Floating point operations of matrix products and convolutions to train on one base.

    One reading, forward and backward; the backward pass costs twice the forward one.

    Parameters
    ----------
    encoder
        The network.
    window
        Bases of a window.

    Returns
    -------
    float
        Operations per base.
    """
    counter = FlopCounterMode(display=False)
    device = next(encoder.parameters()).device
    with counter, torch.no_grad():
        encoder.network(torch.zeros(1, window, dtype=torch.long, device=device))
    return 3.0 * counter.get_total_flops() / window


def measured_peak(device: torch.device, precision: str, *, seconds: float = 0.1) -> float:
    """Operations per second of this device in a plain product of large matrices: the best of several.

    On processors, the faster of PyTorch's own product and oneDNN's counts, by which the encoder is read. Time
    of other work does not count: processor seconds are measured, all threads together.

    Parameters
    ----------
    device
        What to measure.
    precision
        ``bf16`` or ``no``.
    seconds
        Time to measure for.

    Returns
    -------
    float
        Operations per second.
    """
    kind = torch.bfloat16 if precision == "bf16" else torch.float32
    left, right = (torch.ones(_SIDE, _SIDE, dtype=kind, device=device) for _ in range(2))
    on_processor = device.type == "cpu"
    clock = time.process_time if on_processor else time.perf_counter
    products = [lambda: left @ right]
    ordered = ordered_product(right) if on_processor else None
    if ordered is not None:
        products.append(lambda: ordered(left))
    best, begun = float("inf"), time.perf_counter()
    with torch.no_grad():
        while best == float("inf") or time.perf_counter() - begun < seconds:
            for product in products:
                started = clock()
                # Reading one number waits until an accelerator is done.
                float(product()[0, 0])
                best = min(best, clock() - started)
    return 2.0 * _SIDE**3 / best * (torch.get_num_threads() if on_processor else 1)


def bases_per_second(encoder: BudwoodEncoder, window: int, batch: int, precision: str) -> float:
    """Training speed of one process, measured on two steps of random bases after one to warm up.

    The encoder's weights stay as they are.

    Parameters
    ----------
    encoder
        The network, on its device.
    window
        Bases of a window.
    batch
        Windows of a step.
    precision
        ``bf16`` or ``no``.

    Returns
    -------
    float
        Bases per second, of the fastest step.
    """
    device = next(encoder.parameters()).device
    random = torch.Generator().manual_seed(0)
    codes = torch.randint(0, 4, (batch, window), generator=random).to(device)
    best = float("inf")
    for _ in range(3):
        begun = time.perf_counter()
        mixed = torch.autocast(device.type, torch.bfloat16) if precision == "bf16" else nullcontext()
        with mixed:
            reading = encoder.strand(codes)
            loss = reading.bases.float().square().mean() + reading.regions.float().square().mean()
        gradients = torch.autograd.grad(loss, list(encoder.parameters()), allow_unused=True)
        float(next(g for g in gradients if g is not None).sum())
        best = min(best, time.perf_counter() - begun)
    return batch * window / best
