"""Points of KITTI stereo pairs by OpenCV's StereoSGBM: a point set that is not ours.

`kitti_points.py FOLDER EVERY SCANS`, FOLDER as seq/kitti_odometry of the shared data; stdout, a scan after the other: int32
count, float32 origin[3], float32 xyz[count][3], metres, axes x ahead, y left, z up of the first camera. Every EVERYth pixel
of every EVERYth row.
"""

import json
import sys
from pathlib import Path

import cv2
import numpy as np

folder, every, scans = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
calib = json.loads((folder / "calib.json").read_text())
poses = np.loadtxt(folder / "poses.txt").reshape(-1, 3, 4)
matcher = cv2.StereoSGBM_create(0, 176, 5, 600, 2400, 1, 0, 5, 100, 2, cv2.STEREO_SGBM_MODE_SGBM_3WAY)
TURN = np.array([[0, 0, 1], [-1, 0, 0], [0, -1, 0]])
for n in range(scans):
    eyes = [cv2.imread(str(folder / f"{n:04}_{eye}.jpg"), cv2.IMREAD_GRAYSCALE) for eye in ("left", "right")]
    disparity = matcher.compute(*eyes)[::every, ::every].astype(np.float64) / 16
    rows, columns = np.nonzero(disparity > 0)
    depth = calib["fx"] * calib["baseline_m"] / disparity[rows, columns]
    x = (columns * every - calib["cx"]) / calib["fx"] * depth
    y = (rows * every - calib["cy"]) / calib["fy"] * depth
    pose = poses[n]
    xyz = TURN @ (pose[:, :3] @ np.stack([x, y, depth]) + pose[:, 3:])
    sys.stdout.buffer.write(np.int32(xyz.shape[1]).tobytes())
    sys.stdout.buffer.write((TURN @ pose[:, 3]).astype(np.float32).tobytes())
    sys.stdout.buffer.write(xyz.T.astype(np.float32).tobytes())
