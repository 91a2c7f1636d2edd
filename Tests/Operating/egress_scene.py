"""Played by test_egress.py in a network of its own: real addresses, a real name server whose answers change, real TLS. Prints what it saw as JSON.

Public addresses are this machine's own here, and so are private ones: whoever gets there is counted.
"""
import http.server
import json
import os
import pathlib
import re
import socket
import ssl
import struct
import subprocess
import sys
import threading
import time
import urllib.request

BINARY, FOLDER = sys.argv[1], pathlib.Path(sys.argv[2])
PUBLIC, PRIVATE = "93.184.216.34", ["127.0.0.1", "10.9.9.9", "169.254.169.254", "::1", "fd00::9"]
NAMES = ["plain.test", "rebound.test", "both.test", "turning.test", "six.test", "mapped.test", "redirect.test", "inside.test", "tenth.test", "metadata.test"]
WAIT_SECONDS = 30


def run(*words):
    subprocess.run(words, check=True, capture_output=True, text=True)


def network():
    run("ip", "link", "set", "lo", "up")
    for address in [PUBLIC, *PRIVATE]:
        if address not in ("127.0.0.1", "::1"):
            run("ip", "address", "add", f"{address}/{128 if ':' in address else 32}", "dev", "lo")
    (FOLDER / "resolv.conf").write_text("nameserver 127.0.0.53\noptions timeout:2 attempts:1\n")
    run("mount", "--bind", str(FOLDER / "resolv.conf"), os.path.realpath("/etc/resolv.conf"))
    run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", "/CN=plain.test",
        "-addext", "subjectAltName=" + ",".join(f"DNS:{name}" for name in NAMES), "-keyout", str(FOLDER / "key.pem"), "-out", str(FOLDER / "cert.pem"))
    run("mount", "--bind", str(FOLDER / "cert.pem"), os.path.realpath("/etc/ssl/certs/ca-certificates.crt"))


class NameServer:
    """Answers A and AAAA: the next list of addresses for a name each time it is asked for A; the last one stays."""

    def __init__(self):
        self.answers, self.asked = {}, {}
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.53", 53))
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            question, peer = self.socket.recvfrom(2_048)
            self.socket.sendto(self.answer(question), peer)

    def answer(self, question):
        labels, place = [], 12
        while question[place]:
            labels.append(question[place + 1:place + 1 + question[place]].decode())
            place += question[place] + 1
        kind, name = struct.unpack("!H", question[place + 1:place + 3])[0], ".".join(labels).lower()
        lists = self.answers.get(name, [])
        addresses = []
        if lists and kind in (1, 28):
            # Both kinds of one look see the same list: a resolver asks for A and AAAA.
            turn = self.asked.get((name, kind), 0)
            self.asked[(name, kind)] = turn + 1
            addresses = [one for one in lists[min(turn, len(lists) - 1)] if (":" in one) == (kind == 28)]
        body = question[12:place + 5]
        for address in addresses:
            data = socket.inet_pton(socket.AF_INET6 if ":" in address else socket.AF_INET, address)
            body += b"\xc0\x0c" + struct.pack("!HHIH", kind, 1, 0, len(data)) + data
        return question[:2] + struct.pack("!HHHHH", 0x8180, 1, len(addresses), 0, 0) + body


class Listener:
    """HTTPS at an address; every connection counts, whatever comes of it."""

    def __init__(self, address, port=443, tls=True):
        listener = self
        self.connections, self.requests, self.redirects = 0, [], {}

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                self.rfile.read(int(self.headers["content-length"]))
                listener.requests.append(self.headers["host"])
                target = listener.redirects.get(self.headers["host"])
                self.send_response(target[0] if target else 204)
                if target:
                    self.send_header("location", target[1])
                self.send_header("content-length", "0")
                self.end_headers()

            do_GET = do_POST

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            address_family = socket.AF_INET6 if ":" in address else socket.AF_INET

            def get_request(self):
                connection, peer = super().get_request()
                listener.connections += 1
                return connection, peer

            def handle_error(self, *_):
                pass

        server = Server((address, port), Handler)
        if tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(FOLDER / "cert.pem", FOLDER / "key.pem")
            server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        threading.Thread(target=server.serve_forever, daemon=True).start()


