"""What large collections take, on paper:

    python benchmarks/scaling/simulate.py [--rates benchmarks/scaling/rates.json]
    python benchmarks/scaling/simulate.py --update docs/scaling.md

It plays the indexing of 10^6 to 10^10 pictures on 1 to 1000 nodes: shares of one process each, and an MPI job whose rank 0 hands
out blocks, with nodes that are slow and nodes that die. What it goes by is in rates.json: `measured` says with which command,
`assumed` is no measurement, `ranks` are times on one machine. Equal rates give equal tables; the second line puts them into the
page, between its marks.

    python benchmarks/scaling/simulate.py --check docs/scaling.md

fails where the page has other tables, and where the simulator is not what was measured or can be calculated.
"""

import argparse
import copy
import heapq
import json
import math
import random
import sys
from pathlib import Path

SIZES = [10**6, 10**7, 10**8, 10**9, 10**10]
NODES = [1, 10, 100, 1000]
TOLERANCE = 0.1  # of what is measured
BLOCK = 64  # as in src/mpi/index_images.cpp
HOUR, DAY, YEAR = 3600, 24 * 3600, 365 * 24 * 3600


class Rates:
    def __init__(self, file):
        self.all = json.loads(file.read_text())
        values = {**self.all["measured"], **self.all["assumed"]}
        for name, entry in values.items():
            setattr(self, name, entry["value"])
        self.picture_s = self.tower_s + self.decode_s  # of one core

    def but(self, **others):
        changed = copy.copy(self)
        changed.__dict__.update(others)
        return changed


class Node:
    """A machine of `threads` cores, each of which takes `picture_s` for a picture."""

    def __init__(self, threads, picture_s):
        self.threads = threads
        self.picture_s = picture_s

    def share_s(self, pictures):
        return pictures * self.picture_s / self.threads

    def block_s(self, pictures):
        """All threads work at one block, then at the next."""
        return math.ceil(pictures / self.threads) * self.picture_s


def nodes_of(rates, count, chance):
    """Nodes that differ a little, and a few that are slow."""
    nodes = []
    for _ in range(count):
        factor = chance.lognormvariate(0, rates.spread)
        if chance.random() < rates.slow_nodes:
            factor *= rates.slow_factor
        nodes.append(Node(rates.cores, rates.picture_s * factor))
    return nodes


def until_death(mean_s, chance):
    return chance.expovariate(1 / mean_s) if mean_s < math.inf else math.inf


def play_shares(pictures, nodes, rates, chance):
    """(seconds, deaths): every node indexes its share; one that dies begins again behind its journal."""
    longest, deaths = 0, 0
    for node in nodes:
        mean = pictures / len(nodes)
        left = node.share_s(mean + chance.gauss(0, math.sqrt(mean * (1 - 1 / len(nodes)))))
        clock = rates.load_s
        while (alive := until_death(rates.node_lives_s, chance)) < left:
            left -= max(0, alive - node.picture_s)  # the pictures in hand are lost
            clock += alive + rates.restart_s + rates.load_s
            deaths += 1
        longest = max(longest, clock + left)
    return longest, deaths


