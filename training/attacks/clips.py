"""Attacks in rendered stereo clips: the patch is printed on a board in the scene.

    python -m attacks.clips --out DIR [--only NAME ...] [--steps N] [--stealth WEIGHT]

For each story below, DIR/NAME-clean (no board), NAME-grey (a grey board) and NAME-attacked: NNNN/ pair folders as
voxeltrain.pairs writes them, in colour (left.png, right.png, calib.json, gt_disparity.npz); left/NNNN.png and right/NNNN.png, links to
them; calibration.json, poses.txt (row-major 3x4, left camera to that of the first frame) and timestamps.txt for `voxelguard bag
from-images`; index.json with the target's and the board's place in each frame. The patch is optimised on the left pictures of
the grey clip: a board of albedo a is a / grey times as bright. Then the whole scene is rendered anew with it. Resumable.
--stealth: adaptive, keeps the gate's cues low too (objectives.Stealth).
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import cv2
import numpy as np
import torch
import torch.nn.functional as F

from voxeltrain.render import Frame
from voxeltrain.textures import SIZE

from .detector import Detector, letterbox, window
from .eot import Spread, Views
from .objectives import CUE_NAMES, NAMES, Stealth, create, hide
from .optimise import noise, optimise
from .scenes import FRAMES, GREY, RATE, RIG, Stage, Story
from .targets import CAR, PERSON, read_rgb

STEPS, VIEWS, TEXELS = 150, 2, 48
STORIES = [
    Story("suit", PERSON, "katorlegaz_male_01_suit.npz", (0.36, 0.36), 1.15, seed=1),
    Story("casual", PERSON, "katorlegaz_female_01_casual_clothing.npz", (0.34, 0.34), 1.05, seed=2, side=-0.5),
    Story("focus", CAR, "blendswap_cc_by_fordfocus.npz", (0.5, 0.5), 0.7, seed=3, start=14.0, end=6.0, side=0.2),
    Story("male", PERSON, "reallusion_male03.npz", (0.36, 0.36), 1.15, seed=4, side=0.4),
    Story("beetle", CAR, "katorlegaz_vw_new_beetle.npz", (0.5, 0.5), 0.7, seed=5, start=14.0, end=6.0),
    Story("woman", PERSON, "reallusion_female02.npz", (0.34, 0.34), 1.05, seed=6, side=-0.3),
    Story("poster-person", PERSON, None, (0.9, 1.5), 1.2, seed=11, start=11.0, end=5.0, side=0.5),
    Story("poster-car", CAR, None, (1.6, 1.2), 1.1, seed=12, start=13.0, end=6.0, side=0.5),
    Story("print-person", PERSON, None, (1.2, 3.0), 0.0, seed=13, start=7.5, end=3.5, side=0.2),
    Story("print-car", CAR, None, (1.8, 3.2), 0.0, seed=14, start=8.0, end=4.0, side=0.0),
]  # fmt: skip


def write_clip(stage: Stage, folder: Path, variant: str) -> dict:
    """Renders and writes what is missing of one variant; returns its index. Board as last printed, none in the clean one."""
    story, frames = stage.story, []
    camera = {"width": RIG.width, "height": RIG.height, "fx": RIG.fx, "fy": RIG.fy, "cx": RIG.cx, "cy": RIG.cy, "baseline_m": RIG.baseline}
    first_eye, first_rotation = stage.camera(0)
    poses = []
    for k in range(FRAMES):
        pair = folder / f"{k:04d}"
        if not (pair / "frame.json").exists():
            write_pair(*stage.frame(k, board=variant != "clean"), pair, camera)
        eye, rotation = stage.camera(k)
        poses.append(np.column_stack([first_rotation @ rotation.T, first_rotation @ (eye - first_eye)]))
        corners = stage.project(stage.board, k)
        frames.append({"pair": pair.name, "box": stage.box(k), "corners": corners.round(2).tolist(), "distance_m": round(float(stage.place[2] - eye[2]), 3), **json.loads((pair / "frame.json").read_text())})
    for eye in ("left", "right"):
        (folder / eye).mkdir(exist_ok=True)
        for k in range(FRAMES):
            link = folder / eye / f"{k:04d}.png"
            if not link.exists():
                link.symlink_to(f"../{k:04d}/{eye}.png")
    (folder / "calibration.json").write_text(json.dumps(camera, indent=1) + "\n")
    (folder / "poses.txt").write_text("".join(" ".join(f"{v:.7f}" for v in pose.ravel()) + "\n" for pose in poses))
    (folder / "timestamps.txt").write_text("".join(f"{1 + k / RATE:.3f}\n" for k in range(FRAMES)))
    return {"name": story.name, "variant": variant, "kind": story.kind, "mesh": story.mesh, "creates": story.creates, "seed": story.seed, "board_m": story.size, "board_up_m": story.up, "rate_hz": RATE, "frames": frames}


def write_pair(frame: Frame, board: np.ndarray, pair: Path, camera: dict) -> None:
    """One pair folder; frame.json last, which marks it as whole. board: its pixels in the left image, kept in board.png."""
    pair.mkdir(parents=True, exist_ok=True)
    for eye in ("left", "right"):
        cv2.imwrite(str(pair / f"{eye}.png"), getattr(frame, eye)[..., ::-1])
    cv2.imwrite(str(pair / "board.png"), np.uint8(board) * 255)
    (pair / "calib.json").write_text(json.dumps({**camera, "kind": "attack"}, indent=1) + "\n")
    disparity = np.where(np.isfinite(frame.depth), np.float32(RIG.fx * RIG.baseline) / frame.depth, np.float32(np.nan))
    np.savez_compressed(pair / "gt_disparity.npz", disparity=disparity.astype(np.float32))
    (pair / "frame.json").write_text(json.dumps({"board_px": int(board.sum())}))


class Printed:
    """The grey clip's left pictures as a function of what is printed on the board."""

    def __init__(self, stage: Stage, folder: Path, size: tuple[int, int]) -> None:
        """size: texels of the patch, height and width."""
        self.frames = []
        for k in range(FRAMES):
            image = torch.from_numpy(read_rgb(folder / f"{k:04d}/left.png")).float()
            where = torch.from_numpy(cv2.imread(str(folder / f"{k:04d}/board.png"), cv2.IMREAD_GRAYSCALE) > 0)
            corners = stage.project(stage.board, k).astype(np.float32)
            unit = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]], np.float32)
            homography = torch.from_numpy(cv2.getPerspectiveTransform(corners, unit)).float()
            y, x = where.nonzero(as_tuple=True)
            uvw = torch.stack([x.float(), y.float(), torch.ones(len(x))]).T @ homography.T
            # texels that fall on a pixel are averaged first, as the renderer's levels of detail do
            sides = [np.linalg.norm(corners[a] - corners[b]) for a, b in ((0, 1), (3, 2), (0, 3), (1, 2))]
            small = (min(size[0], max(4, round(max(sides[2:])))), min(size[1], max(4, round(max(sides[:2])))))
            boxes = torch.tensor([stage.box(k), stage.box(k, board=True)])
            self.frames.append((image, y, x, uvw[:, :2] / uvw[:, 2:], image[y, x] / GREY, small, boxes))

    def canvas(self, patch: torch.Tensor, k: int, views: Views, n: int = 0, generator: torch.Generator | None = None) -> tuple[torch.Tensor, torch.Tensor]:
        """The canvas [1, H, W, 3] of frame k with the patch [3, h, w], as view n sees it, and in it the boxes of target and board [2, 4]."""
        image, y, x, uv, light, small, boxes = self.frames[k]
        dx, dy, _, _, gain, offset = views.columns[:, n]
        texels = F.interpolate(patch[None], small, mode="bilinear", antialias=True)
        uv = uv + 0.3 * torch.stack([dx, dy])
        seen = F.grid_sample(texels, uv[None, None], padding_mode="border", align_corners=False)[0, :, 0].T
        seen = 255 * (seen * gain + offset) * light
        seen = seen + 255 * views.noise * torch.randn(seen.shape, generator=generator)
        image = image.clone()
        image[y, x] = seen.clamp(0, 255)
        canvas, plan = letterbox(image)
        scale = torch.tensor((*plan.scale, *plan.scale), dtype=torch.float32)
        return canvas, boxes * scale + torch.tensor((plan.left, plan.top) * 2)


