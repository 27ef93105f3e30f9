"""Writes the baseline as one ONNX file: `python -m baseline.export --out FILE.onnx [--runs 15]`, from `training/`.

Without trained weights the file holds random ones: the speed is the same, the answers mean nothing. It is 23 MB and
never committed; the bench makes it on demand in `~/.cache/voxelguard/`.
"""

import argparse
import logging
import statistics
import time
from pathlib import Path

import numpy as np
import onnxruntime
import torch
from torch import Tensor, nn

from baseline.cost import count_macs
from baseline.net import (
    DRIVING_STEREO_FX_BASELINE_PX_M,
    IMAGE_HEIGHT,
    IMAGE_WIDTH,
    StereoVoxelNet,
    voxel_planes,
)

OPSET = 18
LEVEL_NAMES = ("occupancy_8", "occupancy_16", "occupancy_32", "occupancy_64")


def noise_pair(seed: int) -> tuple[Tensor, Tensor]:
    """Two different normalised "images" [1, 3, 400, 880]."""
    generator = torch.Generator().manual_seed(seed)
    left, right = torch.randn(2, 1, 3, IMAGE_HEIGHT, IMAGE_WIDTH, generator=generator)
    return left, right


def random_net(seed: int = 1) -> StereoVoxelNet:
    """The network with DrivingStereo's planes and random weights, whose answers depend on both images.

    PyTorch's default weights would fade to the same answer for every input; so He's are drawn, and the batch norms
    take their statistics from one noise pair.
    """
    torch.manual_seed(seed)
    net = StereoVoxelNet(voxel_planes(DRIVING_STEREO_FX_BASELINE_PX_M))
    for layer in net.modules():
        if isinstance(layer, nn.Conv2d | nn.Conv3d | nn.ConvTranspose3d | nn.Linear):
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
        if isinstance(layer, nn.BatchNorm2d | nn.BatchNorm3d):
            layer.momentum = None  # running statistics become the plain mean over batches
    with torch.no_grad():
        net.train()(*noise_pair(seed))
    return net.eval()


def export(net: StereoVoxelNet, path: Path) -> None:
    """Writes `net` with inputs left, right [1, 3, 400, 880] float32 and four outputs [1, n, n, n], n = 8 .. 64."""
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    partial = path.with_name(path.name + ".partial")
    torch.onnx.export(
        net.eval(),
        noise_pair(0),  # one tensor given twice would be exported as one input's features used twice
        partial,
        input_names=["left", "right"],
        output_names=LEVEL_NAMES,
        opset_version=OPSET,
        dynamo=True,
        external_data=False,
        verbose=False,
    )
    partial.replace(path)


def open_session(path: Path, threads: int) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def worst_difference(net: StereoVoxelNet, path: Path, seed: int = 2) -> float:
    """Largest absolute difference of any voxel's probability between PyTorch and ONNX Runtime, on one noise pair."""
    left, right = noise_pair(seed)
    with torch.no_grad():
        wanted = net(left, right)
    got = open_session(path, threads=2).run(None, {"left": left.numpy(), "right": right.numpy()})
    return max(float(np.abs(w.numpy() - g).max()) for w, g in zip(wanted, got, strict=True))


def run_times_ms(path: Path, threads: int, runs: int) -> list[float]:
    """Sorted wall times of `runs` inferences after two to warm up."""
    session = open_session(path, threads)
    left, right = noise_pair(3)
    feeds = {"left": left.numpy(), "right": right.numpy()}
    times_ms = []
    for _ in range(2 + runs):
        start = time.perf_counter()
        session.run(None, feeds)
        times_ms.append((time.perf_counter() - start) * 1e3)
    return sorted(times_ms[2:])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help="ONNX file to write")
    parser.add_argument("--runs", type=int, default=0, help="time so many inferences with 1 and with 2 threads")
    args = parser.parse_args()

    net = random_net()
    args.out.parent.mkdir(parents=True, exist_ok=True)
    export(net, args.out)
    parameters = sum(p.numel() for p in net.parameters())
    gmacs = count_macs(net, *noise_pair(0)) / 1e9
    print(f"{args.out}: {parameters / 1e6:.3f} M parameters, {gmacs:.3f} GMACs")
    print(f"largest difference PyTorch - ONNX Runtime: {worst_difference(net, args.out):.1e}")
    for threads in (1, 2) if args.runs > 0 else ():
        times_ms = run_times_ms(args.out, threads, args.runs)
        p50_ms = statistics.median(times_ms)
        print(f"{threads} thread(s), {args.runs} runs: p50 {p50_ms:.0f} ms, best {times_ms[0]:.0f} ms")


if __name__ == "__main__":
    main()