def serve():
    environment = {name: value for name, value in os.environ.items() if not name.startswith("KITH_")} | {
        "KITH_DATABASE": f"sqlite:{FOLDER}/k.sqlite", "KITH_SECRETS_FILE": str(FOLDER / "k.secrets"), "KITH_SOCKET": str(FOLDER / "s"), "KITH_LOG_LEVEL": "error"}
    made = subprocess.run([BINARY, "setup", "--workspace", "Shop", "--email", "o@shop.test", "--test", "--json"], env=environment, capture_output=True, text=True, check=True)
    log = open(FOLDER / "log", "w")
    process = subprocess.Popen([BINARY, "serve", "--port", "0"], env=environment, stdout=log, stderr=log)
    for _ in range(WAIT_SECONDS * 20):
        if found := re.search(r"listens on http://[^:]+:(\d+)", (FOLDER / "log").read_text()):
            return process, f"http://127.0.0.1:{found[1]}/api/v1", json.loads(made.stdout)["secretKey"]
        time.sleep(0.05)
    raise SystemExit((FOLDER / "log").read_text())


def main():
    network()
    names = NameServer()
    public = Listener(PUBLIC)
    inside = [Listener(address) for address in PRIVATE] + [Listener("127.0.0.1", 80, tls=False), Listener("10.9.9.9", 80, tls=False)]
    process, base, key = serve()

    def call(method, path, body=None):
        request = urllib.request.Request(base + path, json.dumps(body).encode() if body is not None else None, method=method, headers={
            "Authorization": f"Bearer {key}", "Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=WAIT_SECONDS) as answer:
            return json.loads(answer.read() or "null")

    call("POST", "/programs", {"name": "Shop", "currency": "EUR"})
    number = 0

    def tell(host):
        """Adds a webhook at a host, makes a sale, and answers what the log says of the first try."""
        nonlocal number
        number += 1
        webhook = call("POST", "/webhooks", {"url": f"https://{host}/hooks", "events": ["sale.created"]})["id"]
        call("POST", "/track/sale", {"invoiceId": f"i{number}", "customerExternalId": "c", "amount": 100, "currency": "EUR"})
        for _ in range(WAIT_SECONDS * 20):
            tried = [one for one in call("GET", f"/webhooks/{webhook}/deliveries")["data"] if one["tries"] > 0]
            if tried:
                call("DELETE", f"/webhooks/{webhook}")
                return {"state": tried[0]["state"], "status": tried[0].get("status"), "failure": tried[0].get("failure")}
            time.sleep(0.05)
        raise SystemExit(f"nothing was tried at {host}")

    seen = {}
    try:
        names.answers = {
            "plain.test": [[PUBLIC]], "rebound.test": [[PUBLIC], ["127.0.0.1"]], "both.test": [["127.0.0.1", "10.9.9.9", PUBLIC]],
            "turning.test": [[PUBLIC], ["10.9.9.9"]] * 10, "six.test": [["::1", "fd00::9"]], "mapped.test": [["::ffff:127.0.0.1", "::ffff:10.9.9.9"]],
            "redirect.test": [[PUBLIC]], "inside.test": [["127.0.0.1"]], "tenth.test": [["10.9.9.9"]], "metadata.test": [["169.254.169.254"]],
        }
        for name in ("plain.test", "both.test", "six.test", "mapped.test", "tenth.test", "metadata.test"):
            seen[name] = tell(name)
        seen["rebound.test"] = [tell("rebound.test") for _ in range(3)]
        seen["turning.test"] = [tell("turning.test") for _ in range(6)]
        seen["redirect.test"] = []
        for status, target in [(302, "https://inside.test/"), (307, "http://127.0.0.1/"), (308, "https://tenth.test/"), (301, "//10.9.9.9/"), (303, "https://inside.test/")]:
            public.redirects["redirect.test"] = (status, target)
            seen["redirect.test"].append(tell("redirect.test"))
        seen["asked"] = {name: count for (name, kind), count in names.asked.items() if kind == 1}
        seen["public"] = public.connections
        seen["inside"] = [one.connections for one in inside]
        # Who is counted is really there.
        for address in PRIVATE:
            with socket.create_connection((address, 443), timeout=5):
                pass
        time.sleep(0.2)
        seen["control"] = [one.connections for one in inside[:len(PRIVATE)]]
    finally:
        process.kill()
    print(json.dumps(seen))


main()