def optimise_print(detector: Detector, stage: Stage, grey: Path, steps: int, stealth: float = 0) -> tuple[np.ndarray, list[float]]:
    """The printed picture, RGB uint8 [SIZE, SIZE, 3], and the loss of each step; every step sees VIEWS random frames.

    stealth: weight of each of the gate's cues on the board against log-odds; 0: they are of no account.
    """
    story = stage.story
    wide, high = story.size
    size = (round(TEXELS * min(1, high / wide)), round(TEXELS * min(1, wide / high)))
    printed = Printed(stage, grey, size)
    objective = create if story.creates else hide
    names = CUE_NAMES if stealth else NAMES

    means, windows, quiet = [], [], []
    with torch.no_grad():
        for k in range(FRAMES):
            canvas, boxes = printed.canvas(torch.full((3, 1, 1), GREY / 255), k, Views.plain())
            values = detector(canvas, (*names, *detector.means))
            means.append({name: values[name] for name in detector.means})
            windows.append(window(boxes.numpy(), (canvas.shape[2], canvas.shape[1])))
            quiet.append(Stealth(values, canvas, tuple(boxes[1].tolist())) if stealth else None)

    def loss(patch: torch.Tensor, views: Views, generator: torch.Generator) -> torch.Tensor:
        parts = []
        for n, k in enumerate(torch.randint(FRAMES, (VIEWS,), generator=generator).tolist()):
            left, top, right, bottom = windows[k]
            canvas, boxes = printed.canvas(patch, k, views, n, generator)
            canvas, (target, board) = canvas[:, top:bottom, left:right], boxes - torch.tensor((left, top) * 2)
            values = detector(canvas, names, means[k])
            total = objective(values, story.kind, target)
            if stealth:
                total = total + stealth * sum(quiet[k](values, canvas, tuple(board.tolist())).values())
            parts.append(total)
        return torch.cat(parts).mean()

    patch, losses = optimise(loss, noise(size, story.seed), seed=story.seed, steps=steps, views=VIEWS)
    return cv2.resize(np.uint8(patch.permute(1, 2, 0).numpy() * 255 + 0.5), (SIZE, SIZE), interpolation=cv2.INTER_LINEAR), losses


