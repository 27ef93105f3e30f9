"""OpenCV's StereoSGBM, set as in the project's evaluation, timed on demand.

`sgbm_server.py THREADS WIDTH HEIGHT PAIRS`; stdin: PAIRS times left and right, grey bytes, then lines with the number of
a pair. For each line one on stdout: milliseconds, and how many pixels have a disparity.
"""

import sys
import time

import cv2
import numpy as np

threads, width, height, pairs = map(int, sys.argv[1:])
cv2.setNumThreads(threads)
disparities = int(np.ceil(min(256, max(64, width // 7)) / 16) * 16)
matcher = cv2.StereoSGBM_create(0, disparities, 5, 600, 2400, 1, 0, 5, 100, 2, cv2.STEREO_SGBM_MODE_SGBM_3WAY)
images = [
    np.frombuffer(sys.stdin.buffer.read(width * height), np.uint8).reshape(height, width) for _ in range(2 * pairs)
]
print(cv2.__version__, flush=True)
for line in sys.stdin.buffer:
    n = int(line)
    began = time.perf_counter()
    disparity = matcher.compute(images[2 * n], images[2 * n + 1])
    ms = (time.perf_counter() - began) * 1e3
    print(f"{ms:.3f} {int((disparity > 0).sum())}", flush=True)
