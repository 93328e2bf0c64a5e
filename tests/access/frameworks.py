"""The library: everybody inside."""

from tests.access import Rule

ACCESS = {"frameworks:library": Rule()}
