#!/usr/bin/env python3
"""Mutation tests of the numeric core and the loaders: small changes of the source, which the fast tests should notice.

    cmake -S . -B build/mutants -G Ninja -DCMAKE_BUILD_TYPE=None -DCMAKE_CXX_FLAGS="-O1 -g1 -D_GLIBCXX_ASSERTIONS" \\
      -DCMAKE_EXE_LINKER_FLAGS=-fuse-ld=gold -DCMAKE_EXPORT_COMPILE_COMMANDS=ON
    cmake --build build/mutants --target unit_tests parity_tests hostile_tests
    tools/mutate.py --report build/mutants.jsonl [--count 220] [--seed 1] [--jobs 2] [--again]

A change is made in a copy that lies before the source on the include path, so the source tree stays as it is. Only what the
debugger's line tables say is made of the changed line is compiled again, and linked before everything else, so that its
copies of templates and inline functions are those that run. A change that does not compile, or that leaves the machine code
as it was, is no mutant; another one of the same file takes its place. A report is continued where it stopped; with --again
its survivors are tried once more, and with --only FILE:LINE the mutants of one line.
"""
import argparse
import collections
import concurrent.futures
import json
import os
import pathlib
import random
import re
import resource
import shlex
import shutil
import subprocess
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
CORE = ("src/ops/", "include/bridgetower/ops/", "include/bridgetower/layers/", "include/bridgetower/model/",
        "include/bridgetower/encoders/", "include/bridgetower/heads/", "src/core/")
LOADERS = ("src/io/", "src/config/", "src/preprocessing/")
PROGRAMS = ("unit_tests", "parity_tests", "hostile_tests")
# Seconds each, and about speed, memory or quality; nothing that others do not test.
SLOW = ("StateFile.AStateServesAThousandTimes*", "Soak.*", "Approximate.*", "RobertaVocabulary.*", "DemoModel*.*",
        "Cancellation.StopsALongCallFromAnotherThread", "Cancellation.StopsWhenItsTimeIsUp")
# The sets of kernels, the best first, and what says that a processor can run them; and their tests (tests/CMakeLists.txt).
KERNELS = {"avx512bf16": "avx512_bf16", "avx512vnni": "avx512_vnni", "avx512": "avx512bw", "avx2": "avx2", "baseline": ""}
KERNEL_TESTS = "*Attention*:*Dtype*:*Invariance*:*Matmul*:*NarrowWeights*:*Rowwise*:Kernels*"
PROCESSOR_SECONDS = 90  # the fast tests take about 25
IDLE_SECONDS = 40
MEMORY = 6 << 30
NO_CODE = re.compile(r"//[^\n]*|/\*.*?\*/|R\"\(.*?\)\"|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'(?!\w)|^\s*#(?:[^\n]*\\\n)*[^\n]*",
                     re.DOTALL | re.MULTILINE)
# Of lines that no test can tell apart: checks by the compiler, hints, sizes reserved, errors' words.
NO_MUTANTS = re.compile(r"static_assert|prefetch|fetch_hint|\.reserve\(|BRIDGETOWER_ASSERT|^\s*(template|using|namespace|case)\b|"
                        r"extern |\[\[|__builtin_expect|alignas")
SWAPS = {" + ": " - ", " - ": " + ", " * ": " / ", " / ": " * ", " % ": " / ", " += ": " -= ", " -= ": " += ",
         " *= ": " /= ", " /= ": " *= ", " < ": " <= ", " <= ": " < ", " > ": " >= ", " >= ": " > ", " == ": " != ",
         " != ": " == ", " && ": " || ", " || ": " && ", " & ": " | ", " | ": " & ", "++": "--", "true": "false",
         "false": "true", "std::min(": "std::max(", "std::max(": "std::min("}
TOKEN = re.compile(r"(?<![\w.])(?:0x[\dA-Fa-f]+|\d+\.\d*(?:e[+-]?\d+)?|\d+(?:e[+-]?\d+)?)(?:[uUlLfF]*)(?![\w.'])|\btrue\b|\bfalse\b|"
                   r"std::m(?:in|ax)\(|\+\+| (?:[-+*/]=?|%|[<>]=?|[=!]=|&&?|\|\|?) ")
