"""The palette: everybody inside."""

from tests.access import Rule

ACCESS = {"search:palette": Rule()}
