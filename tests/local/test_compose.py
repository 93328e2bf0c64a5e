"""What a company runs, as far as it can be told without Docker."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
COMPOSE = (ROOT / "docker-compose.yml").read_text()
SERVICES = COMPOSE.partition("\nservices:\n")[2].partition("\nvolumes:\n")[0]


def test_what_is_asked_of_env_is_explained_in_its_example():
    asked = set(re.findall(r"(?<!\$)\$\{([A-Z_]+)", COMPOSE))
    example = set(re.findall(r"^#?([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))

    assert {"SECRET_KEY", "POSTGRES_PASSWORD"} <= asked
    assert asked <= example


def test_every_service_stands_behind_the_same_walls():
    walls = COMPOSE.partition("x-any: &any\n")[2].partition("\n\n")[0]
    named = re.findall(r"^  (\w+):", SERVICES, re.MULTILINE)
    walled = re.findall(r"^  (\w+):.*\n    <<: \*(?:any|hub)$", SERVICES, re.MULTILINE)

    assert {"read_only: true", "cap_drop: [ALL]"} <= {line.strip() for line in walls.splitlines()}
    assert "x-hub: &hub\n  <<: *any\n" in COMPOSE
    assert len(named) == 6
    assert walled == named


def test_beat_s_health_is_read_from_the_file_it_touches():
    schedule = re.search(r'"--schedule", "([^"]+)"', SERVICES)[1]

    assert f'"find {schedule} -mmin ' in SERVICES
