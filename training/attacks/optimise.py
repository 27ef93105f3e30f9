"""Projected gradient descent on a patch's pixels over random views of it."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch

from .eot import Spread, Views

LAST = 8

def noise(shape: tuple[int, int], seed: int) -> torch.Tensor:
    """A patch [3, height, width] to start from: noise about grey."""
    return 0.5 + 0.2 * (2 * torch.rand(3, *shape, generator=torch.Generator().manual_seed(seed)) - 1)


def optimise(loss: Callable[[torch.Tensor, Views, torch.Generator], torch.Tensor], start: torch.Tensor, *, seed: int, steps: int, views: int = 1, rate: float = 0.1, enough: float = -math.inf, spread: Spread = Spread()) -> tuple[torch.Tensor, list[float]]:
    """The patch [3, height, width] in 0..1 and the loss of each step.

    loss: of a patch over views, a scalar. Signed steps with momentum; they begin at `rate` and shrink to a tenth of it
    along half a cosine. It ends early where the mean loss of the last LAST steps is at most `enough`.
    """
    generator = torch.Generator().manual_seed(seed)
    patch = start.clone().requires_grad_()
    velocity, losses = torch.zeros_like(patch), []
    for step in range(steps):
        value = loss(patch, Views.drawn(views, spread, generator), generator)
        (slope,) = torch.autograd.grad(value, patch)
        velocity = 0.8 * velocity + slope / slope.abs().mean().clamp(min=1e-12)
        length = rate * (0.1 + 0.9 * (1 + math.cos(math.pi * step / steps)) / 2)
        with torch.no_grad():
            patch.sub_(length * velocity.sign()).clamp_(0, 1)
        losses.append(float(value.detach()))
        if step >= LAST and sum(losses[-LAST:]) <= LAST * enough:
            break
    return patch.detach(), losses
