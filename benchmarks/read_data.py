"""Seconds and peak memory of reading one large file, beside the libraries' own readers.

usage: python -m benchmarks.read_data [--mb 300] [--rows N] [--columns 4] [--formats csv,jsonl] [--only NAME]

The data is generated here. Every reader runs in a child process of its own, one after the other; `slmops` opens the file (which
finds format, encoding, dialect and all columns) and walks through all records, the others read the file as they do by default.
Peak memory is that of the child, its imports included.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

WORDS = (
    "the",
    "order",
    "arrived",
    "late",
    "and",
    "a",
    "box",
    "was",
    "wet",
    "please",
    "send",
    "new",
    "one",
    "for",
    "my",
    "garden",
)
LABELS = ("delivery", "quality", "price", "praise")


def slmops(path: Path) -> int:
    from backend.data.reader import open_source
    from backend.data.row_errors import RowErrors

    return sum(1 for _ in open_source(path).records(RowErrors(path.name)))


def pandas(path: Path) -> int:
    import pandas

    return len(pandas.read_csv(path) if path.suffix == ".csv" else pandas.read_json(path, lines=True))


def pandas_pyarrow(path: Path) -> int:
    import pandas

    return len(pandas.read_csv(path, engine="pyarrow") if path.suffix == ".csv" else [])


def pyarrow(path: Path) -> int:
    import pyarrow.csv
    import pyarrow.json

    read = pyarrow.csv.read_csv if path.suffix == ".csv" else pyarrow.json.read_json
    return int(read(path).num_rows)


def pyarrow_dicts(path: Path) -> int:
    """In blocks, with a dict per row, as the studio needs them."""
    import pyarrow.csv
    import pyarrow.json

    opened = pyarrow.csv.open_csv(path) if path.suffix == ".csv" else pyarrow.json.open_json(path)
    return sum(len(batch.to_pylist()) for batch in opened)


def duckdb(path: Path) -> int:
    import duckdb

    read = "read_csv" if path.suffix == ".csv" else "read_json"
    found = duckdb.connect().execute(f"create table t as select * from {read}('{path}')").fetchone()
    return int(found[0]) if found else 0


READERS: dict[str, Callable[[Path], int]] = {
    each.__name__: each for each in (slmops, pandas, pandas_pyarrow, pyarrow, pyarrow_dicts, duckdb)
}


def generate(path: Path, rows: int, size: int, columns: int) -> int:
    """Writes at most `rows` rows or `size` bytes; returns the number of rows."""
    source, count, written = random.Random(1), 0, 0
    names = ["id", "text", "label", *(f"extra_{number}" for number in range(columns - 3))]
    with path.open("w", encoding="utf-8") as out:
        if path.suffix == ".csv":
            out.write(",".join(names) + "\n")
        while written < size and count < rows:
            text = " ".join(source.choices(WORDS, k=24)) + ", order " + str(count)
            extra = [str(source.random())[:8] for _ in range(columns - 3)]
            if path.suffix == ".csv":
                line = f'{count},"{text}",{LABELS[count % 4]}{"".join("," + value for value in extra)}\n'
            else:
                values = dict(zip(names, [count, text, LABELS[count % 4], *extra], strict=True))
                line = json.dumps(values) + "\n"
            out.write(line)
            written += len(line)
            count += 1
    return count


def measure(name: str, path: Path) -> dict[str, float]:
    """In a child process: rows, seconds of work and CPU, peak memory in MB."""
    code = [sys.executable, "-m", "benchmarks.read_data", "--child", name, "--path", str(path)]
    done = subprocess.run(code, capture_output=True, text=True, check=False)
    if done.returncode:
        return {"failed": 1}
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def child(name: str, path: Path) -> None:
    start, cpu = time.perf_counter(), time.process_time()
    rows = READERS[name](path)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    seconds, used = time.perf_counter() - start, time.process_time() - cpu
    print(json.dumps({"rows": rows, "seconds": round(seconds, 2), "cpu": round(used, 2), "peak_mb": round(peak)}))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mb", type=int, default=300)
    parser.add_argument("--rows", type=int, default=10**9)
    parser.add_argument("--columns", type=int, default=4)
    parser.add_argument("--formats", default="csv,jsonl")
    parser.add_argument("--only", default="")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    parser.add_argument("--path", type=Path, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.child:
        return child(args.child, args.path)
    with tempfile.TemporaryDirectory() as folder:
        for suffix in args.formats.split(","):
            path = Path(folder, f"rows.{suffix}")
            rows = generate(path, args.rows, args.mb * 1_000_000, args.columns)
            print(f"{path.name}: {rows:,} rows, {path.stat().st_size / 1e6:.0f} MB", flush=True)
            for name in READERS:
                if args.only in name:
                    print(f"  {name:16} {measure(name, path)}", flush=True)
            path.unlink()


if __name__ == "__main__":
    main()
