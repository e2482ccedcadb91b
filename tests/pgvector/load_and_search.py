"""Loads `bridgetower index --export pgvector` into a real PostgreSQL with pgvector and searches there.

    python3 load_and_search.py --program bridgetower --source REPOSITORY --work DIRECTORY

The server comes from the PyPI package pgserver, installed into DIRECTORY on the first run. It listens on
a socket in a private directory only. PostgreSQL refuses to run as root: the user nobody runs it then.
"""

import argparse
import json
import os
import pathlib
import pwd
import shutil
import struct
import subprocess
import sys
import tempfile
import time
import venv

QUERIES = ["a red boat on the water", "two black birds", "a cat", "something yellow at night", "three hearts"]
NAMES = [b"tab\there.png", b"new\nline.png", b"back\\slash.png", b"\\.", b"\\N", b"quote'\"$$.png",
         b"carriage\r.png", "\u00e4 \U0001f408.png".encode(), b"latin \xe4.png"]


def run(*command, expected=0, **options):
    done = subprocess.run([os.fspath(word) for word in command], capture_output=True, timeout=300, **options)
    if done.returncode != expected:
        sys.exit(f"{command}: status {done.returncode}, expected {expected}\n"
                 f"{done.stdout.decode(errors='replace')[-2000:]}\n{done.stderr.decode(errors='replace')[-2000:]}")
    return done.stdout


def check(what, got, expected):
    if got != expected:
        sys.exit(f"{what}: expected {expected!r}, got {got!r}")


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
        packages = self.packages
        if os.geteuid() == 0:
            # nobody may not be allowed to look into the build directory
            nobody = pwd.getpwnam("nobody")
            self.user = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
            for folder in ["pgserver", "pgserver.libs"]:
                shutil.copytree(packages / folder, self.home / folder)
            packages = self.home
            run("chown", "-R", f"{nobody.pw_uid}:{nobody.pw_gid}", self.home)
        self.bin = packages / "pgserver/pginstall/bin"
        self.start()
        return self

    def start(self):
        data = self.home / "data"
        run(self.bin / "initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C",
            cwd=self.home, **self.user)
        self.log = open(self.home / "log", "wb")
        self.process = subprocess.Popen(
            [self.bin / "postgres", "-D", data, "-k", self.home, "-c", "listen_addresses=", "-c", "fsync=off"],
            cwd=self.home, stdout=self.log, stderr=self.log, **self.user)
        for _ in range(600):
            ready = subprocess.run([self.bin / "pg_isready", "-h", self.home, "-q"]).returncode == 0
            if ready or self.process.poll() is not None:
                break
            time.sleep(0.1)
        if not ready:
            log = (self.home / "log").read_text()
            self.__exit__()
            sys.exit("the server does not start:\n" + log)

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(60)
        self.log.close()
        shutil.rmtree(self.home)

    def psql(self, *arguments, expected=0):
        return run(self.bin / "psql", "-X", "-q", "-A", "-t", "-h", self.home, "-U", "postgres", *arguments,
                   expected=expected)

    def rows(self, sql):
        """JSON objects, as names may hold newlines."""
        return json.loads(self.psql("-c", f"SELECT coalesce(json_agg(r), '[]') FROM ({sql}) r"))


def name_of(record):
    """The bytes of a picture's path in a record of the program."""
    return bytes.fromhex(record["image_hex"]) if "image_hex" in record else record["image"].encode()


def check_rows(server, lines):
    """Every value of the table is that of the JSON lines."""
    rows = server.rows("""SELECT id, coalesce(path_bytes, convert_to(path, 'UTF8'))::text AS name,
        path_bytes IS NULL AS is_text, size, sha256::text, model, embedding::text,
        to_char(modified AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US') AS modified
        FROM bridgetower_images ORDER BY id""")
    check("rows", len(rows), len(lines))
    for number, (row, line) in enumerate(zip(rows, lines)):
        check("id", row["id"], number)
        check("path", bytes.fromhex(row["name"][2:]), name_of(line))
        check("is text", row["is_text"], "image_hex" not in line)
        check("size", row["size"], line["size"])
        check("sha256", row["sha256"], "\\x" + line["sha256"])
        # PostgreSQL keeps microseconds.
        nanoseconds = int(line["modified"][20:29])
        check("modified", abs(int(row["modified"][20:]) * 1000 - nanoseconds) <= 500 or nanoseconds > 999_999_000, True)
        vector = [float(value) for value in row["embedding"].strip("[]").split(",")]
        check("vector", struct.pack(f"{len(vector)}f", *vector),
              struct.pack(f"{len(vector)}f", *line["embedding"]))
    check("models", len({row["model"] for row in rows}), 1)