def make(detector: Detector, story: Story, out: Path, steps: int, stealth: float = 0) -> None:
    """All variants of one story; what is there is kept, and refused where it was made otherwise."""
    folders = {variant: out / f"{story.name}-{variant}" for variant in ("grey", "attacked", "clean")}
    note = folders["attacked"] / "patch.json"
    if note.exists():
        was = json.loads(note.read_text())
        if (was["steps"], was["stealth"]) != (steps, stealth):
            raise SystemExit(f"{note} is of --steps {was['steps']} --stealth {was['stealth']}, wanted --steps {steps} --stealth {stealth}: take another --out")
    if all((folder / "index.json").exists() for folder in folders.values()):
        return
    stage = Stage(story)
    said: dict = {}
    for variant, folder in folders.items():
        folder.mkdir(parents=True, exist_ok=True)
        if variant == "grey":
            stage.print_on(np.full((SIZE, SIZE, 3), GREY, np.uint8))
        if variant == "attacked":
            picture = folder / "patch.png"
            if not picture.exists():
                patch, losses = optimise_print(detector, stage, folders["grey"], steps, stealth)
                note.write_text(json.dumps({"steps": steps, "stealth": stealth, "views_a_step": VIEWS, "spread": Spread().__dict__, "loss": [round(each, 3) for each in losses[::10]]}))
                cv2.imwrite(str(picture), patch[..., ::-1])
            stage.print_on(read_rgb(picture))
            said = json.loads(note.read_text())
        index = write_clip(stage, folder, variant)
        (folder / "index.json").write_text(json.dumps({**index, "class": detector.classes[story.kind], **said}, indent=1) + "\n")


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--out", type=Path, required=True)
    p.add_argument("--only", nargs="+", metavar="NAME", default=[story.name for story in STORIES])
    p.add_argument("--steps", type=int, default=STEPS)
    p.add_argument("--stealth", type=float, default=0, help="weight of each of the gate's cues (adaptive); 0: white-box")
    a = p.parse_args()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    detector = Detector()
    for story in STORIES:
        if story.name in a.only:
            began = time.perf_counter()
            make(detector, story, a.out, a.steps, a.stealth)
            print(json.dumps({"clip": story.name, "seconds": round(time.perf_counter() - began, 1)}), flush=True)


if __name__ == "__main__":
    main()
