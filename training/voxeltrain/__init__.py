"""Training kit: synthetic stereo scenes, voxel labels, networks, export and evaluation."""
