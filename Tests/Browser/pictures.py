"""Takes the pictures of the README: the demo's overview in both themes, as WebP below 200 kB.

usage: make pictures        (or .build-python/bin/python Tests/Browser/pictures.py, after `swift build --product kith`)
"""
import base64
import pathlib
import subprocess
import sys
import tempfile

from playwright.sync_api import sync_playwright

from conftest import BINARY, ROOT, serving, sign_in

FOLDER = ROOT / "docs/pictures"
SIZE = {"width": 1280, "height": 980}
SCALE = 1.5
QUALITY = 82
LIMIT_BYTES = 200_000


def main():
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="kith-pictures-") as folder, serving(pathlib.Path(folder)) as server, sync_playwright() as play:
        subprocess.run([BINARY, "demo", "--database", server.database], check=True, capture_output=True)
        browser = play.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        for scheme in ("light", "dark"):
            context = browser.new_context(viewport=SIZE, color_scheme=scheme, device_scale_factor=SCALE)
            page = context.new_page()
            page.goto(f"{server.base}/sign-in")
            sign_in(page, server.email, server.password)
            page.wait_for_url(f"{server.base}/")
            page.evaluate("document.fonts.ready")
            taken = context.new_cdp_session(page).send("Page.captureScreenshot", {"format": "webp", "quality": QUALITY})
            picture = base64.b64decode(taken["data"])
            assert len(picture) < LIMIT_BYTES, f"{scheme}: {len(picture)} bytes"
            (FOLDER / f"overview-{scheme}.webp").write_bytes(picture)
            print(f"docs/pictures/overview-{scheme}.webp  {len(picture) // 1000} kB")
            context.close()
        browser.close()


if __name__ == "__main__":
    sys.exit(main())
