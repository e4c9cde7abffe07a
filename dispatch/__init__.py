"""Sigap's dispatching: from a citizen's report to a crew on scene and the figures that judge it."""