def check_ranking(server, bridgetower, index, work):
    """The order of the server, by inner product through the index and by cosine without it, is that of search."""
    texts, vectors = work / "queries.txt", work / "queries.jsonl"
    texts.write_text("".join(query + "\n" for query in QUERIES))
    bridgetower("embed", "--texts", texts, "--output", vectors)
    lines = [json.loads(line) for line in vectors.read_text().splitlines()]
    for query, line in zip(QUERIES, lines):
        found = bridgetower("search", "--index", index, "--text", query, "--rerank", "0", "--top-k", "20")
        expected = [name_of(json.loads(record)) for record in found.splitlines()]
        for operator, setting, plan in [("<#>", "enable_seqscan", "Index Scan"), ("<=>", "enable_indexscan", "Seq Scan")]:
            sql = (f"SELECT coalesce(path_bytes, convert_to(path, 'UTF8'))::text AS name FROM bridgetower_images "
                   f"ORDER BY embedding {operator} '{json.dumps(line['embedding'])}' LIMIT 20")
            off = f"SET {setting} = off"
            check("plan has " + plan, plan in server.psql("-c", off, "-c", "EXPLAIN " + sql).decode(), True)
            names = server.psql("-c", off, "-c", sql).decode().split()
            check(f"{operator} {query}", [bytes.fromhex(name[2:]) for name in names], expected)


def copy_pictures(source, photos):
    """The example pictures, some under names that are hard to write down."""
    photos.mkdir()
    pictures = sorted((source / "examples/pictures").glob("*.png"))
    names = NAMES + [picture.name.encode() for picture in pictures[len(NAMES):]]
    for picture, name in zip(pictures, names):
        shutil.copy(picture, os.path.join(os.fsencode(photos), name))
    return [os.path.join(os.fsencode(photos), name) for name in names]


def main():
    parser = argparse.ArgumentParser()
    for option in ["--program", "--source", "--work"]:
        parser.add_argument(option, type=pathlib.Path, required=True)
    options = parser.parse_args()
    work = options.work / "data"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    packages = install_server(options.work)

    def bridgetower(command, *arguments):
        model = [] if "--export" in arguments and "--images" not in arguments else [
            "--model", options.source / "models/demo"]
        return run(options.program, command, *model, *arguments)

    index, script = work / "index", work / "load.sql"
    bridgetower("index", "--images", *copy_pictures(options.source, work / "photos"), "--output", index,
                "--export", f"pgvector={script}")
    lines = [json.loads(line) for line in
             bridgetower("index", "--output", index, "--export", "jsonl=-").decode().splitlines()]
    truncated = work / "truncated.sql"
    truncated.write_bytes(script.read_bytes()[:script.read_bytes().rindex(b"\\.\n")])  # after the last row

    with Server(packages) as server:
        server.psql("-f", truncated)
        check("table of a truncated script", server.psql("-c", "SELECT to_regclass('bridgetower_images')"), b"\n")
        server.psql("-f", script)
        check_rows(server, lines)
        check_ranking(server, bridgetower, index, work)
        server.psql("-f", script, expected=3)  # the table is there already
        check_rows(server, lines)
        server.psql("-c", "DROP TABLE IF EXISTS bridgetower_images", "-f", script)
        check_rows(server, lines)
        version = server.psql("-c", "SELECT extversion FROM pg_extension WHERE extname = 'vector'").decode().strip()
    print(f"{len(lines)} pictures and {len(QUERIES)} sentences: pgvector {version} ranks as search does")


main()
