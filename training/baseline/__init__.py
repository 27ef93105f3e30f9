"""The network to beat: StereoVoxelNet (ICRA 2023, arXiv 2209.08459), written anew from its description."""
