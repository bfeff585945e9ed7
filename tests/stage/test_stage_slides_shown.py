"""Decks as others show them: LibreOffice prints them, a browser without a network plays them."""

from __future__ import annotations

import re
import shutil
import subprocess
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from pypdf import PdfReader
from slide_decks import SCENES, TITLE, make, prepare

from grokviz.media import read_provenance
from grokviz.media.pixels import read_picture
from grokviz.slides.poster import last_frame

pytestmark = pytest.mark.slow

TITLES = [TITLE, "A dot follows the loss", "A dot goes round at w_k", "A dot follows the loss"]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    place = tmp_path_factory.mktemp("shown")
    prepare(place)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(place)
        make("talk.html", films="films")
        yield place


@pytest.fixture(scope="module")
def posters(made: Path) -> list[np.ndarray]:
    files = {path.stem.rpartition("-")[0]: path for path in (made / "films").iterdir()}
    whole = [
        last_frame(files[name])[0] if name != "poster" else files[name].read_bytes()
        for name in SCENES
    ]
    return [small(picture) for picture in whole]


def small(picture: Path | bytes) -> np.ndarray:
    """A picture at one small size, in which printing and scaling differ little."""
    whole = Image.fromarray(read_picture(picture, alpha=False))
    return np.asarray(whole.resize((320, 180), Image.Resampling.BOX)).astype(float)


def apart(one: np.ndarray, other: np.ndarray) -> float:
    """Root mean square difference of two pictures, of 255."""
    return float(np.sqrt(((one - other) ** 2).mean()))


def rasterised(pdf: Path) -> list[np.ndarray]:
    """The pages of a PDF as small pictures."""
    if shutil.which("pdftoppm") is None:
        pytest.skip("pdftoppm is not installed: apt-get install poppler-utils")
    subprocess.run(["pdftoppm", "-r", "72", "-png", pdf, pdf.with_suffix("")], check=True)
    return [small(page) for page in sorted(pdf.parent.glob(f"{pdf.stem}-*.png"))]


# --- LibreOffice -----------------------------------------------------------------


@pytest.fixture(scope="module")
def office(made: Path) -> Any:
    """``office("odp")`` converts the PowerPoint deck and returns the new file."""
    pytest.importorskip("pptx", reason="python-pptx is not installed")
    program = shutil.which("soffice") or shutil.which("libreoffice")
    if program is None:
        pytest.skip("LibreOffice is not installed: apt-get install libreoffice-impress")
    make("talk.pptx", films="films")

    def convert(kind: str) -> Path:
        subprocess.run(
            [program, "--headless", f"-env:UserInstallation={(made / 'office').as_uri()}",
             "--convert-to", kind, "--outdir", made, made / "talk.pptx"],
            check=True, capture_output=True, timeout=300,
        )  # fmt: skip
        return made / f"talk.{kind.partition(':')[0]}"

    return convert


def test_libreoffice_prints_posters_titles_and_alt_texts(
    office: Any, made: Path, posters: list[np.ndarray]
) -> None:
    tagged = '{"UseTaggedPDF":{"type":"boolean","value":"true"}}'
    reader = PdfReader(office(f"pdf:impress_pdf_Export:{tagged}"))
    assert [page.extract_text().strip() for page in reader.pages] == TITLES
    alts = [
        entry["/Alt"]
        for entry in (reader.get_object(n) for n in range(1, int(reader.trailer["/Size"])))
        if isinstance(entry, dict) and "/Alt" in entry
    ]
    files = {path.stem.rpartition("-")[0]: path for path in (made / "films").iterdir()}
    assert sorted(alts) == sorted(read_provenance(files[name]).alt for name in SCENES)
    pages = rasterised(made / "talk.pdf")
    for page, poster in zip(pages[1:], posters, strict=True):
        assert apart(page, poster) < 6


