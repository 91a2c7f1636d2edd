"""Kith behind nginx and behind Caddy, with the files of deploy/: TLS, redirects, and whose address a visitor has."""
import http.client
import json
import re
import shutil
import socket
import ssl
import subprocess
import time
import urllib.request

import pytest

from serving import BINARY, HUMAN, ROOT, START_SECONDS, serving

DEPLOY = ROOT / "deploy"
NAME = "kith.example.com"
TRUSTED = "127.0.0.1/32"
ADA, BEN = "127.0.0.2", "127.0.0.3"


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


@pytest.fixture(scope="module")
def kith(tmp_path_factory):
    with serving(tmp_path_factory.mktemp("kith"), KITH_BASE_URL=f"https://{NAME}", KITH_TRUSTED_PROXIES=TRUSTED) as server:
        program = server.call("POST", "/programs", {"name": "Friends", "currency": "EUR", "timezone": "Europe/Berlin", "allowedHosts": ["shop.example"]})["id"]
        member = server.call("POST", "/members", {"programId": program, "email": "ada@people.example", "name": "Ada"})["id"]
        server.call("POST", "/links", {"programId": program, "memberId": member, "destination": "https://shop.example/", "code": "ADA"})
        yield server


@pytest.fixture(scope="module", params=["nginx", "caddy"])
def proxy(request, kith, tmp_path_factory):
    """A proxy that really runs, with the file that operators copy; only names of files and ports are other ones."""
    if shutil.which(request.param) is None:
        pytest.skip(f"{request.param} is not installed: bin/setup --test brings it")
    folder = tmp_path_factory.mktemp(request.param)
    plain, secure, upstream = free_port(), free_port(), kith.base.rsplit(":", 1)[1]
    command = {"nginx": nginx, "caddy": caddy}[request.param](folder, plain, secure, upstream)
    with open(folder / "proxy.log", "w") as log:
        process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, cwd=folder, env={"HOME": str(folder), "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"})
    try:
        until = time.monotonic() + START_SECONDS
        while True:
            try:
                if ask(secure, "/sign-in", ADA).status == 200:
                    break
            except OSError:
                pass
            assert process.poll() is None and time.monotonic() < until, (folder / "proxy.log").read_text()[-2000:]
            time.sleep(0.1)
        yield plain, secure
    finally:
        process.terminate()
        process.wait(20)


def nginx(folder, plain, secure, upstream):
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN={NAME}", "-addext", f"subjectAltName=DNS:{NAME}",
                    "-keyout", folder / "privkey.pem", "-out", folder / "fullchain.pem"], check=True, capture_output=True)
    text = (DEPLOY / "nginx.conf").read_text()
    text = re.sub(r"listen \[::\]:\d+[^;]*;", "", text)  # one machine of two has no IPv6
    text = text.replace("listen 80;", f"listen 127.0.0.1:{plain};").replace("listen 443 ", f"listen 127.0.0.1:{secure} ")
    text = text.replace("127.0.0.1:8080", f"127.0.0.1:{upstream}").replace(f"/etc/letsencrypt/live/{NAME}", str(folder))
    whole = folder / "whole.conf"
    whole.write_text(f"daemon off; master_process off; pid {folder}/pid; error_log stderr;\nevents {{}}\nhttp {{\n"
                     f"access_log off; client_body_temp_path {folder}/b; proxy_temp_path {folder}/p; fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; "
                     f"scgi_temp_path {folder}/s;\n{text}\n}}\n")
    checked = subprocess.run(["nginx", "-t", "-c", whole], capture_output=True, text=True)
    assert checked.returncode == 0 and "warn" not in checked.stderr, checked.stderr
    return ["nginx", "-c", whole]


