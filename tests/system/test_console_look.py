"""Every page of the console, light and dark, wide and on a phone: people who see little or use no mouse can use it."""

from collections.abc import Callable, Iterator
from typing import Literal, cast

import pytest
from playwright.sync_api import Page

from tests.system.axe import Violation, violations
from tests.system.browser import log_in, open_page
from tests.system.conftest import free_port
from tests.system.console_pages import MEMBERS, STRANGERS, addresses, furnish, go, settle
from tests.system.product import Cloud

pytestmark = pytest.mark.timeout(400)
"""About 40 s where nothing else runs."""

PHONE, DESK = 390, 1280
_OFF_THE_EDGE = """width => [document.documentElement, ...document.querySelectorAll('header')]
    .filter(each => each.scrollWidth > width).map(each => each.outerHTML.slice(0, 120))"""
_DRAWN = """async () => {
    await new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))
    const ends = each => each.effect.getComputedTiming().endTime !== Infinity
    await Promise.allSettled(document.getAnimations().filter(ends).map(each => each.finished))
}"""
"""The next frame is there, and no colour is on its way to another."""
_FLAWS = """() => document.querySelector('main').insertAdjacentHTML('beforeend', `
    <button type="button" id="flaw-name"></button>
    <p id="flaw-light" style="color: light-dark(#bbb, #eee); background: light-dark(#fff, #111)">in the light</p>
    <p id="flaw-dark" style="color: light-dark(#111, #444); background: light-dark(#fff, #111)">in the dark</p>
    <p id="flaw-phone" style="width: 500px">on a phone</p>`)"""


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """One with the demo device, where people may sign up."""
    made = Cloud(tmp_path_factory.mktemp("look"), free_port(), {"EDGEFLOW_REGISTRATION": "open"})
    made.up(demo=True)
    yield made
    assert made.program.end() == 0, made.program.said()[-3000:]


@pytest.fixture(scope="module")
def page(cloud: Cloud) -> Iterator[Page]:
    """One page for all: what is loaded once is loaded."""
    with open_page(width=DESK) as page:
        page.emulate_media(reduced_motion="reduce")
        page.goto(f"{cloud.url}/login")
        settle(page)
        yield page


def _wear(page: Page, scheme: Literal["light", "dark"]) -> None:
    page.emulate_media(color_scheme=scheme)
    page.wait_for_function("is => document.documentElement.dataset.mantineColorScheme === is", arg=scheme)
    page.evaluate(_DRAWN)


def _told(violation: Violation) -> str:
    return f"{violation['id']}: {violation['help']}: {' '.join(violation['where'])}"


def _standing(page: Page, *rules: str) -> list[Violation]:
    """What axe finds twice: a colour may be on its way for a frame when something live comes."""
    if not violations(page, *rules):
        return []
    page.wait_for_timeout(500)
    return violations(page, *rules)


def look(page: Page) -> list[str]:
    """What is wrong with the page as it stands, in both schemes and at both widths."""
    _wear(page, "light")
    found = [_told(each) for each in _standing(page)]
    page.set_viewport_size({"width": PHONE, "height": 844})
    _wear(page, "dark")
    # All but the colours is the same in the dark.
    found += [f"in the dark, {_told(each)}" for each in _standing(page, "color-contrast")]
    found += [
        f"runs off a phone's edge: {each}" for each in cast("list[str]", page.evaluate(_OFF_THE_EDGE, PHONE))
    ]
    page.set_viewport_size({"width": DESK, "height": 860})
    return found


def test_no_address_is_left_out() -> None:
    assert set(STRANGERS) | set(MEMBERS) == addresses(), (
        "each page of the console has a row in console_pages.py"
    )


def test_no_page_breaks_wcag_or_runs_off_the_edge(cloud: Cloud, page: Page) -> None:
    wrong: dict[str, list[str]] = {}

    def see(name: str, visit: Callable[[], object]) -> None:
        visit()
        assert page.get_by_text("There is no such page").count() == 0, name
        if found := look(page):
            wrong[name] = found

    for name, address in STRANGERS.items():
        see(name, lambda to=address: go(page, to))
    stock = furnish(cloud.owner())
    log_in(page, cloud.url, cloud.password)
    for name, address_in in MEMBERS.items():
        see(name, lambda to=address_in: go(page, to(stock)))
    assert wrong == {}


def test_a_look_sees_what_is_wrong(page: Page) -> None:
    go(page, "/organization/usage")
    assert look(page) == []
    page.evaluate(_FLAWS)
    light_name, light_colour, dark_colour, edge = look(page)
    assert light_name.startswith("button-name") and "flaw-name" in light_name
    assert light_colour.startswith("color-contrast") and "flaw-light" in light_colour
    assert dark_colour.startswith("in the dark, color-contrast") and "flaw-dark" in dark_colour
    assert "flaw-dark" not in light_colour and "flaw-light" not in dark_colour
    assert edge.startswith("runs off a phone's edge")
