"""`bridgetower index --to` and `search --from` with a real PostgreSQL with pgvector: what is stored is what a local
index holds, what is found is what a search of that finds, and several processes share the work.

    python3 store_test.py --program bridgetower --source REPOSITORY --work DIRECTORY --packages DIRECTORY
"""

import json
import os
import shutil
import signal
import subprocess

from server import check, copy_pictures, fail, finish
from store import QUERIES, lines_of, main, many_pictures, wait_until


def hostile_pictures(test):
    """Pictures whose names are hard to write down, one below a path that no index of PostgreSQL could hold, and a file
    that is no picture."""
    photos = test.work / "photos"
    copy_pictures(test.source, photos)
    deep = photos / "deep"
    for letter in "abcdefghijklmn":
        deep /= letter * 250
    deep.mkdir(parents=True)
    (photos / "new\nline.png").rename(deep / "new\nline.png")
    os.rename(os.fsencode(photos) + b"/\\.", os.fsencode(photos) + b"/%_\\.png")
    os.rename(os.fsencode(photos) + b"/\\N", os.fsencode(photos) + b"/\\N.png")
    (photos / "broken.png").write_bytes(b"no picture")
    return photos


def without_run(records):
    """Records of index, without what is this run's own."""
    for record in records:
        for key in ["output", "seconds"]:
            record.pop(key, None)
    return records


def found(test, expected, *arguments):
    return finish(test.command("search", *arguments), expected).stdout


def ranking_is_that_of_an_index(test):
    photos, index, database = hostile_pictures(test), test.work / "index", test.database()
    url = test.server.url(database)
    local = test.run("index", "--images", photos, "--output", index, "--graph", expected=1)
    stored = test.run("index", "--images", photos, "--to", url, expected=1)
    check("place", stored[-1]["output"].startswith("postgres://postgres@"), True)
    check("records", without_run(stored), without_run(local))
    check("pictures", stored[-1]["images"], 24)

    texts = [argument for query in QUERIES for argument in ["--text", query]]
    for options in [[], ["--rerank", "0"], ["--rerank", "5", "--top-k", "3"], ["--top-k", "1000"],
                    ["--filter", "*boat*"], ["--filter", "*%_*"], ["--filter", "*/\\\\N.p?g"], ["--filter", "*\\n*"],
                    ["--filter", "*\xe4*"], ["--min-score", "0.5"]]:
        check(f"search {options}", found(test, 0, "--from", url, *texts, *options),
              found(test, 0, "--index", index, *texts, *options))
    picture = test.source / "examples/pictures/red-boat-sea.png"
    check("search --image", found(test, 0, "--from", url, "--image", picture),
          found(test, 0, "--index", index, "--image", picture))
    check("as text", found(test, 0, "--from", url, *texts, "--format", "text"),
          found(test, 0, "--index", index, *texts, "--format", "text"))
    pages = [test.work / "stored.html", test.work / "local.html"]
    found(test, 0, "--from", url, "--text", QUERIES[0], "--top-k", "3", "--html", pages[0])
    found(test, 0, "--index", index, "--text", QUERIES[0], "--top-k", "3", "--html", pages[1])
    check("page", pages[0].read_bytes() == pages[1].read_bytes(), True)
    check("a set of characters", "no sets" in json.loads(found(test, 1, "--from", url, "--text", "a", "--filter", "[a]*"))
          ["error"]["message"], True)


def approximate_answers_come_from_the_graph(test):
    photos, index = test.work / "photos", test.work / "index"  # of the test before
    database = test.database()
    url = test.server.url(database)
    texts = [argument for query in QUERIES for argument in ["--text", query]]
    test.run("index", "--images", photos, "--to", url, expected=1)
    record = json.loads(found(test, 1, "--from", url, "--text", "a cat", "--approximate"))
    check("without a graph", "graph: expected a store with one" in record["error"]["message"], True)

    def scans():
        return int(test.server.value("SELECT idx_scan FROM pg_stat_user_indexes WHERE indexrelname = 'pictures_hnsw'",
                                     database))

    test.run("index", "--images", photos, "--to", url, "--graph", expected=1)
    expected = found(test, 0, "--index", index, *texts)
    check("exact", found(test, 0, "--from", url, *texts), expected)
    check("scans of the graph", scans(), 0)
    check("approximate", found(test, 0, "--from", url, *texts, "--approximate"), expected)
    wait_until("scans of the graph", lambda: scans() == len(QUERIES))
    check("more than the graph gives", "at most 1000" in found(
        test, 1, "--from", url, "--text", "a", "--approximate", "--top-k", "1001").decode(), True)
    test.run("index", "--images", photos, "--to", url, expected=1)
    check("it stays", test.server.value("SELECT to_regclass('bridgetower.pictures_hnsw') IS NULL", database), "f")
    test.run("index", "--images", photos, "--to", url, "--no-graph", expected=1)
    check("it goes", test.server.value("SELECT to_regclass('bridgetower.pictures_hnsw') IS NULL", database), "t")