def test_libreoffice_reads_that_films_start_by_themselves_and_loop(office: Any) -> None:
    with zipfile.ZipFile(office("odp")) as package:
        content = package.read("content.xml").decode()
    pages = content.split("<draw:page ")[2:]
    assert len(pages) == 3
    for page, loops in zip(pages[:2], (False, True), strict=True):
        begin = re.search(r'<anim:par smil:begin="([^"]*)"[^>]*presentation:node-type='
                          r'"after-previous"[^>]*>\s*<anim:command ([^>]*)>', page)  # fmt: skip
        assert begin is not None
        assert begin[1] == "0s"
        assert 'anim:command="play"' in begin[2]
        assert ('smil:repeatCount="indefinite"' in page) == loops
    assert "anim:command" not in pages[2]


# --- a browser -------------------------------------------------------------------


@pytest.fixture
def page(browser: Any, made: Path) -> Iterator[Any]:
    """The talk, opened from its file without a network; nothing may be asked for or go wrong."""
    context = browser.new_context(viewport={"width": 1280, "height": 720}, offline=True)
    opened = context.new_page()
    asked: list[str] = []
    wrong: list[str] = []
    opened.on("request", lambda request: asked.append(request.url))
    opened.on("pageerror", lambda error: wrong.append(str(error)))
    opened.on("console", lambda message: wrong.append(message.text))
    opened.goto((made / "talk.html").as_uri())
    opened.wait_for_function("window.Reveal && Reveal.isReady()")
    yield opened
    assert wrong == []
    assert [url for url in asked if not url.startswith(("file:", "data:", "blob:"))] == []
    context.close()


VIDEO = "Reveal.getCurrentSlide().querySelector('video')"
PLAYING = f"{VIDEO} && !{VIDEO}.paused && {VIDEO}.currentTime > 0.2"


def test_films_start_with_their_slide(page: Any) -> None:
    assert page.title() == TITLE
    assert page.evaluate(VIDEO) is None
    for loops in (False, True):
        page.keyboard.press("ArrowRight")
        page.wait_for_function(PLAYING)
        assert page.evaluate(f"[{VIDEO}.loop, {VIDEO}.muted, {VIDEO}.videoWidth]") == [
            loops, True, 854,
        ]  # fmt: skip
    before = page.evaluate("document.querySelectorAll('video')[0].paused")
    assert before, "a film that is not shown goes on"
    page.keyboard.press("ArrowLeft")
    page.wait_for_function(PLAYING)
    assert page.evaluate(f"{VIDEO}.currentTime") < 5, "not from its start"


def test_keys_hold_a_film_and_start_it_again(page: Any) -> None:
    page.keyboard.press("ArrowRight")
    page.wait_for_function(PLAYING)
    page.keyboard.press("t")
    assert page.evaluate(f"{VIDEO}.paused")
    page.evaluate(f"{VIDEO}.currentTime = 12")
    page.keyboard.press("t")
    assert not page.evaluate(f"{VIDEO}.paused")
    page.keyboard.press("r")
    page.wait_for_function(f"{VIDEO}.currentTime < 5 && !{VIDEO}.paused")
    page.mouse.click(600, 300)
    assert page.evaluate(f"{VIDEO}.paused")


def test_a_film_ends_where_its_poster_is(page: Any, posters: list[np.ndarray]) -> None:
    page.keyboard.press("ArrowRight")
    page.wait_for_function(PLAYING)
    page.evaluate(f"{VIDEO}.currentTime = {VIDEO}.duration - 0.2")
    page.wait_for_function(f"{VIDEO}.ended")
    page.add_style_tag(content=".controls, .progress { display: none !important }")
    shown = small(page.screenshot())
    assert apart(shown, posters[0]) < 6


def test_films_wait_as_text_until_their_slide_is_near(page: Any) -> None:
    waiting = "document.querySelectorAll('script[id^=film-]').length"
    page.wait_for_function(f"{waiting} === 1")  # the title is shown, the first film is next
    page.keyboard.press("ArrowRight")
    page.wait_for_function(f"{waiting} === 0")


