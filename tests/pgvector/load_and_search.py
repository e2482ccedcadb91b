"""Loads `bridgetower index --export pgvector` into a real PostgreSQL with pgvector and searches there.

    python3 load_and_search.py --program bridgetower --source REPOSITORY --work DIRECTORY
"""

import argparse
import json
import pathlib
import shutil
import struct

from server import Server, check, copy_pictures, install_server, name_of, run

QUERIES = ["a red boat on the water", "two black birds", "a cat", "something yellow at night", "three hearts"]


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
