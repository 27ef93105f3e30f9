"""Trains the baseline, from `training/`, on one thread.

    python -m baseline.train --run RUN --shards DIR [DIR ...] --test DIR --seconds N [--sparse]

The paper's recipe: Adam 1e-3 at a constant rate, batches of 4, soft IoU with .30 / .27 / .23 / .20. Departures: the
distortions of `voxeltrain.augment` (the paper has none) and a running mean of the weights, which is what is evaluated
(as for ours). Stops when N CPU seconds of training are spent over all sittings; RUN/checkpoint.pt is written every few
minutes and goes on when started again, RUN/log.jsonl has one line per report, RUN/test.jsonl scores now and then.
"""

import argparse
import ctypes
import json
import time
from pathlib import Path

import torch
from torch import Tensor

from baseline.data import Batch, batches
from baseline.evaluate import evaluate_shards
from baseline.net import StereoVoxelNet
from baseline.sparse import SparseStereoVoxelNet, make_net
from baseline.targets import soft_iou_loss, targets, trained_rows, whole_grid
from voxeltrain.train import keep_mean

REPORT_EVERY = 25  # steps
CHECKPOINT_EVERY_S = 150.0
TEST_EVERY_S = 1800.0  # CPU seconds of training
TEST_PAIRS = 40
RATE = 1e-3


def loss_of(net: StereoVoxelNet, batch: Batch) -> tuple[Tensor, list[float]]:
    """Loss and soft IoU of each level. The sparse variant keeps the parents that truly are occupied."""
    left, right, planes, labels = batch
    wanted, seen = targets(labels)
    latent = net.encode(left, right, planes)
    if isinstance(net, SparseStereoVoxelNet):
        occupancies = net.decode(latent, lambda level, _: whole_grid(wanted[level]))
    else:
        occupancies = net.decode(latent)
    levels = [soft_iou_loss([trained_rows(p)], [g], [s], [1.0]) for p, g, s in zip(occupancies, wanted, seen, strict=True)]
    loss = soft_iou_loss([trained_rows(p) for p in occupancies], wanted, seen)
    return loss, [1 - level.item() for level in levels]


def reuse_memory() -> None:
    """Lets malloc keep what it freed: mapping and clearing large tensors anew took a fifth of a step."""
    m_trim_threshold, m_mmap_max = -1, -4
    libc = ctypes.CDLL("libc.so.6")
    libc.mallopt(m_mmap_max, 0)
    libc.mallopt(m_trim_threshold, 2**31 - 1)


def append(path: Path, line: dict[str, float]) -> None:
    with path.open("a") as stream:
        stream.write(json.dumps(line) + "\n")


def train(run: Path, shards: list[Path], test: Path | None, seconds: float, batch: int, seed: int, sparse: bool) -> None:
    run.mkdir(parents=True, exist_ok=True)
    checkpoint = run / "checkpoint.pt"
    saved = torch.load(checkpoint, weights_only=True) if checkpoint.exists() else None
    state = saved["state"] if saved else {"step": 0, "pairs": 0, "seconds": 0.0}
    torch.manual_seed(seed + state["step"])
    source = batches(shards, batch, seed + 7919 * state["step"])
    ahead = next(source)
    size = tuple(ahead[0].shape[2:])
    net, mean = make_net(sparse, *size), make_net(sparse, *size)
    optimiser = torch.optim.Adam(net.parameters(), RATE)
    if saved:
        net.load_state_dict(saved["net"])
        mean.load_state_dict(saved["mean"])
        optimiser.load_state_dict(saved["optimiser"])
    else:
        mean.load_state_dict(net.state_dict())

    def save() -> None:
        part = run / "checkpoint.part"
        weights = {"net": net.state_dict(), "mean": mean.state_dict(), "optimiser": optimiser.state_dict()}
        torch.save(weights | {"state": state, "sparse": sparse, "size": size}, part)
        part.replace(checkpoint)

    saved_at, tested_at = time.monotonic(), state["seconds"]
    smooth: dict[str, float] = {}
    while state["seconds"] < seconds:
        began = time.process_time()
        loss, ious = loss_of(net.train(), ahead)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        state["step"] += 1
        state["pairs"] += batch
        keep_mean(mean, net, state["step"])
        ahead = next(source)
        state["seconds"] += time.process_time() - began
        figures = {"loss": loss.item()} | {f"soft_iou{i}": iou for i, iou in enumerate(ious)}
        for name, value in figures.items():
            smooth[name] = 0.98 * smooth.get(name, value) + 0.02 * value
        if state["step"] % REPORT_EVERY == 0:
            append(run / "log.jsonl", state | {n: round(v, 4) for n, v in smooth.items()})
        if time.monotonic() - saved_at > CHECKPOINT_EVERY_S:
            save()
            saved_at = time.monotonic()
        if test and state["seconds"] - tested_at > TEST_EVERY_S:
            append(run / "test.jsonl", state | evaluate_shards(mean, test, TEST_PAIRS))
            tested_at = state["seconds"]
    save()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run", type=Path, required=True)
    parser.add_argument("--shards", type=Path, nargs="+", required=True)
    parser.add_argument("--test", type=Path, help="folder of test shards to score on while training")
    parser.add_argument("--seconds", type=float, required=True, help="CPU seconds of training over all sittings")
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--sparse", action="store_true", help="the octree-sparse variant")
    a = parser.parse_args()
    torch.set_num_threads(1)
    reuse_memory()
    train(a.run.expanduser(), [s.expanduser() for s in a.shards], a.test and a.test.expanduser(), a.seconds, a.batch, a.seed, a.sparse)


if __name__ == "__main__":
    main()
