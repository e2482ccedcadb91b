"""bridgetower-mpi on two hosts, one rank each: network namespaces with a wire between them. Needs root and Open MPI.

    python tests/mpi/two_hosts.py --program build/release/bin/bridgetower --mpi-program build/release/bin/bridgetower-mpi

Index and ranking must be those of one process. Then the wire is cut while an index is made. With mpirun as docs/scaling.md has
it the job must end with an error that names the host, leave no process on either, and go on with --resume to the same
bytes. With mpirun as it is both ranks must end, rank 0 with an error that names the other, whatever mpirun does then.
"""

import argparse
import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
COPIES = 40
ADDRESSES = "10.213.7.1", "10.213.7.2"
# Beyond any patience of the program and of mpirun: a job that hangs fails the test.
DEADLINE = 180
# mpirun gives up a host that has not answered for 10 to 15 s (docs/scaling.md), before the program does.
IMPATIENT = {"OMPI_MCA_oob_tcp_keepalive_time": "5", "OMPI_MCA_oob_tcp_keepalive_intvl": "2",
             "OMPI_MCA_oob_tcp_keepalive_probes": "5"}


def ip(*arguments):
    ran = subprocess.run(["ip", *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if ran.returncode != 0:
        raise OSError(f"ip {' '.join(arguments)}: {ran.stderr.strip()}")
    return ran.stdout


class Hosts:
    """Two namespaces with names, addresses and a wire."""

    def __init__(self, agent):
        self.names = [f"bridgetower-{os.getpid()}-{i}" for i in (1, 2)]
        self.agent = agent

    def __enter__(self):
        try:
            self.make()
        except OSError:
            self.__exit__()
            raise
        return self

    def make(self):
        first, second = self.names
        for name in self.names:
            ip("netns", "add", name)
            ip("-n", name, "link", "set", "lo", "up")
        ip("-n", first, "link", "add", "wire", "type", "veth", "peer", "name", "wire", "netns", second)
        for name, address in zip(self.names, ADDRESSES):
            ip("-n", name, "address", "add", f"{address}/24", "dev", "wire")
            ip("-n", name, "link", "set", "wire", "up")
        # mpirun's ssh: its arguments are the host and a command for the shell there.
        self.agent.write_text(f'#!/bin/sh\nshift\nexec {" ".join(self.on(1))} sh -c "$*"\n')
        self.agent.chmod(0o755)

    def __exit__(self, *error):
        for name in self.names:
            with contextlib.suppress(OSError):  # was not made
                for process in self.processes(name):
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(process, signal.SIGKILL)
                ip("netns", "delete", name)

    def on(self, i):
        """What stands before a command of host i."""
        return ["ip", "netns", "exec", self.names[i], "unshare", "--uts", "sh", "-c",
                f"'hostname host{i + 1} && exec env TMPDIR={self.agent.parent} \"$@\"'", "sh"]

    def processes(self, name):
        return [int(process) for process in ip("netns", "pids", name).split()]

    def cut(self):
        """At the far end: the near one sees packets vanish."""
        ip("-n", self.names[1], "link", "set", "wire", "down")

    def mend(self):
        ip("-n", self.names[1], "link", "set", "wire", "up")

    def mpirun(self, *command, settings=IMPATIENT):
        line = [*self.on(0), "mpirun", "--allow-run-as-root", "--host", ",".join(f"{one}:1" for one in ADDRESSES),
                "--mca", "plm_rsh_agent", str(self.agent), *map(str, command)]
        return subprocess.Popen(" ".join(line), shell=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                env={**os.environ, **settings})


def finished(process):
    """(status, output, errors)"""
    output, errors = process.communicate(timeout=DEADLINE)
    return process.returncode, output, errors


def contents(index):
    return {file.name: file.read_bytes() for file in index.iterdir()}


def probe():
    """Fails where this machine makes no such hosts."""
    with tempfile.TemporaryDirectory() as name, Hosts(Path(name) / "agent") as hosts:
        for i in (0, 1):
            subprocess.run(" ".join([*hosts.on(i), "true"]), shell=True, check=True)


def check_same(hosts, programs, work, pictures):
    alone, together = programs
    index = ["index", "--model", ROOT / "models/demo", "--threads", 1, "--images", pictures, "--output"]
    search = ["search", "--model", ROOT / "models/demo", "--threads", 1, "--format", "jsonl", "--index", work / "whole",
              "--texts", work / "texts"]
    (work / "texts").write_text("a red boat on the water\na blue umbrella\n")
    subprocess.run([alone, *map(str, index), work / "whole"], check=True, stdout=subprocess.DEVNULL)
    status, _, errors = finished(hosts.mpirun(together, *index, work / "shared"))
    assert status == 0, errors
    assert contents(work / "shared") == contents(work / "whole")
    expected = subprocess.run([alone, *map(str, search)], check=True, stdout=subprocess.PIPE, text=True).stdout
    status, found, errors = finished(hosts.mpirun(together, *search))
    assert status == 0, errors
    assert found == expected and expected.count("\n") == 20, found


def index_into(index, program, pictures):
    return [program, "index", "--model", ROOT / "models/demo", "--threads", 1, "--images", pictures, "--output", index,
            "--resume"]


def cut_in_the_middle(hosts, index, program, pictures, **settings):
    """The job, whose wire is cut."""
    job = hosts.mpirun(*index_into(index, program, pictures), **settings)
    journal = index / "journal"
    while not (journal.exists() and journal.stat().st_size > 100_000):
        assert job.poll() is None, job.communicate()
        time.sleep(0.01)
    hosts.cut()
    return job


def check_cut(hosts, program, work, pictures):
    index = work / "cut"
    job = cut_in_the_middle(hosts, index, program, pictures)
    start = time.monotonic()
    status, _, errors = finished(job)
    print(f"the job ended {time.monotonic() - start:.0f} s after the cut with status {status}:\n{errors}")
    assert status != 0
    assert "lost communication" in errors and ADDRESSES[1] in errors, errors
    assert "the job was ended before all pictures were done; run it again with --resume for the rest" in errors, errors
    assert not (index / "manifest.json").exists()
    wait_for("the end of all processes", lambda: not any(map(hosts.processes, hosts.names)))
    hosts.mend()
    status, output, errors = finished(hosts.mpirun(*index_into(index, program, pictures)))
    assert status == 0, errors
    assert json.loads(output)["added"] < COPIES * 24, output
    assert contents(index) == contents(work / "whole")
    print(f"resumed: {output}")


def check_ranks_end(hosts, program, work, pictures):
    job = cut_in_the_middle(hosts, work / "again", program, pictures, settings={})
    while "rank 1 has not answered for 30 s" not in (line := job.stderr.readline()):
        assert line, "the job has ended without an error"
    print(line)

    def ranks():
        processes = [process for name in hosts.names for process in hosts.processes(name)]
        return [one for one in processes if program.name in Path(f"/proc/{one}/comm").read_text()]

    wait_for("the end of both ranks", lambda: not ranks())
    job.kill()


def wait_for(what, condition):
    deadline = time.monotonic() + DEADLINE
    while True:
        with contextlib.suppress(FileNotFoundError):  # a process that ends meanwhile
            if condition():
                return
        assert time.monotonic() < deadline, what
        time.sleep(0.1)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--program", type=Path)
    parser.add_argument("--mpi-program", type=Path)
    parser.add_argument("--probe", action="store_true", help="only whether this machine makes such hosts")
    options = parser.parse_args()
    if options.probe:
        try:
            return probe()
        except (OSError, subprocess.CalledProcessError) as error:
            sys.exit(str(error))
    alone, together = options.program.resolve(), options.mpi_program.resolve()
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        pictures = work / "pictures"
        for i in range(COPIES):
            shutil.copytree(ROOT / "examples/pictures", pictures / str(i))
        with Hosts(work / "agent") as hosts:
            check_same(hosts, (alone, together), work, pictures)
            check_cut(hosts, together, work, pictures)
            check_ranks_end(hosts, together, work, pictures)


if __name__ == "__main__":
    main()
