"""What the pages show of the numbers: figures, their words and tiles, a metric's past. Few statements each."""

from .figure import RANGES, Figure, Point, figures, is_of_cycles, monday, newest_read, worst_first
from .past import redefinitions, restatements
from .tiles import TONES, Tile, leadership_tiles, team_tiles, tile
from .tracker import trackers
from .words import aim, aim_text, difference, full, missing_text, state_text, target_text, unit

__all__ = [
    "RANGES",
    "TONES",
    "Figure",
    "Point",
    "Tile",
    "aim",
    "aim_text",
    "difference",
    "figures",
    "full",
    "is_of_cycles",
    "leadership_tiles",
    "missing_text",
    "monday",
    "newest_read",
    "redefinitions",
    "restatements",
    "state_text",
    "target_text",
    "team_tiles",
    "tile",
    "trackers",
    "unit",
    "worst_first",
]
