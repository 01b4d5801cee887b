"""The jobs of held_out.py over other data and seeds, first drawn after the last rule was changed."""
import held_out
from held_out import OF_DATA, faults, healthy  # noqa: F401

DRAW = 500
SEEDS_FROM = 21


def datasets():
    return held_out.datasets(DRAW)