@pytest.mark.parametrize("how", ["", "?view=print"])
def test_print_has_the_posters(page: Any, made: Path, posters: list[np.ndarray], how: str) -> None:
    page.goto((made / "talk.html").as_uri() + how)
    page.wait_for_function("window.Reveal && Reveal.isReady()")
    if how:
        page.wait_for_function("document.querySelectorAll('.pdf-page').length === 4")
    name = "print-view.pdf" if how else "print.pdf"
    page.pdf(path=made / name, prefer_css_page_size=True, print_background=True)
    reader = PdfReader(made / name)
    assert len(reader.pages) == 4
    for sheet in reader.pages:
        assert [round(float(n)) for n in sheet.mediabox[2:]] == [960, 540]
    for page_, poster in zip(rasterised(made / name)[1:], posters, strict=True):
        assert apart(page_, poster) < 6


def test_without_scripts_the_posters_and_titles_are_there(browser: Any, made: Path) -> None:
    context = browser.new_context(java_script_enabled=False, offline=True)
    opened = context.new_page()
    opened.goto((made / "talk.html").as_uri())
    images, below = opened.locator("section img"), 0.0
    assert images.count() == 3
    for image in images.all():
        assert image.is_visible()
        box = image.bounding_box()
        assert box is not None
        assert box["y"] >= below, "one over the other"
        assert box["width"] / box["height"] == pytest.approx(16 / 9, rel=0.01)
        below = box["y"] + box["height"]
    assert opened.locator("h2").all_inner_texts() == TITLES[1:]
    context.close()


def test_speakers_see_the_notes(page: Any) -> None:
    page.keyboard.press("ArrowRight")
    with page.context.expect_page() as opening:
        page.keyboard.press("s")
    speaker = opening.value
    speaker.wait_for_function("document.body.innerText.includes('To watch: the dot.')")
    speaker.close()


@pytest.fixture
def hosted(browser: Any, made: Path) -> Iterator[Any]:
    """The talk on a web site, inside the page of another site; a message leaves its sender."""
    context = browser.new_context(offline=True)
    context.add_init_script(
        "addEventListener('message', (e) => (window.from ??= []).push(e.origin))"
    )
    inside = '<iframe width=960 height=540 src="http://talk.test/?postMessage=true"></iframe>'
    html = "text/html"
    context.route(
        "http://talk.test/**",
        lambda route: route.fulfill(path=made / "talk.html", content_type=html),
    )
    context.route(
        "http://other.test/**", lambda route: route.fulfill(body=inside, content_type=html)
    )
    opened = context.new_page()
    opened.goto("http://other.test/", wait_until="load")
    opened.frames[1].wait_for_function("window.Reveal && Reveal.isReady()")
    yield opened
    context.close()


def test_another_site_cannot_steer_a_talk(hosted: Any) -> None:
    talk = hosted.frames[1]
    talk.evaluate("shown = []; Reveal.on('slidechanged', (event) => shown.push(event.indexh)); 0")
    order = "postMessage(JSON.stringify({method: 'slide', args: [%d]}), '*')"
    hosted.evaluate(f"frames[0].{order % 2}")
    talk.wait_for_function("window.from?.includes('http://other.test')")
    talk.evaluate(order % 1)
    talk.wait_for_function("shown.length")
    assert talk.evaluate("shown") == [1]


def test_the_speaker_view_of_a_talk_on_a_site_follows_it(hosted: Any) -> None:
    hosted.goto("http://talk.test/")
    hosted.wait_for_function("window.Reveal && Reveal.isReady()")
    with hosted.context.expect_page() as opening:
        hosted.keyboard.press("s")
    speaker = opening.value
    hosted.keyboard.press("ArrowRight")
    speaker.wait_for_function("document.body.innerText.includes('To watch: the dot.')")
    speaker.wait_for_function(
        "frames[0]?.Reveal?.isReady() && frames[0].Reveal.getIndices().h === 1"
    )
