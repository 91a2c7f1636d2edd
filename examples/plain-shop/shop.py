#!/usr/bin/env python3
"""A small shop: one page, one form, and one call to Kith for each order. Nothing but Python's standard library.

    KITH_URL=https://refer.example.com KITH_SECRET_KEY=kith_sk_… KITH_PUBLISHABLE_KEY=kith_pk_… [KITH_PROGRAM_ID=prg_…] python3 shop.py [PORT]

With a program's id, buyers are shown the widget: after their order, above the shop's page, and at /friends.
"""
import hashlib
import html
import http.cookies
import http.server
import itertools
import json
import os
import pathlib
import secrets
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

KITH = os.environ["KITH_URL"].rstrip("/")
SECRET_KEY, PUBLISHABLE_KEY = os.environ["KITH_SECRET_KEY"], os.environ["KITH_PUBLISHABLE_KEY"]
PROGRAM = os.environ.get("KITH_PROGRAM_ID")
PAGE = pathlib.Path(__file__).with_name("shop.html").read_text()
BAG_CENTS, BAGS_MAX, FORM_BYTES_MAX = 1200, 50, 4096
SIGNED_IN_MAX = 10_000
BANNER = '<kith-widget mode="banner" from="/kith-widget.json" text="Like our coffee?" label="Tell a friend"></kith-widget>'
numbers = itertools.count(1)
signed_in = {}  # the session's secret → the mail address; a real shop knows its customers otherwise


class Shop(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        path, buyer = urllib.parse.urlsplit(self.path).path, self.buyer()
        if path == "/":
            return self.answer(200, PAGE.replace("{{kith}}", KITH).replace("{{publishableKey}}", html.escape(PUBLISHABLE_KEY)).replace(
                "{{banner}}", BANNER if PROGRAM and buyer else ""))
        if path == "/friends" and PROGRAM and buyer:
            return self.answer(200, f'<title>Refer a friend</title><script src="{KITH}/widget.js" async></script><kith-widget from="/kith-widget.json"></kith-widget>')
        if path == "/kith-widget.json" and PROGRAM and buyer:
            # Whom the widget is for is the shop's to say: its own session, never what the page asks for.
            return self.answer(200, json.dumps({"widgetUrl": self.widget(buyer)}), "application/json")
        self.answer(404, "<p>There is no such page.")

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
        thanks = f"<title>Thank you</title><h1>Thank you</h1><p>Your order is <b id=invoice>{invoice}</b>.</p><p id=told hidden>{told}</p>"
        if not PROGRAM:
            return self.answer(200, thanks)
        session = secrets.token_urlsafe(16)
        while len(signed_in) >= SIGNED_IN_MAX:
            del signed_in[next(iter(signed_in))]
        signed_in[session] = form["email"]
        self.answer(200, thanks + f'<script src="{KITH}/widget.js" async></script><kith-widget mode="popup" once="{invoice}" from="/kith-widget.json"></kith-widget>',
                    cookie=f"shop={session}; HttpOnly; SameSite=Lax; Path=/")

    def buyer(self):
        kept = http.cookies.SimpleCookie(self.headers.get("Cookie", "")).get("shop")
        return signed_in.get(kept.value) if kept else None

    def widget(self, email):
        """The widget's address for a buyer, who takes part from now on. All three calls may be made again."""
        buyer = customer_id(email)
        member = call("/members", {"programId": PROGRAM, "externalId": buyer, "email": email, "kind": "customer"})["id"]
        if not call(f"/links?memberId={member}&limit=1")["data"]:
            call("/links", {"programId": PROGRAM, "memberId": member, "destination": f"http://{self.headers['Host']}/"})
        return call("/tokens/embed", {"memberId": member, "widget": True})["widgetUrl"]

    def answer(self, status, body, kind="text/html", cookie=None):
        content = body.encode()
        self.send_response(status)
        self.send_header("Content-Type", f"{kind}; charset=utf-8")
        if cookie:
            self.send_header("Set-Cookie", cookie)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_):
        pass


def customer_id(email):
    return hashlib.sha256(email.strip().lower().encode()).hexdigest()[:24]


def call(path, body=None):
    request = urllib.request.Request(KITH + "/api/v1" + path, None if body is None else json.dumps(body).encode(), {
        "Authorization": f"Bearer {SECRET_KEY}", "Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.load(answer)


def tell(invoice, form, cents):
    """Tells the sale. The order stands whatever comes of it: a shop would write it to a queue of its own and try again later."""
    sale = {"invoiceId": invoice, "customerExternalId": customer_id(form["email"]), "amount": cents, "currency": "EUR"}
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