PATH = re.compile(r"\"/|/\"|\b(weights|directory|folder|path|root)\w*/")
GUARD = re.compile(r"^(\s*)(if \(.*\)) (?:return|throw|continue|break|refuse|fail)\b.*;$")
STATEMENT = re.compile(r"^(\s+)(?!return|throw|delete|continue|break|else|if|for|while|do|case|default)"
                       r"[\w:.\->*\[\]]+(?:\(.*\)| (?:[-+*/&|^]|<<|>>)?= [^{}]*);$")

Mutant = collections.namedtuple("Mutant", "file line start end before after")  # start and end: columns
Outcome = collections.namedtuple("Outcome", "kind by")


def code_of(text):
    """The text with spaces for comments, strings, characters and preprocessor lines."""
    return NO_CODE.sub(lambda found: re.sub(r"[^\n]", " ", found.group()), text)


def changed_number(token, up):
    number, suffix = re.fullmatch(r"(0x[\dA-Fa-f]+|[\d.]+(?:e[+-]?\d+)?)([uUlLfF]*)", token).groups()
    if number.startswith("0x"):
        return hex(int(number, 16) + (1 if up else -1) if int(number, 16) else 1) + suffix
    if "." in number or "e" in number:
        return (f"(2 * {token})" if float(number) else f"1.0{suffix}")
    return str(int(number) + 1 if up or int(number) == 0 else int(number) - 1) + suffix


def mutants_of(file, dice):
    text = (ROOT / file).read_text()
    lines, found = text.split("\n"), []
    previous = ""
    for number, (line, code) in enumerate(zip(lines, code_of(text).split("\n")), 1):
        if not code.strip() or NO_MUTANTS.search(line):
            previous = code.strip() or previous
            continue
        # Two of the three numbers in an error's message are words as well.
        for token in TOKEN.finditer(code) if "throw " not in code and "Error(" not in code else ():
            before = token.group()
            # A pointer, a reference or a type is no operand.
            if before in (" * ", " & ", " && ") and re.search(r"\b(const|auto)$", code[:token.start()]):
                continue
            # Names of weights and files are joined by a slash.
            if before == " / " and PATH.search(line[:token.start()] + "/" + line[token.end():]):
                continue
            after = SWAPS.get(before) or changed_number(before, dice.random() < 0.5)
            found.append(Mutant(file, number, token.start(), token.end(), before, after))
        if (guard := GUARD.match(code)) and code.count("(") == code.count(")"):
            start = len(guard.group(1)) + len(guard.group(2))
            found.append(Mutant(file, number, start, len(line), line[start:], " {}"))
        elif previous.endswith((";", "{", "}")) and (statement := STATEMENT.match(code)) and code.count("(") == code.count(")"):
            start = len(statement.group(1))
            found.append(Mutant(file, number, start, len(line), line[start:], ";"))
        previous = code.strip()
    dice.shuffle(found)
    return found


