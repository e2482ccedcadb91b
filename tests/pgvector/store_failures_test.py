"""What goes wrong with `bridgetower index --to` and `search --from`, with a real PostgreSQL with pgvector: processes
that are killed, servers that go away, passwords, rows that somebody edited. Errors name their cause and no password,
and no picture is lost or there twice.

    python3 store_failures_test.py --program bridgetower --source REPOSITORY --work DIRECTORY --packages DIRECTORY
"""

import json
import os
import random
import signal
import subprocess
import time

from server import check, fail, finish
from store import QUERIES, lines_of, main, many_pictures, wait_until

COUNT = "SELECT count(*) FROM bridgetower.pictures"


def expect(what, text, *parts):
    for part in parts:
        if part not in text:
            fail(f"{what}: expected {part!r} in {text!r}")


def killed_processes_lose_nothing(test):
    photos, database = many_pictures(test, "many", 32), test.database()
    url, expected = test.server.url(database), lines_of(test, "many.index", photos)
    random.seed(1)

    def stored():
        exists = test.server.value("SELECT to_regclass('bridgetower.pictures')", database)
        return int(test.server.value(COUNT, database)) if exists else 0

    kills = 0
    while stored() < len(expected) - 30:
        before = stored()
        processes = [test.start("index", "--images", photos, "--to", url, "--threads", "1") for _ in range(3)]
        wait_until("progress", lambda: stored() > before or all(p.poll() is not None for p in processes))
        time.sleep(random.random() / 10)
        for process in processes:
            process.kill()
        for process in processes:
            output, errors = process.communicate()
            kills += process.returncode == -signal.SIGKILL
            check("complaints of killed processes", errors, b"")
    if kills < 5:
        fail(f"only {kills} processes were killed at work")
    # What the server has not heard of yet is over soon.
    wait_until("the end of the killed", lambda: test.server.value(
        "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'bridgetower'") == "0")
    before = stored()
    check("what is done is not done again",
          test.run("index", "--images", photos, "--to", url)[-1]["added"], len(expected) - before)
    test.check_rows(database, expected)
    print(f"  {kills} processes killed, {before} of {len(expected)} pictures stored by then")


