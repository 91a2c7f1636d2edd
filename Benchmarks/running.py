"""A Kith that is measured: set up once, started as often as a measurement needs."""
import contextlib
import json
import os
import re
import subprocess
import time
import urllib.request

START_MAX_S = 120


class Kith:
    def __init__(self, binary, database, folder, name):
        self.binary, self.database = binary, database
        self.log = folder / f"{name}.log"
        self.environment = {
            **os.environ, "KITH_RATE_LIMIT": "0", "KITH_LOG_LEVEL": "error",
            "KITH_SOCKET": str(folder / f"{name}.socket"), "KITH_SECRETS_FILE": str(folder / f"{name}.secrets"),
        }
        made = subprocess.run(
            [binary, "setup", "--database", database, "--workspace", "Bench", "--email", "owner@example.com", "--json"],
            env=self.environment, capture_output=True, text=True, check=True)
        self.made = json.loads(made.stdout)
        self.workspace = self.made["workspaceId"]

    @contextlib.contextmanager
    def running(self, **environment):
        started = time.monotonic()
        with open(self.log, "w") as log:
            self.process = subprocess.Popen(
                [self.binary, "serve", "--database", self.database, "--port", "0"], stdout=log, stderr=subprocess.STDOUT,
                env={**self.environment, **environment})
        try:
            self.port = self._port()
            self.call("GET", "/readyz", base="")
            self.start_s = time.monotonic() - started
            yield self
        finally:
            self.process.terminate()
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

    def program(self, referrers):
        """A program with three rules and members three levels deep; `SALE-1`… are the codes of the lowest. Answers ids."""
        program = self.call("POST", "/programs", {
            "name": "Bench", "currency": "EUR", "timezone": "Europe/Berlin", "holdDays": 14, "customerBinding": "lifetime",
            "allowedHosts": ["shop.example.com"]})["id"]
        rules = [
            self.call("POST", f"/programs/{program}/rules", {
                "name": f"Level {level}", "event": "sale", "level": level, "reward": {"kind": "percent", "rate": rate}})["id"]
            for level, rate in enumerate(["0.10", "0.03", "0.015"])
        ]
        members = []
        for number in range(1, referrers + 1):
            enroller = None
            for level in ["top", "middle", "low"]:
                body = {"programId": program, "email": f"{level}{number}@example.com", "externalId": f"{level}-{number}"}
                if enroller:
                    body["enrollerId"] = enroller
                enroller = self.call("POST", "/members", body)["id"]
            members.append(enroller)
            self.call("POST", "/links", {
                "programId": program, "memberId": enroller, "destination": "https://shop.example.com/", "code": f"SALE-{number}", "kind": "friendCode"})
        return program, rules, members

    def call(self, method, path, body=None, base="/api/v1"):
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}{base}{path}", method=method, data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {self.made['secretKey']}", "Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=30) as answer:
            content = answer.read()
        return json.loads(content) if content[:1] in (b"{", b"[") else None

    def try_command(self, *words):
        return subprocess.run([self.binary, words[0], "--database", self.database, *words[1:]], env=self.environment, capture_output=True).returncode == 0

    def memory_mb(self):
        text = open(f"/proc/{self.process.pid}/status").read()
        return int(re.search(r"VmRSS:\s+(\d+) kB", text)[1]) / 1024

    def _port(self):
        end = time.monotonic() + START_MAX_S
        while time.monotonic() < end and self.process.poll() is None:
            found = re.search(r"Kith listens on http://[^:]+:(\d+)", self.log.read_text())
            if found:
                return int(found[1])
            time.sleep(0.005)
        raise RuntimeError(f"the server did not start: {self.log.read_text()[-1000:]}")
