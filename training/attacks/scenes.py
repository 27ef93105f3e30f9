"""Streets for the stereo clips: a camera that approaches somebody who carries a board, a poster on a wall, or a print on the ground.

World frame: x right, y down, z forward along the street; metres.
"""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass

import numpy as np

from voxeltrain.atlas import LEVELS, Atlas, load_atlas
from voxeltrain.drive import town
from voxeltrain.meshes import load_model
from voxeltrain.render import Frame, render
from voxeltrain.scene import Builder, Light, Material, Rig, Scene, Sky
from voxeltrain.shapes import box, pitch, quads, yaw
from voxeltrain.street import Street
from voxeltrain.textures import SIZE

RIG = Rig(640, 360, 450.0, 450.0, 319.5, 168.0, 0.30)
FRAMES, RATE = 20, 10.0
EYE_HEIGHT = 1.2
GAP = 0.03  # between board and body
GREY = 128  # of the unprinted board


@dataclass(frozen=True)
class Story:
    """One clip. kind: COCO class that is hidden or made up; mesh: who stands there (none: a wall or the ground).

    size: of the board, metres across and up; up: height of its middle (0: flat on the ground); turn: of the body, radians, 0: facing the camera.
    start, end: metres from the camera to the body in the first and last frame; side: lateral metres from the camera's path.
    """

    name: str
    kind: int
    mesh: str | None
    size: tuple[float, float]
    up: float
    seed: int
    start: float = 11.0
    end: float = 4.5
    side: float = 0.6
    turn: float = 0.0

    @property
    def creates(self) -> bool:
        """Whether the patch makes something up."""
        return self.mesh is None


