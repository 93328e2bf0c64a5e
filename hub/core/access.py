"""Gunicorn's access log without what opens doors: the address of a webhook is half of its secret."""

from typing import Any

from gunicorn.glogging import Logger  # type: ignore[import-untyped]

from .logs import masked


class AccessLogger(Logger):  # type: ignore[misc]
    """Masks each line's fields as every other entry of ours is masked."""

    def atoms(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """Return what a line may say of a request."""
        return dict(masked(super().atoms(*args, **kwargs)))
