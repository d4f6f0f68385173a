"""`slmops datasets import` of large files beside libraries that read them: `python -m benchmarks.import_data [CASE ...]`.

Cases: csv300, jsonl300 (300 MB), rows1m (a million short rows), columns5000, jsonl2g (2 GB), rows5m (5 million rows of CSV).
Files are made from a seed in a temporary folder (`--folder` says where) and removed. Each reader is a child: wall seconds, CPU
seconds and peak resident memory of the child with all that it started, sampled 20 times a second (pages that two
processes share count twice). A reader that isn't there is left out; `rows` is the import's reading, roles, split and writing
alone, without the processes around it and the checks. `--scale 0.05` makes every file a twentieth of its size.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from itertools import count
from pathlib import Path

import psutil

ROOT = Path(__file__).resolve().parent.parent
MB = 1_000_000
_EVERY = 0.05
_TIMEOUT = 3_600
LABELS = [f"intent_{number:02}" for number in range(20)]
THINGS = [
    "kettle",
    "radio",
    "ladder",
    "toaster",
    "suitcase",
    "lamp",
    "tent",
    "blender",
    "drill",
    "umbrella",
    "hammock",
    "curtain",
    "bookshelf",
    "keyboard",
]
WISHES = ["bring the {} to {}", "where is the {} for {}", "the {} of {} is broken", "I want to return the {}, {}"]
PLACES = [
    "Marnfeld",
    "Gantry",
    "Thistlow",
    "Osterby",
    "Tessary",
    "Nettlebury",
    "Sunderley",
    "Córdoba",
    "Cádiz",
    "Peñíscola",
]


def sentences(seed: int, words: int) -> Iterator[tuple[str, str]]:
    """(text of about so many words, label) without end."""
    chance = random.Random(seed)
    for number in count():
        parts = [
            chance.choice(WISHES).format(chance.choice(THINGS), chance.choice(PLACES))
            for _ in range(max(1, words // 6))
        ]
        yield f"{', '.join(parts)}, order {number}", chance.choice(LABELS)


def write_csv(path: Path, most_bytes: float, most_rows: float, words: int, columns: int = 0) -> int:
    """Rows that were written: text, label and so many numbers beside them."""
    chance = random.Random(1)
    written = rows = 0
    with path.open("w", encoding="utf-8", newline="") as stream:
        stream.write(",".join(["text", "label", *(f"n{number}" for number in range(columns))]) + "\n")
        for text, label in sentences(0, words):
            numbers = "".join(f",{chance.randint(0, 999)}" for _ in range(columns))
            written += stream.write(f'"{text}",{label}{numbers}\n')
            rows += 1
            if written >= most_bytes or rows >= most_rows:
                return rows
    raise AssertionError("sentences never end")


def write_jsonl(path: Path, most_bytes: float, words: int) -> int:
    """Rows that were written, one object a line."""
    written = 0
    with path.open("w", encoding="utf-8") as stream:
        for rows, (text, label) in enumerate(sentences(0, words), 1):
            written += stream.write(json.dumps({"id": rows, "text": text, "label": label}, ensure_ascii=False) + "\n")
            if written >= most_bytes:
                return rows
    raise AssertionError("sentences never end")


Write = Callable[[Path, float], int]
CASES: dict[str, tuple[str, Write]] = {
    "csv300": ("csv", lambda path, scale: write_csv(path, 300 * MB * scale, float("inf"), 24)),
    "jsonl300": ("jsonl", lambda path, scale: write_jsonl(path, 300 * MB * scale, 24)),
    "rows1m": ("csv", lambda path, scale: write_csv(path, float("inf"), 1_000_000 * scale, 6)),
    "columns5000": ("csv", lambda path, scale: write_csv(path, float("inf"), 500, 6, max(2, round(4_998 * scale)))),
    "jsonl2g": ("jsonl", lambda path, scale: write_jsonl(path, 2_000 * MB * scale, 48)),
    "rows5m": ("csv", lambda path, scale: write_csv(path, float("inf"), 5_000_000 * scale, 6)),
}
"""By name: the format, and what writes the file and says how many rows it has."""

_ROWS = (
    "from pathlib import Path; from backend.data.params import DatasetParams; from backend.data.prepare import prepare; "
    "p = prepare(DatasetParams(source=path, input='text', output='label'), 0, Path(folder)); "
    "n = sum(len(p.numbers[split]) for split in p.numbers); out = open(folder + '/rows', 'wb'); "
    "out.writelines(block for split in p.numbers for block in p.blocks(split))"
)
READERS: dict[str, dict[str, str]] = {
    "rows": {"csv": _ROWS, "jsonl": _ROWS},
    "pandas": {
        "csv": "import pandas; n = len(pandas.read_csv(path))",
        "jsonl": "import pandas; n = len(pandas.read_json(path, lines=True))",
    },
    "polars": {
        "csv": "import polars; n = len(polars.read_csv(path))",
        "jsonl": "import polars; n = len(polars.read_ndjson(path))",
    },
    "pyarrow": {
        "csv": "from pyarrow import csv; n = csv.read_csv(path).num_rows",
        "jsonl": "from pyarrow import json; n = json.read_json(path).num_rows",
    },
    "duckdb": {
        "csv": "import duckdb; c = duckdb.connect(); c.execute('create table t as from read_csv(?)', [path]); "
        "n = c.execute('select count(*) from t').fetchone()[0]",
        "jsonl": "import duckdb; c = duckdb.connect(); c.execute('create table t as from read_ndjson(?)', [path]); "
        "n = c.execute('select count(*) from t').fetchone()[0]",
    },
    "datasets": {
        "csv": "import datasets; n = len(datasets.load_dataset('csv', data_files=path, cache_dir=folder)['train'])",
        "jsonl": "import datasets; n = len(datasets.load_dataset('json', data_files=path, cache_dir=folder)['train'])",
    },
}


@dataclass
class Cost:
    """One reader of one file. `peak`: bytes; `failed`: the last line of what it said, "" when it read all rows; `checks`: the
    seconds of an import after its rows were written, for the facts and the quick gates."""

    case: str
    reader: str
    rows: int
    seconds: float
    cpu: float
    peak: int
    failed: str = ""
    checks: float = 0.0


def measure(command: list[str], env: dict[str, str], folder: Path, mark: str) -> tuple[float, float, int, int, str]:
    """(seconds, CPU seconds, peak bytes, exit code, last line said) of a child with its descendants and whatever else runs with
    `mark` in its environment, such as a worker that it left to itself. All of them are ended in the end."""
    said = folder / "said.txt"
    start = time.monotonic()
    with said.open("wb") as stream:
        child = subprocess.Popen(command, env=env, cwd=folder, stdout=stream, stderr=stream, start_new_session=True)
    cpu: dict[int, float] = {}
    peak, asked = 0, {}
    try:
        while child.poll() is None and time.monotonic() - start < _TIMEOUT:
            used = 0
            for process in _processes(child.pid, mark, asked):
                try:
                    used += process.memory_info().rss
                    times = process.cpu_times()
                    cpu[process.pid] = times.user + times.system
                except psutil.Error:
                    continue
            peak = max(peak, used)
            time.sleep(_EVERY)
        seconds = time.monotonic() - start
    finally:
        for process in _processes(child.pid, mark, asked):
            process.send_signal(signal.SIGKILL)
        child.wait()
    lines = said.read_text("utf-8", "replace").strip().splitlines()
    return seconds, sum(cpu.values()), peak, child.returncode, lines[-1][:200] if lines else ""


def _processes(pid: int, mark: str, asked: dict[int, bool]) -> list[psutil.Process]:
    """Those with `mark` in their environment; each is asked once."""
    found = []
    for other in psutil.pids():
        if other not in asked:
            try:
                asked[other] = other == pid or mark in psutil.Process(other).environ().values()
            except psutil.Error:
                continue
        if asked[other]:
            try:
                found.append(psutil.Process(other))
            except psutil.NoSuchProcess:
                continue
    return found


def read_with(reader: str, kind: str, path: Path, folder: Path) -> tuple[float, float, int, int, str]:
    code = f"import sys; path, folder = sys.argv[1:]; {READERS[reader][kind]}; print(n)"
    env = os.environ | {
        "PYTHONPATH": str(ROOT),
        "BENCHMARK": str(folder),
        "HF_HUB_OFFLINE": "1",
        "HF_DATASETS_CACHE": str(folder),
    }
    return measure([sys.executable, "-c", code, str(path), str(folder)], env, folder, str(folder))


def import_with(tree: Path, path: Path, folder: Path) -> tuple[float, float, int, int, str]:
    """`slmops datasets import` of the code in `tree`, in a home of its own."""
    command = [sys.executable, "-c", "from backend.cli import main; main()", "datasets", "import", str(path), "--json"]
    env = os.environ | {"PYTHONPATH": str(tree), "SLMOPS_HOME": str(folder), "BENCHMARK": str(folder)}
    return measure([*command, "--input", "text", "--output", "label"], env, folder, str(folder))


def check_seconds(home: Path) -> float:
    """From the template, which is written behind the rows, to the manifest, which is written in the end."""
    for manifest in home.glob("artifacts/dataset/*/manifest.json"):
        return manifest.stat().st_mtime - manifest.with_name("template.json").stat().st_mtime
    return 0.0


def _warm(path: Path) -> None:
    """Reads the file once, so that the page cache is the same for everybody."""
    with path.open("rb") as stream:
        while stream.read(MB):
            pass


def run_case(name: str, scale: float, tree: Path, readers: list[str], parent: Path) -> Iterator[Cost]:
    kind, write = CASES[name]
    with tempfile.TemporaryDirectory(dir=parent, prefix="import-") as made:
        path = Path(made) / f"{name}.{kind}"
        rows = write(path, scale)
        print(f"{name}: {rows:,} rows, {path.stat().st_size / MB:,.0f} MB", file=sys.stderr, flush=True)
        for reader in readers:
            folder = Path(made) / reader
            folder.mkdir()
            _warm(path)
            found = import_with(tree, path, folder) if reader == "slmops" else read_with(reader, kind, path, folder)
            seconds, cpu, peak, code, last = found
            failed = "" if code == 0 else last or str(code)
            checks = round(check_seconds(folder), 2)
            yield Cost(name, reader, rows, round(seconds, 2), round(cpu, 2), peak, failed, checks)
            shutil.rmtree(folder, ignore_errors=True)


def print_table(costs: list[Cost]) -> None:
    pandas = {cost.case: cost.seconds for cost in costs if cost.reader == "pandas"}
    heads = ["file", "rows", "reader", "seconds", "checks s", "x pandas, without checks", "CPU s", "peak memory", ""]
    print(f"| {' | '.join(heads)} |\n|{'---|' * len(heads)}")
    for cost in costs:
        times = f"{(cost.seconds - cost.checks) / pandas[cost.case]:.1f}" if pandas.get(cost.case) else ""
        checks = f"{cost.checks:.1f}" if cost.checks else ""
        cells = [cost.case, f"{cost.rows:,}", cost.reader, f"{cost.seconds:.1f}", checks, times, f"{cost.cpu:.1f}"]
        print(f"| {' | '.join(cells)} | {cost.peak / MB:,.0f} MB | {cost.failed} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0] if __doc__ else "")
    parser.add_argument("cases", nargs="*", help=f"which files of {', '.join(CASES)}; all by default")
    parser.add_argument("--tree", type=Path, default=ROOT, help="the code whose import is measured")
    parser.add_argument("--readers", default="slmops,rows,pandas,polars,pyarrow,duckdb,datasets")
    parser.add_argument("--scale", type=float, default=1.0, help="size of the files, 1 being the whole")
    parser.add_argument("--folder", type=Path, help="where the temporary folder is made")
    parser.add_argument("--json", action="store_true", help="one JSON object a line in place of the table")
    args = parser.parse_args()
    if unknown := set(args.cases) - set(CASES):
        parser.error(f"no such case: {', '.join(sorted(unknown))}")
    readers = [name for name in args.readers.split(",") if name in ("slmops", "rows") or find_spec(name)]
    costs = []
    for name in args.cases or list(CASES):
        for cost in run_case(name, args.scale, args.tree.resolve(), readers, args.folder):
            costs.append(cost)
            if args.json:
                print(json.dumps(asdict(cost)), flush=True)
    if not args.json:
        print_table(costs)


if __name__ == "__main__":
    main()
