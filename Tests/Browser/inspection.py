"""What is asked of every page, whoever serves it."""
from axe_playwright_python.sync_playwright import Axe

from conftest import MODES

WEIGHT_LIMIT_BYTES = 200_000
AXE = "axe.run({resultTypes: ['violations']}).then(found => found.violations)"
# A colour that is on its way to another is neither's.
SETTLE = "document.getAnimations().forEach(moving => { try { moving.finish() } catch { moving.cancel() } })"


class Visit:
    """A tab in one width and theme, with all that the page complained about."""

    def __init__(self, chromium, width, scheme, storage_state=None):
        self.context = chromium.new_context(viewport=size(width), color_scheme=scheme, storage_state=storage_state)
        self.mode = f"{width} {scheme}"
        self.page = self.context.new_page()
        self.complaints = []
        self.weight_bytes = 0
        self.page.on("console", lambda message: self.complaints.append(message.text) if message.type in ("error", "warning") else None)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.wire = self.context.new_cdp_session(self.page)
        self.wire.send("Network.enable")
        self.wire.on("Network.loadingFinished", lambda event: self._add(event["encodedDataLength"]))

    def _add(self, size):
        self.weight_bytes += size

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.context.close()

    def open(self, url):
        self.weight_bytes = 0
        answer = self.page.goto(url, wait_until="load")
        self.page.evaluate("document.fonts.ready")
        return answer

    def remember_nothing(self):
        """Each page is opened as if for the first time: all that it needs comes over the wire."""
        self.wire.send("Network.setCacheDisabled", {"cacheDisabled": True})

    def turn(self, width, scheme):
        """The same page in another size and theme, as when a phone is turned or night falls: no script and no answer depends on either
        (test_nothing_asks_for_size_or_theme), so that it needs no opening anew."""
        self.page.set_viewport_size(size(width))
        self.page.emulate_media(color_scheme=scheme)
        self.page.evaluate(SETTLE)
        self.mode = f"{width} {scheme}"

    def in_every_mode(self):
        for width, scheme in MODES:
            self.turn(width, scheme)
            yield self.mode

    def check_in_every_mode(self, weigh=True, status=200):
        for _ in self.in_every_mode():
            self.check(weigh=weigh, status=status)

    def check(self, weigh=True, status=200):
        # Chromium itself reports an expected 404 of the page as an error.
        complaints = [text for text in self.complaints if status == 200 or f"status of {status}" not in text]
        assert not complaints, f"{self.mode}: {complaints}"
        across = self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert across <= 0, f"{self.mode}: {across} px too wide"
        if not self.page.evaluate("'axe' in window"):
            self.page.evaluate(Axe().axe_script)
        violations = self.page.evaluate(AXE)
        assert not violations, f"{self.mode}: " + "\n".join(f"{found['id']}: {node['html'][:160]} ({node.get('failureSummary', '')[:300]})" for found in violations for node in found["nodes"][:3])
        if weigh:
            assert self.weight_bytes < WEIGHT_LIMIT_BYTES, f"{self.weight_bytes} bytes came over the wire"


def size(width):
    return {"width": width, "height": 844 if width < 600 else 900}


def walk_by_keyboard(page, stops=40):
    """From the top: the skip link first, which leads to main; then every stop shows that it has the focus."""
    if page.locator("[autofocus]").count():
        page.locator(".skip").focus()  # a form that is all the page's purpose has the focus already
    else:
        page.keyboard.press("Tab")
    skip = page.locator(":focus")
    assert skip.get_attribute("class") == "skip" and skip.bounding_box()["y"] >= 0
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    seen = 0
    for _ in range(stops):
        page.keyboard.press("Tab")
        state = page.evaluate("""() => {
            const found = document.activeElement
            if (!found || found === document.body) return null
            // A hidden radio shows its focus on its label, the search field on its form.
            const shown = found.matches(".pick-chart") ? document.querySelector(".for-chart")
                : found.matches(".pick-table") ? document.querySelector(".for-table")
                : found.matches(".vh") ? found.closest("label") : found.closest("form.find") ?? found
            const style = getComputedStyle(shown)
            return {what: found.outerHTML.slice(0, 120), visible: style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 1}
        }""")
        if state is None:
            break
        seen += 1
        assert state["visible"], f"no focus is seen on {state['what']}"
    assert seen >= 1
