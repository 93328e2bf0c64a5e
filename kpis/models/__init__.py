"""Tables of the numbers."""

from .metric import Comment, Metric, Target
from .observation import Observation, ObservationHistory

__all__ = ["Comment", "Metric", "Observation", "ObservationHistory", "Target"]
