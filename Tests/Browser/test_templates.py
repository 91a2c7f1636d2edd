"""Every template with its sample content: complete, speaking only through the catalogue, and good in every size and theme."""
import json
import re
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest

import mustache
import preview
from inspection import Visit, walk_by_keyboard

# The policy that the server sends; images may be data: because Bootstrap's own marks are.
POLICY = ("default-src 'none'; script-src 'nonce-r4nd0m'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; "
          "form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
PARTS = {"figure", "survey-card", "words", "time", "icons", "portal-icons", "pager", "guide-log", "fields", "form", "table", "cell", "mail-letter.text", "share-block"}  # drawn inside others, or no page
SAMPLES = sorted(file.name.removesuffix(".sample.json") for file in preview.APP.rglob("*.sample.json"))
# A piece of a letter has neither a page's heading nor colours of ours.
LETTER_PARTS = {"share-block"}
PAGES = [name for name in SAMPLES if name.split(".")[0] not in {*preview.FRAMES, *LETTER_PARTS}]


class Options:
    def __init__(self, long=False, rtl=False):
        self.long, self.rtl, self.only = long, rtl, ""


@pytest.fixture(scope="session", params=["plain", "long", "rtl"])
def site(request, tmp_path_factory):
    options = Options(long=request.param == "long", rtl=request.param == "rtl")
    folder = tmp_path_factory.mktemp(request.param) / "site"
    preview.write_pages(folder, options)
    preview.copy_assets(folder, options.rtl)

    class Handler(SimpleHTTPRequestHandler):
        def __init__(self, *given, **named):
            super().__init__(*given, directory=str(folder), **named)

        def do_GET(self):
            # A page that follows long work asks how far it is: nothing is told, and it stays as it was drawn.
            if self.headers["Accept"] == "application/json":
                self.send_response(200)
                self.end_headers()
            else:
                super().do_GET()

        def end_headers(self):
            self.send_header("Content-Security-Policy", POLICY)
            super().end_headers()

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()


@pytest.fixture(scope="session")
def tab(site, chromium):
    """One tab of a browser that opens page after page: a new one for each takes longer than all that is asked of it."""
    with Visit(chromium, 1440, "light") as visit:
        yield visit


@pytest.fixture(scope="module", params=PAGES)
def opened(site, tab, request):
    """A page that was opened once for all tests of it; they come one after the other."""
    tab.complaints.clear()
    tab.turn(1440, "light")
    tab.open(f"{site}/{request.param}.html")
    tab.name = request.param
    return tab


def test_page_is_sound(opened):
    opened.check_in_every_mode(weigh=False)


# Pages for people who are not signed in begin with what they are for: there is nothing to skip over.
NOTHING_TO_SKIP = {"survey", "embed-ended", "party", "unwanted", "widget", "friend", "friend-missing", "theme-preview", "link-missing", "mail-stop", "join", "join-sent", "join-confirmation", "portal-sign-in", "portal-enter"}


def test_keyboard_reaches_everything(opened):
    if opened.name.split(".")[0] in NOTHING_TO_SKIP:
        assert opened.page.locator(".skip").count() == 0
        return
    opened.turn(1440, "light")
    walk_by_keyboard(opened.page)


def test_nothing_asks_for_size_or_theme():
    """Only styles know them, so that a page that was opened once can be looked at in every one."""
    for file in [*(preview.APP / "Layout/scripts").iterdir(), *preview.APP.rglob("*.mustache")]:
        asked = re.findall(r"matchMedia|(?:inner|outer|client|offset)(?:Width|Height)|screen\.(?:width|height)|prefers-color-scheme|onresize|\"resize\"|srcset|<picture", file.read_text())
        assert not asked, f"{file.name}: {asked}"
    for file in preview.APP.rglob("*.swift"):
        assert not re.search(r"Accept-CH|Sec-CH-(Viewport|Prefers)", file.read_text(), re.I), file.name


@pytest.mark.parametrize("name", sorted(preview.TEMPLATES))
def test_every_tag_has_its_sample(name):
    if name in PARTS:
        return
    source = preview.TEMPLATES[name].read_text()
    known = set()
    for sample in SAMPLES:
        if sample.split(".")[0] == name:
            collect(json.loads(next(preview.APP.rglob(f"{sample}.sample.json")).read_text()), known)
    assert known, f"{name}.mustache has no {name}.sample.json"
    texts = preview.texts(preview.prefix(source))
    frame_texts = preview.texts("frame")
    for tag in mustache.tags(source) - {"."}:
        parts = tag.strip(".").split(".")
        if parts[0] == "t":
            assert parts[1] in texts, f"{{{{{tag}}}}} has no text {preview.prefix(source)}.{parts[1]} in the catalogue"
        elif parts[0] == "frame":
            assert parts[1] in frame_texts, f"{{{{{tag}}}}} has no text in the catalogue"
        else:
            assert all(part in known for part in parts), f"{{{{{tag}}}}} is in no sample of {name}"


def collect(value, known):
    if isinstance(value, dict):
        known.update(value)
        for item in value.values():
            collect(item, known)
    elif isinstance(value, list):
        for item in value:
            collect(item, known)


@pytest.mark.parametrize("name", sorted(preview.TEMPLATES))
def test_templates_hold_no_words(name):
    source = re.sub(r"\{\{[^}]*\}\}\}?", "", preview.TEMPLATES[name].read_text())
    spoken = re.findall(r'(?:aria-label|title|alt|placeholder)="([^"]*)"', source)
    spoken.append(re.sub(r"<[^>]*>", " ", re.sub(r"<(script|style).*?</\1>", "", source, flags=re.S)))
    words = {word for text in spoken for word in re.findall(r"[^\W\d_]{2,}", text)} - {"Kith"}
    assert not words, f"{name}.mustache says {sorted(words)}; texts belong to the catalogue"


def test_templates_have_neither_styles_nor_handlers():
    for name, file in preview.TEMPLATES.items():
        assert not re.search(r'\s(style|on[a-z]+)="', file.read_text()), f"{name}.mustache"


def test_catalogue_is_well_formed():
    seen = []
    json.loads((preview.APP / "Catalogue/en.json").read_text(), object_pairs_hook=lambda pairs: seen.extend(key for key, _ in pairs if "." in key) or dict(pairs))
    assert len(seen) == len(set(seen)), "a key stands twice"
    for key, text in preview.CATALOGUE.items():
        assert re.fullmatch(r"[a-z][A-Za-z]*(\.([a-z][A-Za-z0-9_]*|[0-9]+))+", key), key
        forms = text.values() if isinstance(text, dict) else [text]
        if isinstance(text, dict):
            assert {"one", "other"} <= set(text), f"{key} needs the forms one and other"
        for form in forms:
            rest = re.sub(r"\{[a-z][A-Za-z]*\}|</?(b|soft)>", "", form)
            assert not re.search(r"[{}<>]", rest), f"{key}: {form}"
