"""Trains the octree stereo network on rendered shards.

    python -m voxeltrain.train --run ~/train-runs/NAME --shards DIR [DIR ...] --test DIR --steps 20000

    python -m voxeltrain.train --run RUN2 --start RUN/checkpoint.pt --rounded --shards DIR --steps 1000 --rate 2e-4

Writes RUN/checkpoint.pt every few minutes and goes on from it when started again; RUN/log.jsonl has one line per report.
--rounded is the last phase, in which the weights get used to the 8-bit graph (rounding.py).
Two single-thread processes with averaged gradients use two cores better than one process with two threads: --processes 2.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import sys
import time
from pathlib import Path
from typing import Iterator

os.environ.setdefault("OMP_WAIT_POLICY", "passive")
import numpy as np  # noqa: E402
import torch  # noqa: E402
import torch.distributed as dist  # noqa: E402
import torch.multiprocessing as mp  # noqa: E402

from .augment import augment_pair, grey  # noqa: E402
from .evaluate import evaluate_shards  # noqa: E402
from .losses import batch_loss  # noqa: E402
from .matcher import Matcher  # noqa: E402
from .net import OctreeStereoNet  # noqa: E402
from .quantise import ranges_of  # noqa: E402
from .rounding import rounded  # noqa: E402

REPORT_EVERY = 50  # steps
GOOD = 0.4  # share of pairs that are distorted as good cameras do; tests and scores have none of these
CHECKPOINT_EVERY = 150  # s
TEST_EVERY = 900  # s
SCHEDULE = ("steps", "rate", "batch", "processes", "rounded")  # a run is repeatable only if it goes on with these as it began


def batches(folders: list[str], size: int, seed: int) -> Iterator[dict[str, torch.Tensor]]:
    """Endless augmented batches; shards may appear while it runs."""
    g = np.random.default_rng(seed)
    matcher = Matcher()
    while True:
        files = sorted(f for folder in folders for f in Path(folder).glob("*.npz") if ".tmp" not in f.name)
        shards = []
        for file in g.choice(len(files), min(4, len(files)), replace=False):
            with np.load(files[file]) as z:
                shards.append({k: z[k] for k in ("left", "right", "depth", "labels", "calibration")})
        order = [(s, i) for s in shards for i in range(len(s["left"]))]
        for k in range(0, len(order) - size + 1, size):
            picked = [order[j] for j in g.permutation(len(order))[:size]]
            evidence = [matcher.run(*augment_pair(grey(s["left"][i]), grey(s["right"][i]), g, GOOD)) for s, i in picked]
            yield {
                "evidence": torch.from_numpy(np.stack(evidence)),
                "depth": torch.from_numpy(np.stack([s["depth"][i].astype(np.float32) for s, i in picked])),
                "labels": torch.from_numpy(np.stack([s["labels"][i] for s, i in picked])),
                "calibration": torch.from_numpy(np.stack([s["calibration"][i] for s, i in picked])),
            }


def rate(step: int, steps: int, peak: float) -> float:
    """Warm-up over 200 steps, then cosine to 2 %."""
    return peak * min(1.0, (step + 1) / 200) * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * min(1.0, step / steps))))


def keep_mean(mean: torch.nn.Module, net: torch.nn.Module, step: int) -> None:
    """Running mean of weights and statistics over about the last 1,000 steps, fewer at the start."""
    share = 1 - min(0.999, (step + 1) / (step + 10))
    with torch.no_grad():
        for m, n in zip(mean.state_dict().values(), net.state_dict().values(), strict=True):
            m.lerp_(n, share) if m.dtype.is_floating_point else m.copy_(n)


def average(net: torch.nn.Module, processes: int) -> None:
    """Mean of the gradients over all processes."""
    grads = [p.grad for p in net.parameters() if p.grad is not None]
    flat = torch.cat([g.reshape(-1) for g in grads])
    dist.all_reduce(flat)
    flat /= processes
    at = 0
    for g in grads:
        g.copy_(flat[at : at + g.numel()].view_as(g))
        at += g.numel()


def work(rank: int, a: argparse.Namespace) -> None:
    torch.set_num_threads(1)
    if a.processes > 1:
        dist.init_process_group("gloo", init_method=f"tcp://127.0.0.1:{a.port}", rank=rank, world_size=a.processes)
    run = Path(a.run).expanduser()
    run.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(a.seed)
    net, ema = OctreeStereoNet(), OctreeStereoNet()
    optimiser = torch.optim.AdamW(net.parameters(), a.rate, weight_decay=1e-3, betas=(0.9, 0.99))
    state = {"step": 0, "seconds": 0.0, "pairs": 0}
    checkpoint = run / "checkpoint.pt"
    saved = torch.load(checkpoint, weights_only=True) if checkpoint.exists() else {}
    if saved:
        net.load_state_dict(saved["net"])
        optimiser.load_state_dict(saved["optimiser"])
        ema.load_state_dict(saved["ema"])
        state = saved["state"]
        was, now = saved["args"], vars(a)
        other = {k: (was[k], now[k]) for k in SCHEDULE if k in was and was[k] != now[k]}
        if rank == 0 and other:
            print(f"going on otherwise than it began (was, is): {other}", file=sys.stderr, flush=True)
    else:
        if a.start:
            net.load_state_dict(torch.load(a.start, weights_only=True)["ema"])
        ema.load_state_dict(net.state_dict())
    for m in net.modules():
        if isinstance(m, torch.nn.BatchNorm2d):
            m.momentum = 0.03
    ranges = (saved.get("ranges") or ranges_of(ema.eval(), Path(a.shards[0]))) if a.rounded else None
    learner = net if ranges is None else rounded(net, ranges)
    torch.manual_seed(a.seed + 1000 * state["step"] + rank)
    source = batches(a.shards, a.batch, a.seed + 7919 * state["step"] + 104729 * rank)
    smooth: dict[str, float] = {}
    saved_at = tested_at = time.monotonic()

    def save(name: str = "checkpoint.pt") -> None:
        part = run / f"{name}.part"
        weights = {"net": net.state_dict(), "ema": ema.state_dict(), "optimiser": optimiser.state_dict()}
        torch.save(weights | {"state": state, "args": vars(a)} | ({"ranges": ranges} if ranges else {}), part)
        part.replace(run / name)

    while state["step"] < a.steps:
        began = time.process_time()
        batch = next(source)
        for group in optimiser.param_groups:
            group["lr"] = rate(state["step"], a.steps, a.rate)
        loss, log = batch_loss(learner, batch)
        optimiser.zero_grad()
        loss.backward()
        if a.processes > 1:
            average(net, a.processes)
        norm = torch.nn.utils.clip_grad_norm_(net.parameters(), 2.0)
        if torch.isfinite(norm):
            optimiser.step()
        state["step"] += 1
        state["pairs"] += a.batch * a.processes
        keep_mean(ema, net, state["step"])
        state["seconds"] += (time.process_time() - began) * a.processes
        for k, v in log.items():
            smooth[k] = v if k not in smooth else smooth[k] * 0.98 + v * 0.02
        if rank == 0 and state["step"] % REPORT_EVERY == 0:
            line = {**state, **{k: round(v, 4) for k, v in smooth.items()}}
            with (run / "log.jsonl").open("a") as f:
                f.write(json.dumps(line) + "\n")
            print(json.dumps(line), flush=True)
        if rank == 0 and time.monotonic() - saved_at > CHECKPOINT_EVERY:
            save()
            saved_at = time.monotonic()
        if rank == 0 and a.test and time.monotonic() - tested_at > TEST_EVERY:
            scores = evaluate_shards(ema, Path(a.test), limit=40)
            with (run / "test.jsonl").open("a") as f:
                f.write(json.dumps({**state, **scores}) + "\n")
            tested_at = time.monotonic()
    if rank == 0:
        save()


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--run", required=True)
    p.add_argument("--shards", nargs="+", required=True)
    p.add_argument("--test", default="")
    p.add_argument("--start", default="", help="checkpoint whose averaged weights a new run begins with")
    p.add_argument("--steps", type=int, default=20000)
    p.add_argument("--batch", type=int, default=4, help="pairs per process and step")
    p.add_argument("--rate", type=float, default=2e-3)
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--rounded", action="store_true", help="train through the rounding of the 8-bit graph, statistics frozen")
    p.add_argument("--processes", type=int, default=1)
    p.add_argument("--port", type=int, default=29533)
    a = p.parse_args()
    if a.processes == 1:
        work(0, a)
    else:
        mp.spawn(work, (a,), a.processes)


if __name__ == "__main__":
    main()
