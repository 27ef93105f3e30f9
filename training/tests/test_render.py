"""The renderer's two eyes, depth and labels agree with each other."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from voxeltrain.atlas import Atlas, load_atlas
from voxeltrain.augment import augment_pair
from voxeltrain.drive import HEIGHT, Drive
from voxeltrain.glare import bloom
from voxeltrain.labels import CENTRES, FREE, OCCUPIED, OUT, UNKNOWN, voxel_labels
from voxeltrain.losses import label_pyramid
from voxeltrain.render import Eye, Frame, Tables, render
from voxeltrain.scene import Builder, Light, Rig, Scene, Sky
from voxeltrain.shapes import box, quads
from voxeltrain.shards import make_pair, rig_class
from voxeltrain.weather import LIGHTINGS
from voxeltrain.worlds import KINDS, random_scene


@pytest.fixture(scope="module")
def atlas() -> Atlas:
    return load_atlas("test", photos=False)


def plain_scene(atlas: Atlas, gloss: float = 0.0, fx: float = 400.0, ground: bool = True) -> Scene:
    """A textured ground 1.6 m below a level camera, and a box 2 m wide whose face is 10 m ahead."""
    b = Builder(atlas, np.random.default_rng(0), np.zeros(3), 0.1)
    if ground:
        b.add(quads(np.array([[[-300, 1.6, 600], [300, 1.6, 600], [300, 1.6, -10], [-300, 1.6, -10]]])), b.surface("stones", scale=(2, 2)), structure=True)
    b.add(box((1, 1, 1)), b.surface("clutter", scale=(2, 2), gloss=gloss), (0.1, 0.25, 11.1))
    sky = Sky(np.array([0.2, 0.4, 0.8]), np.ones(3), atlas.pick(b.rng, "clouds"), 0.5, 0.5)
    light = Light(np.array([0.5, -0.7, -0.5]) / np.sqrt(0.99), np.ones(3), np.ones(3) * 0.5, 0.05)
    rig = Rig(512, 256, fx, fx, 255.5, 110.0, 0.5)
    return Scene(**b.soup(), rig=rig, rotation=np.eye(3), eye=np.zeros(3), sky=sky, light=light, fog=1e4, exposure=0.2, kind="plain")


def warp_error(scene: Scene, frame: Frame, where: np.ndarray) -> float:
    """Median absolute grey difference of left and right warped by exact disparity, unoccluded pixels in `where`."""
    rig = scene.rig
    v, u = np.indices(frame.depth.shape)
    disparity = rig.fx * rig.baseline / frame.depth
    x = u - disparity
    x0 = np.floor(x).astype(int).clip(0, rig.width - 2)
    part = (x - x0)[..., None]
    warped = frame.right[v, x0] * (1 - part) + frame.right[v, x0 + 1] * part
    # a pixel is hidden in the right eye if another one lands left of it with a larger disparity
    landing = np.minimum.accumulate(np.where(np.isfinite(x), x, np.inf)[:, ::-1], axis=1)[:, ::-1]
    shown = (x >= 0) & (landing >= x - 1e-6) & where
    return float(np.median(np.abs(warped - frame.left)[shown]))


def test_both_eyes_agree_on_ground_and_box(atlas: Atlas) -> None:
    scene = plain_scene(atlas)
    frame = render(scene, atlas)
    for low, high in ((3, 6), (6, 10), (10, 20), (20, 60), (60, 300)):
        where = (frame.depth > low) & (frame.depth < high)
        assert where.any()
        assert warp_error(scene, frame, where) < 4, (low, high)


def test_random_scenes_agree_between_eyes(atlas: Atlas) -> None:
    for seed in range(6):
        scene = random_scene(np.random.default_rng(seed), atlas)
        frame = render(scene, atlas)
        assert warp_error(scene, frame, np.isfinite(frame.depth)) < 4, seed


def test_depth_is_exact(atlas: Atlas) -> None:
    scene = plain_scene(atlas)
    frame = render(scene, atlas)
    v = np.arange(200, 256)
    np.testing.assert_allclose(frame.depth[200:, 5], 1.6 * 400 / (v - 110.0), rtol=1e-6)
    assert np.allclose(frame.depth[110, 240:270], 10.1)
    assert np.isinf(frame.depth[20, 20])


def test_labels_of_a_box_are_exact(atlas: Atlas) -> None:
    scene = plain_scene(atlas, ground=False)
    frame = render(scene, atlas)
    labels = voxel_labels(frame.depth, scene.rig.calibration(), frame.surface)
    x, y, z = CENTRES.T
    flat = labels.ravel()
    face = (np.abs(x - 0.1) < 0.9) & (y > -0.8) & (y < 1.2) & (z > 10.1) & (z < 10.5)
    assert face.any() and (flat[face] == OCCUPIED).all()
    assert set(np.unique(np.floor(z[flat == OCCUPIED] * 2))) == {20.0}
    before = (np.abs(x) < 0.6) & (np.abs(y) < 0.6) & (z < 9.9) & (z > 1)
    assert (flat[before] == FREE).all()
    behind = (np.abs(x - 0.1) < 0.6) & (np.abs(y - 0.25) < 0.6) & (z > 12)
    assert (flat[behind] == UNKNOWN).all()
    u, v = 400 * x / z + 255.5, 400 * y / z + 110
    assert ((flat == OUT) == ((u < 0) | (u > 511) | (v < 0) | (v > 255))).all()


def test_grazing_ground_is_closed(atlas: Atlas) -> None:
    scene = plain_scene(atlas)
    frame = render(scene, atlas)
    labels = voxel_labels(frame.depth, scene.rig.calibration(), frame.surface)
    column = labels[40, 15, 8:60]  # x = 4.25 m, y = 1.5..2 m: the ground's own layer
    assert (column[column != OUT] == OCCUPIED).all()


def test_parents_follow_children(atlas: Atlas) -> None:
    pyramid = label_pyramid(torch.from_numpy(make_pair(5, atlas)["labels"]))
    levels = [level.numpy().reshape(8 << i, 2 << i, 8 << i) for i, level in enumerate(pyramid)]
    assert [level.shape for level in levels] == [(8, 2, 8), (16, 4, 16), (32, 8, 32), (64, 16, 64)]
    for coarse, fine in zip(levels, levels[1:]):
        x, y, z = coarse.shape
        children = fine.reshape(x, 2, y, 2, z, 2).transpose(0, 2, 4, 1, 3, 5).reshape(x, y, z, 8)
        assert ((coarse == OCCUPIED) == (children == OCCUPIED).any(-1)).all()
        assert ((coarse == OUT) == (children == OUT).all(-1)).all()
        assert ((children == FREE) | (children == OUT))[coarse == FREE].all()


def test_pairs_are_a_function_of_the_seed(atlas: Atlas) -> None:
    one, two, other = make_pair(3, atlas), make_pair(3, atlas), make_pair(4, atlas)
    assert all(np.array_equal(one[name], two[name]) for name in one)
    assert not np.array_equal(one["left"], other["left"])


def test_a_wet_floor_mirrors_what_stands_on_it_and_leaves_depth_alone(atlas: Atlas) -> None:
    dry, wet = plain_scene(atlas), plain_scene(atlas)
    wet.materials[0] = replace(wet.materials[0], wet=1.0)
    wet.mirror = 1.6
    one, two = render(dry, atlas), render(wet, atlas)
    assert np.array_equal(one.depth, two.depth)
    ground = one.surface == one.surface[250, 10]
    assert (one.left != two.left).any(-1)[ground].mean() > 0.9
    # the face of the box, 10.1 m ahead from y = -0.75 to 1.25, is seen again from 3.95 to 1.95
    eye = Eye(wet, Tables(wet, atlas), atlas, 0.0, mirrored=True)
    seen = eye.trace(0.0, 0)
    column = int(255.5 + 400 * 0.1 / 10.1)
    row = lambda y: int(110 + 400 * y / 10.1)  # noqa: E731
    assert (seen[row(2.1) : row(3.5), column] >= 0).all() and (wet.material[eye.triangle[seen[row(2.1) : row(3.5), column]]] == 1).all()
    assert (seen[row(2.1) : row(3.5), int(255.5 - 400 * 3 / 10.1)] == -1).all()  # beside it, the sky


def test_light_beyond_white_blooms(atlas: Atlas) -> None:
    image = np.full((64, 96, 3), 0.2, np.float32)
    assert not bloom(image, 0.05).any()
    image[30, 40] = 50
    glow = np.broadcast_to(bloom(image, 0.05), image.shape)
    assert glow[30, 44].min() > glow[30, 60].max() > 0 and glow.argmax() // 3 % 96 in range(37, 44)


def test_pairs_say_how_they_are_lit_and_by_what_rig_they_are_seen(atlas: Atlas) -> None:
    pairs = [make_pair(seed, atlas) for seed in range(4)]
    assert {p["kind"] for p in pairs} <= set(KINDS) and {p["lighting"] for p in pairs} <= {*LIGHTINGS, "indoor"}
    for p in pairs:
        assert (p["lighting"] == "indoor") == (p["kind"] in ("indoor", "table"))
    assert [rig_class(b) for b in (0.05, 0.12, 0.3, 0.54)] == ["50-100 mm", "100-250 mm", "250-600 mm", "250-600 mm"]


def test_a_table_top_is_close_and_keeps_its_disparity_range(atlas: Atlas) -> None:
    rng = np.random.default_rng(1)
    scene = next(s for s in (random_scene(rng, atlas) for _ in range(80)) if s.kind == "table")
    depth = render(scene, atlas).depth
    assert 0.2 < np.median(depth) < 8
    assert 0.05 <= scene.rig.baseline <= 0.25 and scene.scale >= 3


def test_a_camera_is_a_function_of_its_generator() -> None:
    picture = np.random.default_rng(0).integers(0, 256, (64, 128), np.uint8)
    for seed in range(40):
        one = augment_pair(picture, picture, np.random.default_rng(seed))
        two = augment_pair(picture, picture, np.random.default_rng(seed))
        assert all(a.dtype == np.uint8 and a.shape == picture.shape and np.array_equal(a, b) for a, b in zip(one, two))


def test_any_image_size(atlas: Atlas) -> None:
    pair = make_pair(7, atlas, width=320, height=200)
    assert pair["left"].shape == (200, 320, 3) and pair["depth"].shape == (200, 320)


def test_drive_poses_are_ros_odometry(atlas: Atlas) -> None:
    drive = Drive(atlas)
    first, later = drive.odometry(0.0), drive.odometry(2.0)
    np.testing.assert_allclose(first[:3, 3], (0, 0, HEIGHT), atol=1e-9)
    np.testing.assert_allclose(first[:3, 2], (1, 0, 0), atol=0.05)  # optical z looks along odom x
    np.testing.assert_allclose(first[:3, 0], (0, -1, 0), atol=0.05)  # optical x is odom -y
    np.testing.assert_allclose(later[:3, :3] @ later[:3, :3].T, np.eye(3), atol=1e-12)
    assert 6 < later[0, 3] < 9 and abs(later[1, 3]) < 1
    # one world point has one odom position, whatever frame it is seen from
    point, seen = np.array([3.0, -1.0, 30.0]), []
    for time in (0.0, 2.0):
        eye, rotation = drive.pose(time)
        seen.append(drive.odometry(time) @ np.append(rotation @ (point - eye), 1))
    np.testing.assert_allclose(seen[0], seen[1], atol=1e-9)