class Queue:
    """As in src/mpi/index_images.cpp, in blocks of `grain` times as many pictures."""

    def __init__(self, pictures, ranks, threads, grain):
        self.left = pictures
        self.shares = 4 * ranks
        self.least = threads
        self.most = threads * max(1, BLOCK // threads) * grain

    def next(self):
        taken = min(self.left, max(self.least, min(self.most, self.left // self.shares)))
        self.left -= taken
        return taken


class Job:
    """A run of bridgetower-mpi, from its start to its end or to the first death of a node."""

    def __init__(self, queue, nodes, start, rates):
        self.queue, self.nodes, self.rates = queue, nodes, rates
        self.rank_0_free = start
        self.events = [(start, rank, 0) for rank in range(len(nodes))]  # a rank asks, and what it has made
        self.end = start

    def play(self, death):
        """Whether it ended before `death`."""
        while self.events:
            clock, rank, made = self.events[0]
            if clock > death:
                return False
            answered = max(clock, self.rank_0_free)
            block = self.queue.next()
            if block:
                arrived = answered + self.rates.network_s
                heapq.heapreplace(self.events, (arrived + self.nodes[rank].block_s(block), rank, block))
            else:
                heapq.heappop(self.events)
            self.rank_0_free = answered + made * self.rates.keep_s  # after the answer
            self.end = max(self.end, self.rank_0_free)
        return True

    def lost(self, death):
        """Of what the ranks have in hand: the rest of it, and of a grain the block that was begun."""
        lost = 0
        for clock, rank, made in self.events:
            rest = made * min(1, (clock - death) / self.nodes[rank].block_s(made)) if made else 0
            lost += min(made, math.ceil(rest) + BLOCK)
        return lost


def play_mpi(pictures, nodes, rates, chance):
    """(seconds, deaths): one node that dies ends the job, which goes on behind the journal."""
    grain = max(1, pictures // (BLOCK * max(20_000, 50 * len(nodes))))
    queue = Queue(pictures, len(nodes), nodes[0].threads, grain)
    clock, deaths = 0, 0
    while True:
        job = Job(queue, nodes, clock + rates.load_s, rates)
        death = clock + until_death(rates.node_lives_s / len(nodes), chance)
        if job.play(death):
            return job.end, deaths
        queue.left += job.lost(death)
        clock = death + rates.restart_s
        deaths += 1


def search_s(pictures, nodes, rates, chance):
    """A sentence on warm vectors: (comparing with all, then reranking on the ranks that have the rows)."""
    scan = pictures * rates.vector_bytes / nodes / rates.scan_bytes_per_s
    rows = [0] * nodes
    for _ in range(rates.rerank):
        rows[chance.randrange(nodes)] += 1
    return scan, max(rows) * (rates.pair_s + rates.decode_s) / rates.cores


def rounded(value):
    """Two digits."""
    if value <= 0:
        return "0"
    digits = 1 - math.floor(math.log10(value))
    return f"{round(value, digits):,.{max(0, digits)}f}"


def as_given(value):
    return f"{float(f'{value:.3g}'):,g}"


def with_unit(value, units, number, least=1):
    """In the first of these units of which there are so many."""
    for unit, factor in units:
        if value >= least * factor:
            break
    return f"{number(value / factor)} {unit}"


def seconds(value, number=rounded):
    if value >= 120:
        return with_unit(value, (("a", YEAR), ("d", DAY), ("h", HOUR), ("min", 60)), number, 2)
    return with_unit(value, (("s", 1), ("ms", 1e-3), ("µs", 1e-6)), number)


def size(value, number=rounded):
    return with_unit(value, (("PB", 1e15), ("TB", 1e12), ("GB", 1e9), ("MB", 1e6), ("kB", 1e3), ("bytes", 1)), number)


def power(value):
    return f"10^{round(math.log10(value))}"


def table(heads, rows):
    lines = ["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows])


def indexing_table(rates, play):
    rows = []
    for pictures in SIZES:
        row = [power(pictures)]
        for count in NODES:
            nodes = nodes_of(rates, count, random.Random(f"nodes {count}"))
            clock, deaths = play(pictures, nodes, rates, random.Random(f"{play.__name__} {pictures} {count}"))
            core_hours = clock * count * rates.cores / HOUR
            row.append(f"{seconds(clock)}, {rounded(core_hours)}" + (f" ({deaths} died)" if deaths else ""))
        rows.append(row)
    return table(["pictures"] + [f"{count} node{'s' if count > 1 else ''}" for count in NODES], rows)


def bytes_table(rates):
    rows = []
    for pictures in SIZES:
        rows.append([power(pictures), size(pictures * rates.file_bytes), size(pictures * rates.message_bytes),
                     size(pictures * (rates.vector_bytes + rates.record_bytes)), size(pictures * rates.memory_bytes),
                     seconds(pictures * rates.merge_s)])
    return table(["pictures", "files read", "sent to rank 0", "index", "memory of rank 0 and of merge", "merge"], rows)


def search_table(rates):
    rows = []
    for pictures in SIZES:
        row = [power(pictures)]
        for count in NODES:
            chance = random.Random(f"search {pictures} {count}")
            scan, rerank = search_s(pictures, count, rates, chance)
            share = pictures * (rates.vector_bytes / count + rates.record_bytes)
            fits = share <= rates.node_bytes
            row.append(f"{size(share)}, " + (f"{seconds(scan)} + {seconds(rerank)}" if fits else "too large"))
        rows.append(row)
    return table(["pictures"] + [f"{count} node{'s' if count > 1 else ''}" for count in NODES], rows)


def limits_table(rates):
    """Where each part gives out, the first first."""
    per_second = rates.cores / rates.picture_s
    memory = size(rates.node_bytes, as_given)
    limits = [
        (rates.node_bytes / (rates.vector_bytes + rates.record_bytes), "search on one node",
         f"vectors and records fill {memory}"),
        (rates.scan_bytes_per_s / rates.vector_bytes, "search on one node", "comparing takes a second"),
        (rates.node_bytes / rates.memory_bytes, "rank 0, and merge", f"records fill {memory}"),
        (DAY / rates.merge_s, "merge", "takes a day"),
        (rates.node_bytes / rates.record_bytes, "search on many nodes",
         f"every rank holds all records: they fill {memory}"),
        (rates.largest_file_bytes / rates.vector_bytes, "the index", f"its vectors fill a file of {size(rates.largest_file_bytes)}"),
        (YEAR * per_second, "indexing on one node", "takes a year"),
    ]
    rows = [[f"{rounded(pictures / 1e6)} million pictures", part, why] for pictures, part, why in sorted(limits)]
    nodes = 1 / (rates.keep_s * per_second)
    rows.append([f"{rounded(nodes)} nodes", "rank 0", "keeps vectors no faster than they come"])
    return table(["at", "gives out", "because"], rows)


UNITS = {"s": lambda value: seconds(value, as_given), "bytes": lambda value: size(value, as_given),
         "bytes/s": lambda value: size(value, as_given) + "/s", "share": lambda value: as_given(100 * value) + " %",
         "": as_given}


def rates_table(rates):
    entries = [*rates.all["measured"].values(), *rates.all["assumed"].values()]
    rows = [[one["what"], UNITS[one["unit"]](one["value"]), one.get("from", "assumed")] for one in entries]
    return table(["what", "how much", "by"], rows)


def ranks_table(rates):
    run = rates.all["ranks"]
    rows = [["1 process, 2 threads" if ranks == "process" else f"{ranks} rank{'s' if ranks != '1' else ''}, 1 thread",
             f"{wall:.1f}", f"{run['pictures'] / wall:.2f}", f"{run['cpu_s'][ranks]:.1f}"] for ranks, wall in run["wall_s"].items()]
    return table(["", "seconds", "pictures a second", "seconds of the processor"], rows)


def tables(rates):
    ranks = {"ranks": ranks_table(rates)} if rates.all["ranks"]["wall_s"] else {}
    return {**ranks, "rates": rates_table(rates), "shares": indexing_table(rates, play_shares),
            "mpi": indexing_table(rates, play_mpi), "bytes": bytes_table(rates), "search": search_table(rates),
            "limits": limits_table(rates)}


def updated(text, rates):
    """A page with these tables between its marks."""
    for name, lines in tables(rates).items():
        begin, end = f"<!-- {name} -->\n", f"\n<!-- end of {name} -->"
        before, rest = text.split(begin)
        text = before + begin + lines + end + rest.split(end)[1]
    return text


def check_measured(rates):
    """1 to 4 ranks on one machine: the simulator against the clock."""
    run = rates.all["ranks"]
    calm = rates.but(node_lives_s=math.inf, load_s=0)
    for ranks, measured in run["wall_s"].items():
        if ranks == "process":
            continue
        count = int(ranks)
        slower = max(1, count / run["cores"])  # ranks share cores
        pictures = run["pictures"] - 1  # the first one is part of starting
        nodes = [Node(1, (run["wall_s"]["1"] - run["first_s"]) / pictures * slower)] * count
        played = run["first_s"] + play_mpi(pictures, nodes, calm, random.Random(1))[0]
        error = played / measured - 1
        print(f"{ranks} ranks: {played:.2f} s played, {measured:.2f} s measured ({100 * error:+.1f} %)")
        assert abs(error) <= TOLERANCE, ranks


def check_exact(rates):
    """Without accidents it is a division."""
    calm = rates.but(node_lives_s=math.inf, load_s=0, network_s=0, keep_s=0)
    nodes = [Node(rates.cores, rates.picture_s)] * 10
    bare = 10**7 * rates.picture_s / (10 * rates.cores)
    for play in (play_shares, play_mpi):
        played, deaths = play(10**7, nodes, calm, random.Random(1))
        assert abs(played / bare - 1) < 0.002 and deaths == 0, (play.__name__, played, bare)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rates", type=Path, default=Path(__file__).with_name("rates.json"))
    parser.add_argument("--update", type=Path, help="a page that has the tables")
    parser.add_argument("--check", type=Path, help="a page that has the tables")
    options = parser.parse_args()
    rates = Rates(options.rates)
    if options.update:
        options.update.write_text(updated(options.update.read_text(), rates))
    elif options.check:
        check_exact(rates)
        check_measured(rates)
        if options.check.read_text() != updated(options.check.read_text(), rates):
            sys.exit(f"{options.check} has other tables: run {Path(__file__).name} --update on it")
    else:
        print("\n\n".join(tables(rates).values()))


if __name__ == "__main__":
    main()
