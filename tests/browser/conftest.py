"""A real Chromium without a network, and pages opened in it as a double click opens them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import xarray as xr

import grokviz as gv

# A loaded machine draws a page in minutes, which is no fault of the page.
PATIENCE = 240_000
DESKTOP, PHONE = {"width": 1440, "height": 900}, {"width": 390, "height": 844}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="session")
def data() -> xr.Dataset:
    return gv.reference()


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory, data: xr.Dataset) -> Path:
    """The bundled run as a page."""
    path = tmp_path_factory.mktemp("page") / "run.html"
    return gv.explore(data, path, theme="auto", command="grokviz explore")


class Opened:
    """Pages opened without a network, and all that went wrong in them."""

    def __init__(self, browser: Any) -> None:
        self.browser = browser
        self.contexts: list[Any] = []
        self.asked: list[str] = []
        self.wrong: list[str] = []

    def __call__(
        self, path: Path, fragment: str = "", *, size: dict[str, int] | None = None, **more: Any
    ) -> Any:
        settings = {"viewport": size or DESKTOP, "offline": True, "accept_downloads": True, **more}
        context = self.browser.new_context(**settings)
        self.contexts.append(context)
        context.set_default_timeout(PATIENCE)
        page = context.new_page()
        page.on("request", lambda request: self.asked.append(request.url))
        page.on("pageerror", lambda error: self.wrong.append(str(error)))
        page.on("console", lambda message: self.wrong.append(message.text))
        page.on("dialog", lambda dialog: (self.wrong.append(dialog.message), dialog.dismiss()))
        page.goto(path.as_uri() + fragment)
        page.wait_for_selector("body[data-ready]")
        return page


@pytest.fixture
def opened(browser: Any) -> Iterator[Callable[..., Any]]:
    """Open a page; in the end nothing may have been asked of a network, or gone wrong."""
    opening = Opened(browser)
    yield opening
    for context in opening.contexts:
        context.close()
    assert opening.wrong == []
    local = ("file:", "data:", "blob:")
    assert [url for url in opening.asked if not url.startswith(local)] == []


def settled(page: Any) -> None:
    """Wait until time has come to rest and every chart in view is drawn in full."""
    page.wait_for_selector("body[data-settled]")


def into_view(page: Any, panel: str) -> None:
    """Scroll to a panel and wait until it is drawn as it is to be."""
    page.locator(f"#panel-{panel}").scroll_into_view_if_needed()
    stage = f"document.querySelector('#panel-{panel} .stage').panel"
    page.wait_for_function(f"(p => p.visible && p.built && !p.stale)({stage})")


def go(page: Any, epoch: int) -> None:
    """Move to an epoch as the slider does, and wait."""
    page.evaluate("delete document.body.dataset.settled")
    page.evaluate(f"grokviz.go({epoch})")
    settled(page)


@pytest.fixture
def actions() -> dict[str, Callable[..., None]]:
    return {"settled": settled, "into_view": into_view, "go": go}