class Stage:
    """The street of a story, its body and its board."""

    def __init__(self, story: Story) -> None:
        self.story = story
        shared = load_atlas("train", photos=False)
        self.atlas = copy(shared)
        self.atlas.pages, self.atlas.mean = [page.copy() for page in shared.pages], shared.mean.copy()
        self.tile = int(shared.kinds["sign"][0])
        rng = np.random.default_rng(story.seed)
        street = Street(rng, 0.0)
        street.bend = street.slope = street.hill = street.bank = 0.0
        self.bare = Builder(self.atlas, rng, np.zeros(3), 0.0)
        town(self.bare, street)
        self.lane = float(rng.uniform(0.5, 1.5))
        self.place = np.array([self.lane + story.side, 0.0, 30.0])
        self.points = self._stand_body()
        self.board = self._corners()
        elevation, azimuth = rng.uniform(0.5, 1.1), rng.uniform(-2.6, -0.9)
        sun = np.array([np.sin(azimuth) * np.cos(elevation), -np.sin(elevation), np.cos(azimuth) * np.cos(elevation)])
        white, blue = np.array([0.93, 0.97, 1.0]), np.array([0.22, 0.44, 0.86])
        self.light = Light(sun, np.array([1.0, 0.9, 0.75]) * rng.uniform(0.8, 2.0), (0.35 * blue + 0.65 * white) * 0.6, 0.05)
        self.sky = Sky(blue * 0.85, (0.25 * blue + 0.75 * white) * 1.1, int(shared.kinds["clouds"][1]), 0.75, 0.5, turn=float(rng.random()), ground=np.full(3, 0.18))

    def _stand_body(self) -> np.ndarray:
        """Adds the body (or the wall behind a poster) and returns its points [N, 3] in the world; those of a wall are the board's own."""
        story, b = self.story, self.bare
        if story.mesh is None:
            if story.up > 0:
                half = (max(1.6, story.size[0]), story.up / 2 + story.size[1] / 2, 0.1)
                b.add(box(half), b.surface("plaster", scale=(2, 2), own=0.3, contrast=0.6), self.place + [0, -half[1], half[2] + GAP], None, (0.8, 0.76, 0.68))
            return np.zeros((0, 3))
        model = load_model(story.mesh, False)
        skin = Material(int(self.atlas.kinds["fabric"][0]), 0.6, contrast=0.3, own=0.0, dirt=0.0)
        turn = yaw(np.pi + story.turn)
        b.add(model.shapes[0], skin, self.place, turn, model.colours[0])
        return model.shapes[0].corners.reshape(-1, 3) @ turn.T + self.place

    def _corners(self) -> np.ndarray:
        """The board's corners [4, 3]: upper left, upper right, lower right, lower left as the camera sees them."""
        (wide, high), (x, y, z) = self.story.size, self.place
        if self.story.up == 0:
            return np.array([[x - wide / 2, y - 0.006, z + high], [x + wide / 2, y - 0.006, z + high], [x + wide / 2, y - 0.006, z], [x - wide / 2, y - 0.006, z]])
        middle = y - self.story.up
        near = self.points[(np.abs(self.points[:, 0] - x) < wide / 2) & (np.abs(self.points[:, 1] - middle) < high / 2)]
        front = (near[:, 2].min() if len(near) else z) - GAP
        return np.array([[x + i * wide / 2, middle + j * high / 2, front] for i, j in ((-1, -1), (1, -1), (1, 1), (-1, 1))])

    def print_on(self, patch: np.ndarray) -> None:
        """Puts RGB uint8 [SIZE, SIZE, 3] on the board, at all levels of detail."""
        row, column = divmod(self.tile, self.atlas.columns)
        level = patch.astype(np.float32)
        for k in range(LEVELS):
            side = (SIZE >> k) + 2
            wrapped = np.pad(level, ((1, 1), (1, 1), (0, 0)), mode="edge")
            self.atlas.pages[k][row * side : (row + 1) * side, column * side : (column + 1) * side] = np.uint8(wrapped + 0.5)
            level = (level[::2, ::2] + level[1::2, ::2] + level[::2, 1::2] + level[1::2, 1::2]) / 4
        self.atlas.mean[self.tile] = patch.reshape(-1, 3).mean(0) / 255

    def camera(self, frame: int) -> tuple[np.ndarray, np.ndarray]:
        """Left eye in the world [3] and rotation camera from world [3, 3]."""
        story, time = self.story, frame / RATE
        share = frame / (FRAMES - 1)
        ahead = self.place[2] - (story.start + (story.end - story.start) * share)
        eye = np.array([self.lane + 0.05 * np.sin(3.1 * time), -EYE_HEIGHT - 0.004 * np.sin(9 * time), ahead])
        return eye, (yaw(0.01 * np.sin(2 * time + story.seed)) @ pitch(-0.02 + 0.004 * np.sin(7.1 * time))).T

    def project(self, points: np.ndarray, frame: int) -> np.ndarray:
        """Pixels [N, 2] of world points [N, 3] in the left image (pixel centres at whole numbers)."""
        eye, rotation = self.camera(frame)
        p = (points - eye) @ rotation.T
        return p[:, :2] / p[:, 2:] * (RIG.fx, RIG.fy) + (RIG.cx, RIG.cy)

    def box(self, frame: int, board: bool = False) -> list[float]:
        """Left, top, right, bottom of the body (none: of the board) or of the board in the left image, pixel edges."""
        pixels = self.project(self.board if board or not len(self.points) else self.points, frame) + 0.5
        low, high = pixels.min(0).clip(0), np.minimum(pixels.max(0), (RIG.width, RIG.height))
        return [round(float(v), 2) for v in (*low, *high)]

    def frame(self, frame: int, board: bool) -> tuple[Frame, np.ndarray]:
        """Both eyes and the depth, and where the left eye sees the board, bool [H, W]."""
        eye, rotation = self.camera(frame)
        b = Builder(self.atlas, np.random.default_rng(0), eye, 0.0)
        b.parts, b.materials, b.surfaces = list(self.bare.parts), list(self.bare.materials), self.bare.surfaces
        mark = b.surfaces
        if board:
            b.add(quads(self.board[None], np.array([[[0, 0], [1, 0], [1, 1], [0, 1]]]) * 0.9999), Material(self.tile, dirt=0.0), offset=False)
        scene = Scene(**b.soup(), rig=RIG, rotation=rotation, eye=eye, sky=self.sky, light=self.light, fog=700.0, exposure=0.19, kind="attack")
        seen = render(scene, self.atlas)
        return seen, seen.surface == mark