class Build:
    """What the build directory knows: how a file is compiled, what is made of a line, how a program is linked."""

    def __init__(self, directory):
        self.directory = directory.resolve()
        self.commands = {}
        for entry in json.loads((self.directory / "compile_commands.json").read_text()):
            command = shlex.split(entry["command"])
            self.commands[command[command.index("-o") + 1]] = command[command[0].endswith("ccache"):]
        self.links = {name: self.link_of(name) for name in PROGRAMS}
        linked = {part for link in self.links.values() for part in link}
        self.library = [name for name in self.commands if "/bridgetower.dir/" in name]
        self.tests = [name for name in self.commands if name in linked]
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            self.lines = dict(zip(self.library + self.tests, pool.map(self.lines_of, self.library + self.tests)))
        self.stripped = {}

    def link_of(self, name):
        printed = subprocess.run(["ninja", "-t", "commands", name], cwd=self.directory, capture_output=True, text=True, check=True)
        return shlex.split(printed.stdout.strip().split("\n")[-1].split(" && ")[1])

    def lines_of(self, name):
        """{file: lines} of which the object file holds code."""
        printed = subprocess.run(["objdump", "--dwarf=decodedline", name], cwd=self.directory, capture_output=True, text=True)
        lines, file = collections.defaultdict(set), None
        for row in printed.stdout.split("\n"):
            if row.endswith(":") and not row.startswith("CU"):
                path = pathlib.Path(os.path.normpath(self.directory / row[:-1].removesuffix(":")))
                file = str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else None
            elif file and (fields := row.split()) and len(fields) > 2 and fields[1].isdigit():
                lines[file].add(int(fields[1]))
        return dict(lines)

    def objects_of(self, mutant):
        """The library's object files with code of the line or beside it, else of the file."""
        around = set(range(mutant.line - 2, mutant.line + 3))
        holders = [name for name in self.library if mutant.file in self.lines[name] and runs_here(name)]
        return [name for name in holders if self.lines[name][mutant.file] & around] or holders

    def tests_of(self, mutant):
        """The tests' object files with code of the line: of templates that the library does not hold, or inlined."""
        return [name for name in self.tests if mutant.line in self.lines[name].get(mutant.file, ())]


def runs_here(name):
    """Of the kernels, those that this processor can run: the best are what tests run, the others where they are told to."""
    kernels = re.search(r"kernels/(\w+)\.cpp", name)
    return not kernels or kernels.group(1) not in KERNELS or kernels.group(1) in sets_here()


def sets_here():
    flags = set(re.search(r"^flags\s*: (.*)$", pathlib.Path("/proc/cpuinfo").read_text(), re.MULTILINE).group(1).split())
    return [name for name, flag in KERNELS.items() if not flag or flag in flags]


def code_bytes(build, path, work):
    subprocess.run(["objcopy", "--strip-debug", str(path), str(work / "stripped.o")], cwd=build.directory, check=True)
    return (work / "stripped.o").read_bytes()


def compile_mutant(build, mutant, names, work):
    """{object file: that of the mutant}, "no code", "does not compile" or "the same code"."""
    shutil.rmtree(work, ignore_errors=True)
    copy = work / mutant.file
    copy.parent.mkdir(parents=True)
    lines = (ROOT / mutant.file).read_text().split("\n")
    line = lines[mutant.line - 1]
    lines[mutant.line - 1] = line[:mutant.start] + mutant.after + line[mutant.end:]
    copy.write_text("\n".join(lines))
    made, same = {}, bool(names)
    for number, name in enumerate(names):
        command = list(build.commands[name])
        made[name] = work / f"{number}.o"
        command[command.index("-o") + 1] = str(made[name])
        source = command.index("-c") + 1
        if pathlib.Path(os.path.normpath(build.directory / command[source])) == ROOT / mutant.file:
            command[source] = str(copy)
        command[1:1] = ["-w", f"-I{work}/include", f"-I{work}/src"]
        if subprocess.run(command, cwd=build.directory, capture_output=True).returncode:
            return "does not compile"
        if name not in build.stripped:
            build.stripped[name] = code_bytes(build, name, work)
        same = same and code_bytes(build, made[name], work) == build.stripped[name]
    return made if names and not same else "the same code" if names else "no code"


def link(build, program, made, work):
    command = [part for part in build.links[program] if part not in made]
    command[command.index("-o") + 1] = str(work / program)
    first = next(i for i, part in enumerate(command) if part.endswith(".o"))
    command[first:first] = [str(path) for name, path in made.items() if name in build.library or name in build.links[program]]
    return subprocess.run(command, cwd=build.directory, capture_output=True, text=True)


