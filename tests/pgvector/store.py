"""What the tests of `index --to` and `search --from` share."""

import argparse
import json
import pathlib
import shutil
import struct
import subprocess
import time

from server import Server, check, fail, finish, install_server, name_of

QUERIES = ["a red boat on the water", "two black birds", "a cat", "something yellow at night"]


class Test:
    """The program, its model, a server and a directory to work in."""

    def __init__(self, options, server):
        self.program = options.program
        self.source = options.source
        self.work = options.work / "data"
        self.server = server
        self.databases = 0
        shutil.rmtree(self.work, ignore_errors=True)
        self.work.mkdir(parents=True)

    def database(self):
        """The name of a new one."""
        self.databases += 1
        name = f"photos{self.databases}"
        self.server.execute(f"CREATE DATABASE {name}")
        return name

    def command(self, command, *arguments, model="models/demo"):
        # Threads that wait for one another are slow where other tests run beside them.
        threads = ["--threads", "1"] if command == "search" else []
        return [self.program, command, "--model", self.source / model, *threads, *arguments]

    def run(self, command, *arguments, expected=0, **options):
        """The records on stdout."""
        done = finish(self.command(command, *arguments), expected, **options)
        return [json.loads(line) for line in done.stdout.splitlines()]

    def start(self, *arguments):
        return subprocess.Popen(self.command(*arguments), stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def complaint(self, expected, command, *arguments, secret=None, model="models/demo"):
        """The line on stderr of a run that ends with this status; nowhere does it tell the secret."""
        done = finish(self.command(command, *arguments, model=model), expected)
        text = done.stderr.decode()
        if secret is not None and secret in text + done.stdout.decode():
            fail(f"{command} tells the password: {text}")
        check(f"lines on stderr: {text!r}", text.count("\n"), 1)
        return text

    def check_rows(self, database, expected):
        """The pictures of a store are those of an index's JSON lines, each once."""
        rows = self.server.rows("SELECT path::text, size, modified_ns, sha256::text, embedding::text FROM "
                                "bridgetower.pictures ORDER BY path", database)
        got = [(bytes.fromhex(row["path"][2:]), row["size"], row["sha256"][2:], json.loads(row["embedding"]))
               for row in rows]
        wanted = [(name_of(line), line["size"], line["sha256"], line["embedding"]) for line in expected]
        check("names", [row[0] for row in got], [row[0] for row in wanted])
        for one, other in zip(got, wanted):
            check("row", one[:3], other[:3])
            check("vector", *(struct.pack(f"{len(row[3])}f", *row[3]) for row in [one, other]))
        check("work that is left", self.server.value("SELECT count(*) FROM bridgetower.work", database), "0")


def lines_of(test, name, *images):
    """The JSON lines of a local index, which is made of images where there are any."""
    lines = test.work / f"{name}.jsonl"
    given = ["--images", *images] if images else []
    finish(test.command("index", *given, "--output", test.work / name, "--export", f"jsonl={lines}"), 0)
    return [json.loads(line) for line in lines.read_text().splitlines()]


def wait_until(what, happens, seconds=120):
    end = time.monotonic() + seconds
    while not happens():
        if time.monotonic() > end:
            fail("this never came: " + what)
        time.sleep(0.02)


def many_pictures(test, name, copies):
    """The example pictures, several times."""
    folder = test.work / name
    for copy in range(copies):
        shutil.copytree(test.source / "examples/pictures", folder / str(copy))
    return folder


def main(tests):
    """Runs every test with one server."""
    parser = argparse.ArgumentParser()
    for option in ["--program", "--source", "--work", "--packages"]:
        parser.add_argument(option, type=pathlib.Path, required=True)
    options = parser.parse_args()
    with Server(install_server(options.packages)) as server:
        test = Test(options, server)
        for one in tests:
            print(one.__name__, flush=True)
            one(test)