def caddy(folder, plain, secure, upstream):
    text = (DEPLOY / "Caddyfile").read_text().replace("127.0.0.1:8080", f"127.0.0.1:{upstream}")
    # Here nobody gives out certificates: Caddy signs its own.
    text = "{\n\tadmin off\n\tskip_install_trust\n\tlocal_certs\n" + f"\thttp_port {plain}\n\thttps_port {secure}\n" + "}\n" + text
    file = folder / "Caddyfile"
    file.write_text(text)
    for given in (file, DEPLOY / "Caddyfile"):
        checked = subprocess.run(["caddy", "validate", "--adapter", "caddyfile", "--config", given], capture_output=True, text=True,
                                 env={"HOME": str(folder), "PATH": "/usr/bin:/bin"})
        assert checked.returncode == 0, checked.stderr
    return ["caddy", "run", "--adapter", "caddyfile", "--config", file]


def ask(port, path, source, headers=None, tls=True, method="GET", body=None):
    """One request from one of the addresses of this machine."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=START_SECONDS, source_address=(source, 0))
    if tls:
        # Whether the certificate is good is not the matter here.
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        connection.connect()
        connection.sock = context.wrap_socket(connection.sock, server_hostname=NAME)
    connection.request(method, path, body=body, headers={"Host": NAME, "User-Agent": HUMAN, "Accept": "text/html", "Accept-Language": "en",
                                                         "Sec-Fetch-Dest": "document", "Sec-Fetch-Mode": "navigate", **(headers or {})})
    answer = connection.getresponse()
    answer.content = answer.read()
    connection.close()
    return answer


def test_plain_requests_are_sent_to_tls(proxy):
    plain, _ = proxy
    answer = ask(plain, "/sign-in", ADA, tls=False)
    assert answer.status in (301, 308) and answer.getheader("Location").startswith(f"https://{NAME}") and answer.getheader("Location").endswith("/sign-in")


def test_pages_come_through(proxy):
    _, secure = proxy
    answer = ask(secure, "/sign-in", ADA, {"Accept-Encoding": "gzip"})
    assert answer.status == 200 and answer.getheader("Content-Encoding") == "gzip"
    assert "max-age" in answer.getheader("Strict-Transport-Security")
    cookies = [value for name, value in answer.getheaders() if name.lower() == "set-cookie"]
    assert cookies and all("Secure" in cookie and "HttpOnly" in cookie for cookie in cookies), cookies
    away = ask(secure, "/links", ADA)
    assert away.status == 303 and away.getheader("Location") == "/sign-in?next=%2Flinks"


def test_large_bodies_and_calls_come_through(kith, proxy):
    _, secure = proxy
    answer = ask(secure, "/api/v1/programs", ADA, {"Authorization": f"Bearer {kith.secret_key}", "Accept": "application/json"})
    assert answer.status == 200 and len(json.loads(answer.content)["data"]) == 1


def test_a_visitor_has_their_own_address(kith, proxy, tmp_path):
    """The proxy's word is believed, a visitor's is not; whoever goes past the proxy is known by their connection."""
    _, secure = proxy
    direct = int(kith.base.rsplit(":", 1)[1])
    lie = {"X-Forwarded-For": "203.0.113.9", "X-Forwarded-Host": "elsewhere.example"}
    clicks = {
        "ada": ask(secure, "/r/ADA", ADA), "ada lies": ask(secure, "/r/ADA", ADA, lie), "ben": ask(secure, "/r/ADA", BEN),
        "ada past the proxy": ask(direct, "/r/ADA", ADA, lie, tls=False), "the proxy": ask(direct, "/r/ADA", "127.0.0.1", lie, tls=False)}
    names = {}
    for name, answer in clicks.items():
        assert answer.status == 302, f"{name}: {answer.status}"
        names[re.search(r"kith_click=([^&]+)", answer.getheader("Location"))[1]] = name
    subprocess.run([BINARY, "jobs", "run", "--database", kith.database], check=True, capture_output=True, timeout=START_SECONDS)
    subprocess.run([BINARY, "export", tmp_path / "e", "--database", kith.database], check=True, capture_output=True, timeout=START_SECONDS)
    rows = [json.loads(line) for line in (tmp_path / "e/click.jsonl").read_text().splitlines()]
    address = {names[row["id"]]: json.dumps(row["address_hash"]) for row in rows if row["id"] in names}
    assert len(address) == len(clicks), rows[:1]
    assert address["ada"] == address["ada lies"] == address["ada past the proxy"]
    assert len({address["ada"], address["ben"], address["the proxy"]}) == 3
