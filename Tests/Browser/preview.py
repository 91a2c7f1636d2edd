"""Draws every page with its sample content and takes its picture: wide and narrow, light and dark.

usage: preview.py [--out FOLDER] [--only NAME] [--long] [--rtl] [--html]
       --long: every text 30 % longer, as a translation may be;  --rtl: right to left;  --html: no pictures
Each template NAME.mustache has samples NAME.sample.json (and NAME.CASE.sample.json); `_frame` in a sample says
which frame is drawn around it. The folder's assets are the ones that the server sends.
"""
import argparse
import json
import pathlib
import shutil
import sys
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import mustache

ROOT = pathlib.Path(__file__).resolve().parents[2]
APP = ROOT / "Sources/App"
FRAMES = {"page", "bare", "public", "portal", "mail-letter"}
WIDTHS = {"wide": (1440, 900), "narrow": (390, 844)}
CATALOGUE = json.loads((APP / "Catalogue/en.json").read_text())
TEMPLATES = {file.stem: file for file in APP.rglob("*.mustache")}


def main():
    options = arguments()
    out = pathlib.Path(options.out)
    shutil.rmtree(out, ignore_errors=True)
    pages = write_pages(out, options)
    copy_assets(out, options.rtl)
    print(f"{len(pages)} pages in {out}")
    if not options.html:
        take_pictures(out, pages)


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", default="/tmp/kith-preview")
    parser.add_argument("--only", default="")
    parser.add_argument("--long", action="store_true")
    parser.add_argument("--rtl", action="store_true")
    parser.add_argument("--html", action="store_true")
    return parser.parse_args()


def write_pages(out, options):
    out.mkdir(parents=True)
    names = []
    for sample in sorted(APP.rglob("*.sample.json")):
        name = sample.name.removesuffix(".sample.json")
        template = name.split(".")[0]
        if template in FRAMES or options.only not in name:
            continue
        (out / f"{name}.html").write_text(drawn(template, json.loads(sample.read_text()), options))
        names.append(name)
    write_followed(out, options)
    return names


def write_followed(out, options):
    """What the guide asks for every other second while it is open."""
    model = json.loads((APP / "Guide/guide.sample.json").read_text())
    model["t"] = texts(prefix(TEMPLATES["guide"].read_text()), options.long)
    (out / "guide").mkdir()
    (out / "guide/log").write_text(mustache.render(TEMPLATES["guide-log"].read_text(), model, lambda name: TEMPLATES[name].read_text()))


def drawn(template, model, options):
    frame = model.pop("_frame")
    around = json.loads((APP / f"Layout/{frame['template']}.sample.json").read_text())
    if options.long:
        model, around = longer(model), longer(around)
    around["notice"] = frame.get("notice")
    around["narrow"] = frame.get("narrow", False)
    around["title"] = frame["title"]
    for job in around.get("navigation", []):
        for page in job["pages"]:
            page["current"] = page["url"] == frame["current"]
        job["open"] = any(page["current"] for page in job["pages"])
    if options.rtl:
        around["dir"], around["lang"] = "rtl", "ar"
    around["contentHTML"] = rendered(template, model, options.long)
    return rendered(frame["template"], around, options.long)


def rendered(template, model, long=False):
    source = TEMPLATES[template].read_text()
    model["t"] = texts(prefix(source), long)
    model["frame"] = texts("frame", long)
    return mustache.render(source, model, lambda name: TEMPLATES[name].read_text())


def prefix(source):
    first = source.split("}}")[0]
    return first.split("prefix:")[1].split(";")[0].strip() if "prefix:" in first else ""


def texts(prefix, long=False):
    """The catalogue's texts of one prefix, as templates name them: `sales.column.paid` is `column_paid`."""
    found = {key[len(prefix) + 1:].replace(".", "_"): text for key, text in CATALOGUE.items() if key.startswith(prefix + ".") and isinstance(text, str)}
    return longer(found) if long else found


NOT_TEXT = {"path", "script", "qrURL", "url", "x", "y", "x1", "x2", "width", "height", "textY", "shift", "anchor", "kind", "tone", "icon", "iso", "dir", "lang", "spark", "sign",
            "button", "assets", "csrfToken", "qrSVG", "qrPNG", "nonce", "initials", "homeStyle", "template", "current", "address", "destination", "hash"}


def longer(value, key=None):
    if key in NOT_TEXT:
        return value
    if isinstance(value, dict):
        return {name: longer(item, name) for name, item in value.items()}
    if isinstance(value, list):
        return [longer(item, key) for item in value]
    if isinstance(value, str) and value.startswith(("[{", "{", "/assets/")):  # JSON for a script: its shape stays; an address leads where it did
        return value
    if isinstance(value, str) and any(character.isalpha() for character in value):
        return value.rstrip() + " " + "áéíóú"[:max(1, len(value) % 5)] * max(1, round(len(value) * 0.3 / 5)) + (" " if value.endswith(" ") else "")
    return value


def copy_assets(out, rtl):
    assets = out / "assets"
    assets.mkdir()
    for folder in (APP / "Layout/styles", APP / "Layout/scripts", APP / "Layout/images", ROOT / "vendor"):
        for file in folder.iterdir():
            if file.is_file() and not file.name.startswith("."):
                shutil.copy(file, assets / file.name)
    # The server puts addresses with hashes here; this folder has plain names.
    operator = assets / "operator.css"
    operator.write_text(operator.read_text().replace("asset:", ""))
    (assets / "brand.css").write_text(":root { --hue: 222; }\n")
    if rtl:
        shutil.copy(ROOT / "vendor/bootstrap.rtl.min.css", assets / "bootstrap.min.css")
    qr = out / "r/AMIRA"
    qr.mkdir(parents=True)
    (qr / "qr.svg").write_text('<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 8 8"><path d="M0 0h3v3H0zM5 0h3v3H5zM0 5h3v3H0zM4 4h1v1H4zM6 5h1v2H6zM4 6h1v2H4z"/></svg>')


def serve(folder):
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Quiet", (SimpleHTTPRequestHandler,), {
        "log_message": lambda *_: None, "__init__": lambda self, *a, **k: SimpleHTTPRequestHandler.__init__(self, *a, directory=str(folder), **k)}))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server, f"http://127.0.0.1:{server.server_address[1]}"


def take_pictures(out, pages):
    from playwright.sync_api import sync_playwright

    server, base = serve(out)
    wrong = 0
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        for size, (width, height) in WIDTHS.items():
            for scheme in ("light", "dark"):
                context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme)
                for name in pages:
                    tab = context.new_page()
                    tab.goto(f"{base}/{name}.html")
                    tab.evaluate("document.fonts.ready")
                    across = tab.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
                    if across > 0:
                        wrong += 1
                        print(f"{name} {size} {scheme}: {across} px too wide")
                    tab.screenshot(path=str(out / f"{name}-{size}-{scheme}.png"), full_page=True)
                    tab.close()
                context.close()
        browser.close()
    server.shutdown()
    if wrong:
        sys.exit(1)


if __name__ == "__main__":
    main()
