"""A real server on a database of its own, and a client that keeps its connection."""
import http.client
import json
import os
import re
import subprocess
import time
import urllib.parse

START_MAX_S = 60
# The server closes connections that rest; one that rested this long is opened anew.
REST_MAX_S = 5


class Server:
    running = set()

    @classmethod
    def stop_all(cls, *_):
        """Ends every server; the walks on them then fail and clean up."""
        for server in list(cls.running):
            server.process.terminate()

    def __init__(self, kith, database, folder, name):
        self.kith, self.database, self.name = kith, database, name
        self.environment = {
            **os.environ, "KITH_DATABASE": database, "KITH_RATE_LIMIT": "0", "KITH_LOG_LEVEL": "warning",
            "KITH_SOCKET": str(folder / f"{name}.socket"), "KITH_SECRETS_FILE": str(folder / f"{name}.secrets"),
        }
        self.made = json.loads(self.command("setup", "--workspace", "Walkthrough", "--email", "owner@example.com", "--test", "--json"))
        self.log = open(folder / f"{name}.log", "w+")
        self.process = subprocess.Popen(
            [kith, "serve", "--port", "0"], stdout=self.log, stderr=subprocess.STDOUT, env=self.environment)
        self.running.add(self)
        try:
            self.port = self._port(folder / f"{name}.log")
        except Exception:
            self.stop()
            raise

    def command(self, *words):
        """Runs `kith` on this server's database; the command finds the server's socket by itself."""
        done = subprocess.run(
            [self.kith, *words], env=self.environment, capture_output=True, text=True, timeout=600)
        if done.returncode != 0:
            raise RuntimeError(f"kith {' '.join(words)} answered {done.returncode}: {done.stderr.strip()}")
        return done.stdout

    def client(self):
        return Client(self.port, self.made["secretKey"])

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.running.discard(self)
        self.log.close()

    def _port(self, log):
        end = time.monotonic() + START_MAX_S
        while time.monotonic() < end and self.process.poll() is None:
            found = re.search(r"Kith listens on http://[^:]+:(\d+)", log.read_text())
            if found:
                return int(found[1])
            time.sleep(0.05)
        raise RuntimeError(f"the server {self.name} did not start: {log.read_text()[-2000:]}")


class Client:
    def __init__(self, port, key):
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self.used_s = time.monotonic()
        self.headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}

    def call(self, method, path, body=None):
        if time.monotonic() - self.used_s > REST_MAX_S:
            self.connection.close()
        data = None if body is None else json.dumps(body)
        self.connection.request(method, "/api/v1" + path, data, self.headers)
        answer = self.connection.getresponse()
        content = answer.read()
        self.used_s = time.monotonic()
        if answer.status >= 300:
            raise RuntimeError(f"{method} {path} answered {answer.status}: {content.decode()[:500]}")
        return json.loads(content)

    def get(self, path):
        return self.call("GET", path)

    def post(self, path, body):
        return self.call("POST", path, body)

    def all(self, path):
        """Every row of a list, page by page."""
        cursor = None
        while True:
            query = {"limit": 100} | ({"startingAfter": cursor} if cursor else {})
            page = self.get(f"{path}?{urllib.parse.urlencode(query)}")
            yield from page["data"]
            if not page["hasMore"]:
                return
            cursor = page["nextCursor"]
