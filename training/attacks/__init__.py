"""Attacks on the detector: patches that hide objects or make them up, on stills and in rendered stereo clips."""
