"""A real Chromium, driven by Playwright, at the path that `make test` found."""

import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Page, sync_playwright

from tools.chromium import ADVICE, VARIABLE, find

SCREENSHOTS = Path(__file__).parents[2] / "build" / "screenshots"
"""Where tests leave their pictures, for people to look at."""
_QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@contextmanager
def open_page(*, scheme: str = "light", width: int = 1360, height: int = 860) -> Generator[Page]:
    """A page of a fresh browser. Fails the test at its end when the page logged an error."""
    path = os.environ.get(VARIABLE) or find()
    if path is None:
        pytest.skip(ADVICE)
    complaints: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(path), args=list(_QUIET))
        context = browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme="dark" if scheme == "dark" else "light",
            locale="en-GB",
        )
        page = context.new_page()
        page.set_default_timeout(20_000)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        try:
            yield page
        except BaseException:
            picture(page, "failed")
            raise
        finally:
            browser.close()
    assert complaints == [], "the page threw errors"


def picture(page: Page, name: str) -> Path:
    """Save what is seen as `build/screenshots/NAME.png`."""
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    path = SCREENSHOTS / f"{name}.png"
    page.screenshot(path=path)
    return path


def log_in(page: Page, url: str, password: str, email: str = "owner@edgeflow.local") -> None:
    """From the login page over the overview to the devices."""
    page.goto(url)
    page.get_by_label("E-mail").fill(email)
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("heading", name="Overview").wait_for()
    page.get_by_role("link", name="Devices", exact=True).click()
    page.get_by_role("heading", name="Devices", level=1).wait_for()
