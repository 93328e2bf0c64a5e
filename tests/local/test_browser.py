import os

import pytest

from hub.local import browser
from hub.local.errors import CannotStart


@pytest.fixture
def bare(monkeypatch, tmp_path):
    """A machine with no browser, no package manager and no index within reach."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("HUB_BROWSER", raising=False)
    monkeypatch.setenv("PLAYWRIGHT_BROWSERS_PATH", str(tmp_path))
    monkeypatch.setattr(browser, "APPLICATIONS", ())
    return tmp_path


def program(path):
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return str(path)


def test_browser_of_the_machine_is_used(bare):
    chromium = program(bare / "chromium")

    assert browser.find_or_install() == chromium


def test_named_browser_wins(bare, monkeypatch):
    program(bare / "chromium")
    mine = program(bare / "mine")
    monkeypatch.setenv("HUB_BROWSER", mine)

    assert browser.find_or_install() == mine


def test_named_browser_that_is_not_there_is_told(bare, monkeypatch):
    monkeypatch.setenv("HUB_BROWSER", "/nowhere/chromium")

    with pytest.raises(CannotStart, match="/nowhere/chromium"):
        browser.find_or_install()


def test_no_browser_and_no_way_to_one_is_one_sentence(bare, monkeypatch):
    monkeypatch.setattr(browser, "_succeeds", lambda command: False)

    with pytest.raises(CannotStart, match="apt-get install chromium"):
        browser.find_or_install()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root installs without asking")
def test_root_asks_the_package_manager_first(bare, monkeypatch):
    program(bare / "apt-get")
    asked = []
    monkeypatch.setattr(browser, "_succeeds", lambda command: asked.append(command) or False)

    with pytest.raises(CannotStart):
        browser.find_or_install()

    assert [command[-1] for command in asked] == ["update", "chromium"]
