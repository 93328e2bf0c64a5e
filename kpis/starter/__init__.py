"""The metrics that come with the hub. Content under CC BY 4.0."""

import json
from functools import cache
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent


@cache
def metrics() -> list[dict[str, Any]]:
    """Return the starter metrics, as fields of `kpis.Metric`."""
    return list(json.loads((FOLDER / "metrics.json").read_text(encoding="utf-8")))
