"""PostgreSQL with pgvector for the tests of this folder, and how they run programs.

The server comes from the PyPI package pgserver, installed into a directory on the first run. It listens on
a socket in a private directory only. PostgreSQL refuses to run as root: the user nobody runs it then.
"""

import json
import os
import pathlib
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import venv


def fail(message):
    sys.exit(message)


def check(what, got, expected):
    if got != expected:
        fail(f"{what}: expected {expected!r}, got {got!r}")


def finish(command, expected, *, timeout=300, **options):
    """The ended process, whose status has to be this one."""
    done = subprocess.run([os.fspath(word) for word in command], capture_output=True, timeout=timeout, **options)
    if done.returncode != expected:
        fail(f"{command}: status {done.returncode}, expected {expected}\n"
             f"{done.stdout.decode(errors='replace')[-2000:]}\n{done.stderr.decode(errors='replace')[-2000:]}")
    return done


def run(*command, expected=0, **options):
    return finish(command, expected, **options).stdout


def install_server(work):
    """The folder of the package's files."""
    requirements = pathlib.Path(__file__).with_name("requirements.txt")
    stamp = work / "venv" / requirements.read_text().strip()
    if not stamp.exists():
        venv.create(work / "venv", clear=True, with_pip=True)
        run(work / "venv/bin/python", "-m", "pip", "install", "--quiet", "--no-deps", "-r", requirements)
        stamp.touch()
    return next((work / "venv/lib").glob("python*/site-packages"))


class Server:
    """PostgreSQL with an empty database, as long as the `with` lasts."""

    def __init__(self, packages):
        self.packages = packages

    def __enter__(self):
        self.home = pathlib.Path(tempfile.mkdtemp(prefix="bridgetower-pg-"))
        self.user = {}
        # A copy: nobody may not be allowed to look into the build directory, and tests change it.
        for folder in ["pgserver", "pgserver.libs"]:
            shutil.copytree(self.packages / folder, self.home / folder)
        if os.geteuid() == 0:
            nobody = pwd.getpwnam("nobody")
            self.user = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
            run("chown", "-R", f"{nobody.pw_uid}:{nobody.pw_gid}", self.home)
        self.install = self.home / "pgserver/pginstall"
        self.data = self.home / "data"
        run(self.install / "bin/initdb", "-D", self.data, "-U", "postgres", "-A", "trust", "-E", "UTF8",
            "--locale=C", cwd=self.home, **self.user)
        self.process = None
        self.start()
        return self

    def start(self):
        with open(self.home / "log", "ab") as log:
            self.process = subprocess.Popen(
                [self.install / "bin/postgres", "-D", self.data, "-k", self.home, "-c", "listen_addresses=",
                 "-c", "fsync=off"], cwd=self.home, stdout=log, stderr=log, **self.user)
        for _ in range(600):
            ready = subprocess.run([self.install / "bin/pg_isready", "-h", self.home, "-q"]).returncode == 0
            if ready or self.process.poll() is not None:
                break
            time.sleep(0.1)
        if not ready:
            log = (self.home / "log").read_text()
            self.__exit__()
            fail("the server does not start:\n" + log)

    def stop(self, how=signal.SIGINT):
        """SIGINT disconnects everybody, SIGQUIT leaves a crashed server behind."""
        self.process.send_signal(how)
        self.process.wait(60)

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.stop()
        shutil.rmtree(self.home)

    def url(self, database="postgres", user="postgres", password=None):
        who = user if password is None else f"{user}:{password}"
        return f"postgres://{who}@/{database}?host={self.home}"

    def psql(self, *arguments, database="postgres", expected=0):
        return run(self.install / "bin/psql", "-X", "-q", "-A", "-t", "-h", self.home, "-U", "postgres",
                   "-d", database, *arguments, expected=expected)

    def execute(self, *statements, database="postgres"):
        for statement in statements:
            self.psql("-v", "ON_ERROR_STOP=1", "-c", statement, database=database)

    def value(self, sql, database="postgres"):
        return self.psql("-v", "ON_ERROR_STOP=1", "-c", sql, database=database).decode().strip()

    def rows(self, sql, database="postgres"):
        """JSON objects, as names may hold newlines."""
        return json.loads(self.psql("-c", f"SELECT coalesce(json_agg(r), '[]') FROM ({sql}) r", database=database))


NAMES = [b"tab\there.png", b"new\nline.png", b"back\\slash.png", b"\\.", b"\\N", b"quote'\"$$.png",
         b"carriage\r.png", "\u00e4 \U0001f408.png".encode(), b"latin \xe4.png"]


def name_of(record):
    """The bytes of a picture's path in a record of the program."""
    return bytes.fromhex(record["image_hex"]) if "image_hex" in record else record["image"].encode()


def copy_pictures(source, photos):
    """The example pictures, some under names that are hard to write down."""
    photos.mkdir()
    pictures = sorted((source / "examples/pictures").glob("*.png"))
    names = NAMES + [picture.name.encode() for picture in pictures[len(NAMES):]]
    for picture, name in zip(pictures, names):
        shutil.copy(picture, os.path.join(os.fsencode(photos), name))
    return [os.path.join(os.fsencode(photos), name) for name in names]