class Lock:
    """While the `with` lasts, a lock on the pictures that makes others wait."""

    def __init__(self, test, database, mode):
        self.test, self.database, self.mode = test, database, mode

    def __enter__(self):
        self.psql = subprocess.Popen([self.test.server.install / "bin/psql", "-X", "-q", "-A", "-t",
                                      self.test.server.url(self.database)], stdin=subprocess.PIPE,
                                     stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.psql.stdin.write(f"BEGIN; LOCK TABLE bridgetower.pictures IN {self.mode} MODE; SELECT 1;\n".encode())
        self.psql.stdin.flush()
        self.psql.stdout.readline()
        return self

    def wait_for(self, waiting):
        wait_until("processes that wait", lambda: self.test.server.value(
            "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'bridgetower' "
            "AND wait_event_type = 'Lock'") == str(waiting))

    def __exit__(self, *_):
        self.psql.kill()
        self.psql.communicate()


def killed_with_a_block_in_hand(test):
    """All at once, at the worst moment: everything is made, nothing is stored."""
    photos, database = test.source / "examples/pictures", test.database()
    url = test.server.url(database)
    test.run("index", "--images", photos / "red-boat-sea.png", "--to", url)
    with Lock(test, database, "SHARE") as lock:
        processes = [test.start("index", "--images", photos, "--to", url, "--threads", "1") for _ in range(3)]
        lock.wait_for(3)
        for process in processes:
            process.kill()
            process.communicate()
    check("the rest", test.run("index", "--images", photos, "--to", url)[-1]["images"], 24)
    test.check_rows(database, lines_of(test, "all.index", photos))


def a_server_that_goes_away_while_indexing(test):
    photos, database = test.source / "examples/pictures", test.database()
    url = test.server.url(database)
    test.run("index", "--images", photos / "red-boat-sea.png", "--to", url)
    for how in [signal.SIGINT, signal.SIGQUIT]:
        with Lock(test, database, "SHARE") as lock:
            process = test.start("index", "--images", photos, "--to", url)
            lock.wait_for(1)
            test.server.stop(how)
            output, errors = process.communicate(timeout=60)
            check("status", process.returncode, 1)
            check("output", output, b"")
            check("one line", errors.count(b"\n"), 1)
            expect("cause", errors.decode(), f"/{database}: connection lost: ")
        expect("no server", test.complaint(1, "index", "--images", photos, "--to", url), ": connect: ", "No such file")
        test.server.start()
        check("nothing of it is stored", test.server.value(COUNT, database), "1")
    check("the rest", test.run("index", "--images", photos, "--to", url)[-1]["added"], 23)
    test.check_rows(database, lines_of(test, "all.index", photos))


def a_server_that_goes_away_during_a_search(test):
    photos, database = test.source / "examples/pictures", test.database()
    url = test.server.url(database)
    test.run("index", "--images", photos, "--to", url)
    texts = [argument for query in QUERIES for argument in ["--text", query]]
    expected = test.run("search", "--from", url, *texts)
    with Lock(test, database, "ACCESS EXCLUSIVE") as lock:
        search = test.start("search", "--from", url, *texts)
        lock.wait_for(1)
        test.server.stop()
        output, errors = search.communicate(timeout=60)
    check("status", search.returncode, 1)
    records = [json.loads(line) for line in output.splitlines()]
    check("a record for each sentence", [record["text"] for record in records], QUERIES)
    for record in records:
        check("code", record["error"]["code"], "io")
        expect("cause", record["error"]["message"], f"/{database}: connect: ")
    test.server.start()
    check("again", test.run("search", "--from", url, *texts), expected)
    # A connection that is cut while the server is there is made anew.
    with Lock(test, database, "ACCESS EXCLUSIVE") as lock:
        search = test.start("search", "--from", url, *texts)
        lock.wait_for(1)
        test.server.value("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'bridgetower'")
    output, errors = search.communicate(timeout=60)
    check(f"status: {errors}", search.returncode, 0)
    check("over a new connection", [json.loads(line) for line in output.splitlines()], expected)


def passwords_are_asked_for_and_not_told(test):
    photos, database = test.source / "examples/pictures", test.database()
    secret = "s3cret-w0rd"
    test.server.execute(f"CREATE ROLE reader LOGIN PASSWORD '{secret}'", f"CREATE ROLE writer LOGIN PASSWORD '{secret}'",
                        f"GRANT CREATE ON DATABASE {database} TO writer")
    test.server.execute("CREATE EXTENSION vector", database=database)
    rules = test.server.data / "pg_hba.conf"
    rules.write_text("local all reader,writer scram-sha-256\n" + rules.read_text())
    test.server.execute("SELECT pg_reload_conf()")
    writer = test.server.url(database, "writer", secret)
    check("place", test.run("index", "--images", photos, "--to", writer)[-1]["output"],
          f"postgres://writer@{str(test.server.home).replace('/', '%2F')}/{database}")
    # Reading takes no more than the right to read.
    test.server.execute("GRANT USAGE ON SCHEMA bridgetower TO reader",
                        "GRANT SELECT ON ALL TABLES IN SCHEMA bridgetower TO reader", database=database)
    reader = test.server.url(database, "reader")
    check("by the variable", len(test.run("search", "--from", reader, "--text", "a cat", "--top-k", "3",
                                          env={**os.environ, "PGPASSWORD": secret})), 3)
    expect("another's right", test.complaint(1, "index", "--images", photos, "--to",
                                             test.server.url(database, "reader", secret), secret=secret),
           "permission denied")
    for command in [["index", "--images", photos, "--to"], ["search", "--text", "a", "--from"]]:
        wrong = test.server.url(database, "reader", "wr0ng-w0rd")
        expect("wrong", test.complaint(1, *command, wrong, secret="wr0ng-w0rd"),
               f"postgres://reader@{str(test.server.home).replace('/', '%2F')}/{database}: connect: ",
               'password authentication failed for user "reader"')
        expect("none", test.complaint(1, *command, reader), "no password supplied")
        expect("no database", test.complaint(1, *command, test.server.url("nowhere")), 'database "nowhere" does not exist')
        for url in ["postgres://me:s3cret@w0rd@host/photos", "postgres://me:s3cret/w0rd@host/photos",
                    "postgres://me:x@host:s3cret/photos", "postgres://me:s3cret", "postgres://me:s3cret@host/photos?nothing=1",
                    "postgres://me%zz:s3cret@host/photos", "postgres://me:s3cret%@host/photos",
                    "postgres://me:s3cret@[::1/photos", "mysql://me:s3cret@host/photos", "host=h password=s3cret",
                    "postgres://host/photos?password=s3cret&x", "photos.index"]:
            expect(url, test.complaint(2, *command, url, secret="s3cret"), "expected postgres://USER@HOST:PORT/DATABASE")
        for url in ["postgres://me:s3cret@nowhere.invalid/photos", "postgres://me:s3cret@127.0.0.1:1/photos",
                    "postgres://127.0.0.1:1/photos?user=me&password=s3cret", "postgres://me:s3cret@/photos?host=/nowhere"]:
            expect(url, test.complaint(1, *command, url, secret="s3cret"), ": connect: ")


def a_server_without_pgvector(test):
    photos, database = test.source / "examples/pictures", test.database()
    url = test.server.url(database)
    control = test.server.install / "share/postgresql/extension/vector.control"
    kept = control.rename(control.with_suffix(".kept"))
    message = f"/{database}: extension vector: expected a server with pgvector, got one without"
    expect("index", test.complaint(1, "index", "--images", photos, "--to", url), message)
    check("tables", test.server.value("SELECT to_regnamespace('bridgetower') IS NULL", database), "t")
    kept.rename(control)
    expect("search", test.complaint(1, "search", "--text", "a", "--from", url),
           "store: expected one that bridgetower index --to made, got none")
    expect("a helper", test.complaint(1, "index", "--to", url), "store: expected one that bridgetower index --to made")
    test.run("index", "--images", photos, "--to", url)
    test.server.execute("DROP EXTENSION vector CASCADE", database=database)
    for command in [["search", "--text", "a", "--from"], ["index", "--images", photos, "--to"]]:
        expect("dropped", test.complaint(1, *command, url), message)


def a_store_of_another_model(test):
    photos, database = test.source / "examples/pictures", test.database()
    url, tiny = test.server.url(database), "tests/data/tiny_model"
    test.run("index", "--images", photos, "--to", url)
    for command in [["search", "--text", "a", "--from"], ["index", "--images", photos, "--to"], ["index", "--to"]]:
        expect("message", test.complaint(1, *command, url, model=tiny), f"/{database}: model of the store: expected ")
    test.check_rows(database, lines_of(test, "all.index", photos))


def rows_that_somebody_edited(test):
    photos, database = many_pictures(test, "edited", 1), test.database()
    url = test.server.url(database)
    test.run("index", "--images", photos, "--to", url)
    expected = test.run("search", "--from", url, "--text", "a red boat", "--top-k", "24")
    one = "WHERE key = (SELECT key FROM bridgetower.pictures ORDER BY key LIMIT 1)"
    pictures = "bridgetower.pictures"
    loose = "ALTER TABLE bridgetower.pictures ALTER embedding TYPE vector"

    def edited(*statements):
        """The records of a search in a copy of the database with these changes."""
        test.databases += 1
        copy = f"photos{test.databases}"
        test.server.execute(f"CREATE DATABASE {copy} TEMPLATE {database}")
        test.server.execute(*statements, database=copy)
        done = subprocess.run([os.fspath(word) for word in test.command(
            "search", "--from", test.server.url(copy), "--text", "a red boat", "--top-k", "24")], capture_output=True)
        check(f"status {statements}", done.returncode, 1)
        return [json.loads(line) for line in done.stdout.splitlines()], done.stderr.decode()

    for code, part, statements in [
            ("io", "different vector dimensions", [loose, f"UPDATE {pictures} SET embedding = '[1,2,3]' {one}"]),
            ("format", "embedding: expected a value, got null",
             ["ALTER TABLE bridgetower.pictures ALTER embedding DROP NOT NULL", f"UPDATE {pictures} SET embedding = NULL {one}"]),
            ("format", "and 2 bytes", [f"UPDATE {pictures} SET sha256 = '\\x1234' {one}"]),
            ("format", "size from 0", [f"UPDATE {pictures} SET size = -1 {one}"]),
            ("format", "expected a name without zero bytes", [f"UPDATE {pictures} SET path = '' {one}"]),
            ("format", "expected a name without zero bytes", [f"UPDATE {pictures} SET path = '\\x6100' {one}"]),
            ("format", "size: expected 8 bytes, got 4", ["ALTER TABLE bridgetower.pictures ALTER size TYPE int"]),
            ("io", 'column "sha256" does not exist', ["ALTER TABLE bridgetower.pictures DROP sha256"]),
            ("io", "does not exist", ["DROP TABLE bridgetower.pictures"])]:
        records, _ = edited(*statements)
        check(f"code {statements}", [record["error"]["code"] for record in records], [code])
        expect("message", records[0]["error"]["message"], part)
    for part, statement in [("bridgetower.store: expected one row, got 0", "DELETE FROM bridgetower.store"),
                            ("version of the store: expected 1, got 7", "UPDATE bridgetower.store SET version = 7"),
                            ("length of the vectors: expected 1 to", "UPDATE bridgetower.store SET vector_size = -1"),
                            ("model of the store", "UPDATE bridgetower.store SET model = 'x'")]:
        expect("message", edited(statement)[1], part)
    for number in ["NaN", "Infinity"]:  # the server's own business
        test.server.psql("-v", "ON_ERROR_STOP=1", "-c",
                         f"UPDATE {pictures} SET embedding = '[{number}' || repeat(',0', 63) || ']'", database=database,
                         expected=1)
    # A file that is gone, and one that was replaced: the others are ranked as before.
    gone, other = expected[0]["image"], expected[1]["image"]
    os.unlink(gone)
    with open(other, "ab") as file:
        file.write(b"more")
    done = finish(test.command("search", "--from", url, "--text", "a red boat", "--top-k", "24"), 1)
    records = [json.loads(line) for line in done.stdout.splitlines()]
    check("the others", [(r["image"], r["score"]) for r in records[:22]], [(r["image"], r["score"]) for r in expected[2:]])
    check("errors", {r["image"]: r["error"]["code"] for r in records[22:]}, {gone: "io", other: "input"})
    # Work that is no file of ours is recorded and does not stop anybody.
    test.server.execute("INSERT INTO bridgetower.work (path) VALUES ('\\x00'), (''), ('/dev/zero'), ('/nowhere.png')",
                        database=database)
    summary = test.run("index", "--to", url, expected=1)[-1]
    check("failed", summary["failed"], 4)


main([killed_processes_lose_nothing, killed_with_a_block_in_hand, a_server_that_goes_away_while_indexing,
      a_server_that_goes_away_during_a_search, passwords_are_asked_for_and_not_told, a_server_without_pgvector,
      a_store_of_another_model, rows_that_somebody_edited])