def it_is_brought_up_to_date(test):
    photos, database = test.work / "changing", test.database()
    url = test.server.url(database)
    shutil.copytree(test.source / "examples/pictures", photos)
    pictures = sorted(photos.glob("*.png"))

    def update(expected, **wanted):
        local = test.run("index", "--images", photos, "--output", test.work / "changing.index", expected=expected)
        stored = test.run("index", "--images", photos, "--to", url, expected=expected)
        check("records", without_run(stored), without_run(local))
        check("summary", {key: stored[-1][key] for key in wanted}, wanted)
        test.check_rows(database, lines_of(test, "changing.index"))

    update(0, images=24, added=24, removed=0)
    update(0, images=24, added=0, removed=0)
    shutil.copy(pictures[0], pictures[1])
    pictures[2].unlink()
    (photos / "new.png").write_bytes(pictures[3].read_bytes())
    update(0, images=24, added=2, removed=1)
    pictures[4].write_bytes(b"broken")
    update(1, images=23, added=0, removed=0, failed=1)
    pictures[4].unlink()
    update(0, images=23, removed=1, failed=0)
    # Another folder is left alone, whatever this process sees of it.
    other = test.work / "other"
    shutil.copytree(photos, other)
    check("two folders", test.run("index", "--images", other, "--to", url)[-1]["images"], 46)
    shutil.rmtree(other)
    check("one is gone", test.run("index", "--images", photos, "--to", url)[-1]["images"], 46)
    other.mkdir()
    check("and empty", test.run("index", "--images", other, "--to", url)[-1]["removed"], 23)


def processes_share_the_work(test):
    photos, database = many_pictures(test, "many", 12), test.database()
    url = test.server.url(database)
    expected = lines_of(test, "many.index", photos)
    arguments = ["index", "--to", url, "--threads", "1"]
    first = [test.start(*arguments, "--images", photos) for _ in range(2)]
    wait_until("work", lambda: test.server.value("SELECT to_regclass('bridgetower.work') IS NOT NULL", database) == "t")
    summaries = []
    for process in [*first, test.start(*arguments)]:
        output, errors = process.communicate(timeout=300)
        check(f"status: {errors}", process.returncode, 0)
        summaries.append(json.loads(output))
    check("each picture once", sum(one["added"] for one in summaries), len(expected))
    if min(one["added"] for one in summaries[:2]) == 0:
        fail(f"one process did all the work: {summaries}")
    check("all see all", {one["images"] for one in summaries}, {len(expected)})
    test.check_rows(database, expected)


def what_a_dead_process_had_is_taken_by_another(test):
    database = test.database()
    url, photos = test.server.url(database), test.source / "examples/pictures"
    one = photos / "red-boat-sea.png"
    test.run("index", "--images", one, "--to", url)
    paths = sorted(os.fsencode(path) for path in photos.glob("*.png") if path != one)
    values = ", ".join(f"('\\x{path.hex()}')" for path in paths)
    test.server.execute(f"INSERT INTO bridgetower.work (path) VALUES {values}", database=database)
    # A process as far as the server can see: it has three files, and never ends by itself.
    other = subprocess.Popen([test.server.install / "bin/psql", "-X", "-q", test.server.url(database)],
                             stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    other.stdin.write(b"BEGIN; SELECT id FROM bridgetower.work ORDER BY id LIMIT 3 FOR UPDATE;\n")
    other.stdin.flush()
    other.stdout.readline()
    process = test.start("index", "--to", url)
    count = "SELECT count(*) FROM bridgetower.pictures"
    wait_until("the rest of the work", lambda: test.server.value(count, database) == "21")
    check("waits for the other", process.poll(), None)
    other.kill()
    other.wait()
    output, errors = process.communicate(timeout=120)
    check(f"status: {errors}", process.returncode, 0)
    check("its pictures", json.loads(output)["added"], 23)
    test.check_rows(database, lines_of(test, "all.index", photos))


def an_interrupt_keeps_what_is_done(test):
    photos, database = test.work / "many", test.database()
    url = test.server.url(database)
    process = test.start("index", "--images", photos, "--to", url, "--threads", "1")
    wait_until("pictures", lambda: test.server.value("SELECT to_regclass('bridgetower.pictures')", database) and
               test.server.value("SELECT count(*) FROM bridgetower.pictures", database) != "0")
    process.send_signal(signal.SIGINT)
    summary = json.loads(process.communicate(timeout=120)[0])
    check("status", process.returncode, 1)
    check("interrupted", summary["interrupted"], True)
    check("the rest", summary["images"] + test.run("index", "--images", photos, "--to", url)[-1]["added"], 288)


main([ranking_is_that_of_an_index, approximate_answers_come_from_the_graph, it_is_brought_up_to_date,
      processes_share_the_work, what_a_dead_process_had_is_taken_by_another, an_interrupt_keeps_what_is_done])