def limit():
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 30, 1 << 30))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def processor_seconds(process):
    fields = pathlib.Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def run_tests(program, pattern, work, kernels=""):
    """The test that failed, or None. Time is the processor's: the machine may be busy with other work."""
    log = work / "log"
    with open(log, "w") as output, tempfile.TemporaryDirectory() as files:
        process = subprocess.Popen(
            [str(program), "--gtest_fail_fast", "--gtest_brief=0", f"--gtest_filter={pattern}"], stdout=output, stderr=output,
            cwd=work, preexec_fn=limit, env=dict(os.environ, TMPDIR=files, BRIDGETOWER_KERNELS=kernels))
        used = idle = 0
        while process.poll() is None and used < PROCESSOR_SECONDS and idle < IDLE_SECONDS:
            time.sleep(0.1)
            now = processor_seconds(process.pid)
            used, idle = now, idle + 0.1 if now == used else 0
        late = process.poll() is None
        if late:
            process.kill()
            process.wait()
    text = log.read_text(errors="replace")
    failed = re.findall(r"\[  FAILED  \] ([^\s,]+)", text)
    begun = re.findall(r"\[ RUN      \] (\S+)", text) or ["start"]
    if late:
        return begun[-1] + " (time)"
    if process.returncode == 0:
        return None
    return failed[0] if failed else begun[-1] + f" (signal {-process.returncode})" if process.returncode < 0 else begun[-1]


class Tests:
    """The fast tests, those beside the changed file first."""

    def __init__(self, build, work):
        self.suites = {name: self.suites_of(build, name, work) for name in PROGRAMS}

    @staticmethod
    def suites_of(build, name, work):
        listing = work / f"{name}.json"
        subprocess.run([str(build.directory / "tests" / name), "--gtest_list_tests", f"--gtest_output=json:{listing}"],
                       stdout=subprocess.DEVNULL, check=True)
        return {suite["name"]: suite["testsuite"][0]["file"] for suite in json.loads(listing.read_text())["testsuites"]}

    def rounds(self, file):
        """(program, filter, kernels) in the order to run."""
        place = str(pathlib.Path(re.sub(r"^(src|include/bridgetower)/", "", file)).parent)
        place = re.sub("/(detail|kernels|text|vision|cross_modal)$", "", place) if not place.startswith("pre") else place
        near = [suite for suite, path in self.suites["unit_tests"].items() if f"/unit/{place}/" in path]
        slow = ":".join(SLOW)
        chosen = ":".join(f"{suite}.*" for suite in near)
        rounds = [("unit_tests", f"{chosen}-{slow}", "")] if near else []
        unit = ("unit_tests", f"*-{slow}" + (f":{chosen}" if near else ""), "")
        parity, hostile = ((name, f"*-{slow}", "") for name in ("parity_tests", "hostile_tests"))
        rounds += [parity, unit, hostile] if file.startswith(CORE[:-1]) else [unit, hostile, parity]
        if file.startswith("src/ops/kernels/"):
            rounds += [("unit_tests", KERNEL_TESTS, name) for name in sets_here()[1:]]
        return rounds


def try_mutant(build, tests, mutant, work):
    names = build.objects_of(mutant)
    inlined = build.tests_of(mutant)
    outcome = try_objects(build, tests, mutant, names or inlined, work)
    if names and inlined and outcome.kind in ("survived", "the same code"):
        return try_objects(build, tests, mutant, names + inlined, work)
    return outcome


def try_objects(build, tests, mutant, names, work):
    made = compile_mutant(build, mutant, names, work)
    if isinstance(made, str):
        return Outcome(made, "")
    linked = set()
    for program, pattern, kernels in tests.rounds(mutant.file):
        if program not in linked:
            if link(build, program, made, work).returncode:
                return Outcome("does not compile", "linker")
            linked.add(program)
        if failed := run_tests(work / program, pattern, work, kernels):
            return Outcome("killed", failed)
    return Outcome("survived", "")


