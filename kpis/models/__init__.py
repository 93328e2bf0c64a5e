"""Tables of the numbers."""

from .intake import Delivery
from .metric import Comment, Metric, Target
from .observation import Observation, ObservationHistory
from .project_link import ProjectLink
from .query import MetricQuery
from .token import ApiCall, ApiToken

__all__ = [
    "ApiCall",
    "ApiToken",
    "Comment",
    "Delivery",
    "Metric",
    "MetricQuery",
    "Observation",
    "ObservationHistory",
    "ProjectLink",
    "Target",
]
