"""The journeys: everybody inside."""

from tests.access import Rule

ACCESS = {"onboarding:journeys": Rule()}