class Run:
    """Draws mutants file by file until there are enough, and writes the report."""

    def __init__(self, arguments, build, tests):
        self.arguments, self.build, self.tests = arguments, build, tests
        self.lock = threading.Lock()
        self.results = {}  # {mutant: outcome}, the last one
        if arguments.report.exists():
            for line in arguments.report.read_text().splitlines():
                entry = json.loads(line)
                self.results[Mutant(*entry[:6])] = Outcome(*entry[6:])

    def record(self, mutant, outcome):
        with self.lock:
            if mutant in self.results or not self.arguments.only:
                self.results[mutant] = outcome
                with open(self.arguments.report, "a") as report:
                    report.write(json.dumps([*mutant, *outcome]) + "\n")
            print(f"{outcome.kind:17} {mutant.file}:{mutant.line}: {mutant.before.strip()} → {mutant.after.strip()}  {outcome.by}",
                  flush=True)

    def outcome_of(self, mutant, again=False):
        if mutant not in self.results or again:
            work = self.arguments.build.resolve() / "mutant" / threading.current_thread().name
            outcome = try_mutant(self.build, self.tests, mutant, work)
            self.record(mutant, outcome)
            return outcome
        return self.results[mutant]

    def one_of(self, candidates):
        """Tries the candidates of one file until one is a mutant."""
        for mutant in candidates:
            if self.outcome_of(mutant).kind in ("killed", "survived"):
                return

    def sample(self, files):
        """Candidates a mutant, of all files in turn, the longest first; few of a short file and of the kernels."""
        found = {file: mutants_of(file, random.Random(f"{self.arguments.seed} {file}")) for file in files}
        room = {file: 2 if file.endswith(".inc") else (len(mutants) + 3) // 4 for file, mutants in found.items()}
        turns = collections.Counter()
        while sum(turns.values()) < min(self.arguments.count, sum(room.values())):
            for file in sorted(files, key=lambda file: -len(found[file])):
                if turns[file] < room[file] and sum(turns.values()) < self.arguments.count:
                    turns[file] += 1
        return [found[file][turn::turns[file]] for file in files for turn in range(turns[file])]


def summary(results):
    table = collections.defaultdict(collections.Counter)
    for mutant, outcome in results.items():
        table[str(pathlib.Path(mutant.file).parent)][outcome.kind] += 1
        table["all"][outcome.kind] += 1
    print(f"\n{'':40} mutants  killed  survived")
    for place, row in sorted(table.items(), key=lambda item: (item[0] == "all", item[0])):
        killed, survived = row["killed"], row["survived"]
        if killed + survived:
            print(f"{place:40} {killed + survived:7} {killed:7} {survived:9}  {100 * killed / (killed + survived):5.1f} %")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build" / "mutants")
    parser.add_argument("--report", type=pathlib.Path, required=True)
    parser.add_argument("--count", type=int, default=220)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--again", action="store_true", help="try the report's survivors again")
    parser.add_argument("--only", metavar="FILE:LINE", help="all mutants of a line")
    parser.add_argument("--files", metavar="PREFIX", nargs="*", default=CORE + LOADERS, help="those that begin so")
    arguments = parser.parse_args()
    build = Build(arguments.build)
    work = arguments.build.resolve() / "mutant"
    work.mkdir(exist_ok=True)
    tests = Tests(build, work)
    run = Run(arguments, build, tests)
    files = sorted({file for lines in build.lines.values() for file in lines if file.startswith(CORE + LOADERS)
                    and file.startswith(tuple(arguments.files))})
    if not run.results:
        for program, pattern, kernels in tests.rounds(""):
            if failed := run_tests(build.directory / "tests" / program, pattern, work, kernels):
                sys.exit(f"{failed} fails without any change")
    with concurrent.futures.ThreadPoolExecutor(arguments.jobs, "worker") as pool:
        if arguments.only:
            file, line = arguments.only.split(":")
            chosen = [mutant for mutant in mutants_of(file, random.Random(arguments.seed)) if mutant.line == int(line)]
            jobs = [pool.submit(run.outcome_of, mutant, True) for mutant in chosen]
        elif arguments.again:
            jobs = [pool.submit(run.outcome_of, mutant, True) for mutant, outcome in run.results.items() if outcome.kind == "survived"]
        else:
            jobs = [pool.submit(run.one_of, candidates) for candidates in run.sample(files)]
        for job in jobs:
            job.result()
    summary(run.results)


if __name__ == "__main__":
    main()
