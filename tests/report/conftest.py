"""Pages to look at, and a browser to look with."""

import shutil

import pytest

from mtl_bench.__main__ import main as bench

CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="session")
def published(tmp_path_factory):
    """Return the folder of the report of the paper's runs."""
    out = tmp_path_factory.mktemp("report")
    assert (
        bench(
            [
                "report",
                "published",
                "--out",
                str(out),
                "draws=3",
                "pair_runs=1",
                "runs=5",
                "early=true",
            ]
        )
        == 0
    )
    return out / "report"


@pytest.fixture(scope="session")
def browser():
    """Return a Chromium."""
    if CHROMIUM is None:
        pytest.skip("needs Chromium (Debian: apt install chromium)")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield running
        running.close()


@pytest.fixture
def visit(browser):
    """Return a function that opens a page and keeps what goes wrong with it."""
    contexts = []

    def open_page(file, width=1400, **options):
        context = browser.new_context(viewport={"width": width, "height": 900}, **options)
        contexts.append(context)
        page = context.new_page()
        page.problems = []
        page.on("console", lambda message: page.problems.append(message.text))
        page.on("pageerror", lambda error: page.problems.append(str(error)))
        page.on(
            "request",
            lambda request: (
                page.problems.append(request.url)
                if not request.url.startswith(("file:", "data:"))
                else None
            ),
        )
        page.goto(file.absolute().as_uri())
        return page

    yield open_page
    for context in contexts:
        context.close()
