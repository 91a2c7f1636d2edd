"""Where people can sign in: over https and on the machine itself. Elsewhere the page says why not and what to do, and so does the start."""
import http.client
import re
import subprocess
import urllib.parse

import pytest

from serving import BINARY, START_SECONDS


def asked(server, host, path="/sign-in", method="GET", body=None, **headers):
    """What a browser gets that reached the server by a name: (status, page, cookies)."""
    connection = http.client.HTTPConnection(urllib.parse.urlsplit(server.base).netloc, timeout=START_SECONDS)
    connection.putrequest(method, path, skip_host=True)
    payload = urllib.parse.urlencode(body).encode() if body is not None else b""
    for name, value in {"Host": host, "Accept": "text/html", "Content-Type": "application/x-www-form-urlencoded", "Content-Length": str(len(payload)), **headers}.items():
        connection.putheader(name, value)
    connection.endheaders(payload)
    answer = connection.getresponse()
    return answer.status, answer.read().decode(), answer.headers.get_all("Set-Cookie") or []


def proof(page):
    return re.search(r'name="csrfToken" value="([^"]+)"', page)[1]


@pytest.mark.parametrize("host", ["192.0.2.2:8080", "kith.lan", "[2001:db8::1]:8080"])
def test_plain_http_of_another_name_is_explained(server, host):
    status, page, _ = asked(server, host)
    assert status == 200 and "over plain http" in page and "ssh -L" in page
    name = urllib.parse.urlsplit(f"http://{host}").hostname
    assert name in page
    # A browser drops the cookie there: the form comes without it.
    for path in ("/sign-in", "/portal/sign-in"):
        status, page, _ = asked(server, host, path)
        status, told, _ = asked(server, host, path, "POST", {"csrfToken": proof(page), "email": server.email, "password": server.password})
        assert status == 403 and "Nobody can sign in over plain http" in told and "too old" not in told


@pytest.mark.parametrize("host, headers", [
    ("127.0.0.1:8080", {}), ("localhost", {}), ("[::1]:8080", {}), ("kith.localhost:8080", {}),
    ("kith.example.com", {"X-Forwarded-Proto": "https"}), ("kith.example.com", {"Sec-Fetch-Site": "none"})])
def test_where_cookies_are_kept_nothing_is_said(server, host, headers):
    status, page, cookies = asked(server, host, **headers)
    assert status == 200 and "over plain http" not in page
    assert any(cookie.startswith("__Host-") and "Secure" in cookie for cookie in cookies)


def test_a_form_that_is_too_old_is_still_called_so(server):
    _, page, _ = asked(server, "127.0.0.1")
    status, told, _ = asked(server, "127.0.0.1", "/sign-in", "POST", {"csrfToken": proof(page), "email": "a@b.example", "password": "x"})
    assert status == 403 and "too old" in told


@pytest.mark.parametrize("host, base, warned", [
    ("0.0.0.0", None, True), ("0.0.0.0", "http://kith.lan:8080", True), ("0.0.0.0", "https://kith.example.com", False), ("127.0.0.1", None, False)])
def test_the_start_says_it(tmp_path, host, base, warned):
    subprocess.run([BINARY, "setup", "--database", f"sqlite:{tmp_path}/k", "--workspace", "Halm", "--email", "o@halm.example"], check=True, capture_output=True,
                   timeout=START_SECONDS)
    with open(tmp_path / "log", "w+") as log:
        environment = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "KITH_HOST": host, "KITH_PORT": "0", **({"KITH_BASE_URL": base} if base else {})}
        process = subprocess.Popen([BINARY, "serve", "--database", f"sqlite:{tmp_path}/k"], stdout=subprocess.PIPE, stderr=log, text=True, env=environment)
        assert "listens on" in process.stdout.readline()
        process.terminate()
        process.wait(START_SECONDS)
        process.stdout.close()
        log.seek(0)
        said = [line for line in log if "TLS proxy" in line]
    assert len(said) == int(warned), said
