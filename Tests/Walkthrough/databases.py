"""The databases of the walk."""
import os
import pathlib
import shutil
import subprocess
import tempfile
import urllib.parse

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent


class Databases:
    """SQLite files in the folder; databases of a PostgreSQL that is started for the walk unless KITH_TEST_POSTGRES names one."""

    def __init__(self, folder, options):
        self.folder, self.wants_postgres = folder, "postgres" in options.databases
        self.socket = None
        self.made = []
        self.own = None

    def __enter__(self):
        if self.wants_postgres:
            url = os.environ.get("KITH_TEST_POSTGRES")
            if not url:
                self.own = pathlib.Path(tempfile.gettempdir()) / f"kith-walk-postgres-{os.getpid()}"
                url = self._run([ROOT / "bin/postgres", "start"], KITH_POSTGRES_DIR=str(self.own)).strip().split("=", 1)[1]
            self.socket = urllib.parse.parse_qs(urllib.parse.urlsplit(url).query)["host"][0]
        return self

    def __exit__(self, *_):
        if self.own:
            self._run([ROOT / "bin/postgres", "stop"], KITH_POSTGRES_DIR=str(self.own))
            shutil.rmtree(self.own, ignore_errors=True)
        else:
            for name in self.made:
                for each in [name, f"{name}_keys"]:
                    self._run(["dropdb", "-h", self.socket, "-U", "postgres", "--force", "--if-exists", each])

    def url(self, kind, name):
        if kind == "sqlite":
            return f"sqlite:{self.folder / name}.sqlite"
        database = f"walk_{os.getpid()}_{name.replace('-', '_')}"
        self._run(["createdb", "-h", self.socket, "-U", "postgres", database])
        self.made.append(database)
        return f"postgres://postgres@/{database}?host={self.socket}"

    @staticmethod
    def _run(command, **environment):
        return subprocess.run(command, env={**os.environ, **environment}, check=True, capture_output=True, text=True).stdout
