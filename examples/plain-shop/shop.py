#!/usr/bin/env python3
"""A small shop: one page, one form, and one call to Kith for each order. Nothing but Python's standard library.

    KITH_URL=https://refer.example.com KITH_SECRET_KEY=kith_sk_… KITH_PUBLISHABLE_KEY=kith_pk_… python3 shop.py [PORT]
"""
import hashlib
import html
import http.server
import itertools
import json
import os
import pathlib
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

KITH = os.environ["KITH_URL"].rstrip("/")
SECRET_KEY, PUBLISHABLE_KEY = os.environ["KITH_SECRET_KEY"], os.environ["KITH_PUBLISHABLE_KEY"]
PAGE = pathlib.Path(__file__).with_name("shop.html").read_text()
BAG_CENTS, BAGS_MAX, FORM_BYTES_MAX = 1200, 50, 4096
numbers = itertools.count(1)


class Shop(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        if urllib.parse.urlsplit(self.path).path != "/":
            return self.answer(404, "<p>There is no such page.")
        self.answer(200, PAGE.replace("{{kith}}", KITH).replace("{{publishableKey}}", html.escape(PUBLISHABLE_KEY)))

    def do_POST(self):
        length = self.headers.get("Content-Length", "")
        if self.path != "/order" or not length.isdigit() or int(length) > FORM_BYTES_MAX:
            return self.answer(400, "<p>This is no order.")
        form = dict(urllib.parse.parse_qsl(self.rfile.read(int(length)).decode("utf-8", "replace")))
        bags = form.get("bags", "")
        if "@" not in form.get("email", "") or not bags.isdigit() or not 1 <= int(bags) <= BAGS_MAX:
            return self.answer(422, "<p>A mail address and a number of bags are needed.")
        invoice = f"{int(time.time())}-{next(numbers)}"
        told = tell(invoice, form, int(bags) * BAG_CENTS)
        self.answer(200, f"<h1>Thank you</h1><p>Your order is <b id=invoice>{invoice}</b>.<p id=told hidden>{told}")

    def answer(self, status, body):
        content = body.encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_):
        pass


def tell(invoice, form, cents):
    """Tells the sale. The order stands whatever comes of it: a shop would write it to a queue of its own and try again later."""
    customer = hashlib.sha256(form["email"].strip().lower().encode()).hexdigest()[:24]
    sale = {"invoiceId": invoice, "customerExternalId": customer, "amount": cents, "currency": "EUR"}
    if form.get("kith_click"):
        sale["clickId"] = form["kith_click"][:100]
    if form.get("code"):
        sale["code"] = form["code"][:50]
    request = urllib.request.Request(KITH + "/api/v1/track/sale", json.dumps(sale).encode(), {
        "Authorization": f"Bearer {SECRET_KEY}", "Content-Type": "application/json", "Idempotency-Key": f"order-{invoice}"})
    for pause in (0.2, 1, None):
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return "told"
        except urllib.error.HTTPError as refused:
            problem = refused.read(10_000).decode("utf-8", "replace")
            if refused.code not in (409, 429, 500, 502, 503, 504):
                print(f"Kith refused {invoice}: {problem}", file=sys.stderr)
                return "refused"
        except OSError as away:
            print(f"Kith is away: {away}", file=sys.stderr)
        if pause is None:
            return "later"
        time.sleep(pause)


if __name__ == "__main__":
    server = http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1]) if len(sys.argv) > 1 else 8000), Shop)
    print(f"The shop is at http://127.0.0.1:{server.server_address[1]}", flush=True)
    server.serve_forever()
