"""How TensorBoard serves a large log with the plugin: a logdir of 50 runs × 200 layers × 1,000 steps.

``python -m benchmarks.serving [--runs 50] [--loader fast|python]`` prints

- the times in which the tab's routes answer while 8 clients ask at once, as the tab asks: the list of runs, columns and
  scalars of all snapshots, matrices and trees of layers; median and 95th percentile, target ≤ 300 ms;
- the largest reply of each kind, and what the processes hold in memory before and after;
- cold start: seconds from the command to the first answer of ``tensorboard``, with the plugin installed over without
  it, the fastest of interleaved runs, target ≤ 1.05 ×.

Each run's file is the same; what is measured is reading and serving, not the numbers. Nothing here is a test: a target
that is missed is printed as MISS.
"""

from __future__ import annotations

import argparse
import gzip
import importlib.metadata
import json
import os
import random
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from benchmarks.synthetic_log import Size, layer_table, write

CLIENTS = 8
REQUESTS = 40
STARTS = 12
SIZE = Size(layers=200, snapshots=1_000, heavy_snapshots=12, all_columns=True)
# Takes the entry point of this package out, as if it were not installed.
WITHOUT = """
import importlib.metadata as metadata
found = metadata.entry_points
class Others:
    def select(self, **wanted):
        return [e for e in found(**wanted) if not e.value.startswith("tb_cnndiag")]
metadata.entry_points = lambda **wanted: Others().select(**wanted) if wanted else Others()
"""


def logs(home: Path, runs: int) -> int:
    """Write one run and link its file into the others; MB in all."""
    size = write(home / "run_00", SIZE)
    (file,) = (home / "run_00" / "cnndiag").iterdir()
    for number in range(1, runs):
        directory = home / f"run_{number:02}" / "cnndiag"
        directory.mkdir(parents=True)
        os.link(file, directory / file.name)
    return runs * size // 1_000_000


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@contextmanager
def tensorboard(logdir: Path, *flags: str, plugin: bool = True) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    port = free_port()
    code = ("" if plugin else WITHOUT) + "from tensorboard.main import run_main\nrun_main()\n"
    command = [sys.executable, "-c", code, "--logdir", str(logdir), "--port", str(port), *flags]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield f"http://127.0.0.1:{port}/data", process
    finally:
        process.terminate()
        process.wait()


def get(url: str) -> bytes:
    """The body as it comes over the wire: compressed, as browsers ask for it."""
    request = urllib.request.Request(url, headers={"Accept-Encoding": "gzip"})
    with urllib.request.urlopen(request, timeout=120) as answer:
        return bytes(answer.read())


def plain(body: bytes) -> bytes:
    return gzip.decompress(body) if body[:2] == b"\x1f\x8b" else body


def first_answer(url: str) -> bytes:
    deadline = time.monotonic() + 300
    while True:
        try:
            return get(url)
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.005)


def cold_start(logdir: Path) -> tuple[dict[bool, float], dict[bool, float]]:
    """Seconds to the first answer, of the clock and of the processor, at the fastest: with the plugin and without.

    What else the machine does can only add to them.
    """
    times: dict[bool, list[float]] = {True: [], False: []}
    busy: dict[bool, list[float]] = {True: [], False: []}
    for round_ in range(STARTS + 1):
        for plugin in (True, False) if round_ % 2 else (False, True):
            begin = time.perf_counter()
            with tensorboard(logdir, plugin=plugin) as (url, process):
                listing = json.loads(plain(first_answer(f"{url}/plugins_listing")))
                took = time.perf_counter() - begin
                user, system = Path(f"/proc/{process.pid}/stat").read_text().split()[13:15]
            assert ("cnndiag" in listing) == plugin
            if round_:  # the first only warms the disk
                times[plugin].append(took)
                busy[plugin].append((int(user) + int(system)) / os.sysconf("SC_CLK_TCK"))
    return {plugin: min(values) for plugin, values in times.items()}, {p: min(values) for p, values in busy.items()}


def memory(process: subprocess.Popen[bytes]) -> dict[str, float]:
    """MB of TensorBoard and of its data server."""
    found = {"tensorboard": _resident(process.pid)}
    for child in Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split():
        found["data server"] = found.get("data server", 0.0) + _resident(int(child))
    return found


def _resident(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) * 1024 / 1e6


def questions(runs: int, seed: int) -> Iterator[tuple[str, str]]:
    """(kind, path) as a tab asks: the overview of a run, then layers of it."""
    rng = random.Random(seed)
    layers = [layer.path for layer in layer_table(SIZE)]
    columns = [(info.name, column.name) for info in SIZE.diagnostics() for column in info.columns]

    def ask(tag: str, **more: str) -> str:
        return "measurements?" + urlencode({"run": f"run_{rng.randrange(runs):02}/cnndiag", "tag": tag, **more})

    while True:
        kind = rng.choice(["runs", "all columns", "one column", "scalars", "matrix", "tree", "states", "last snapshot"])
        diagnostic, column = rng.choice(columns)
        layer = rng.choice(layers)
        yield (
            kind,
            {
                "runs": "runs",
                "all columns": ask(f"cnndiag/{diagnostic}"),
                "one column": ask(f"cnndiag/{diagnostic}", column=column),
                "scalars": ask("cnndiag/training_curve"),
                "matrix": ask(f"cnndiag/filter_similarity/{layer}"),
                "tree": ask(f"cnndiag/filter_clusters/{layer}"),
                "states": ask(f"cnndiag/dead_units/{layer}"),
                "last snapshot": ask(f"cnndiag/filter_similarity/{layer}", max="1"),
            }[kind],
        )


def asked(url: str, runs: int, clients: int) -> tuple[dict[str, list[float]], dict[str, int]]:
    """Seconds of each answer and the largest reply, by kind."""
    times: dict[str, list[float]] = defaultdict(list)
    largest: dict[str, int] = defaultdict(int)
    lock = threading.Lock()

    def client(seed: int) -> None:
        for _, (kind, path) in zip(range(REQUESTS), questions(runs, seed), strict=False):
            begin = time.perf_counter()
            size = len(get(f"{url}/plugin/cnndiag/{path}"))
            with lock:
                times[kind].append(time.perf_counter() - begin)
                largest[kind] = max(largest[kind], size)

    threads = [threading.Thread(target=client, args=(seed,)) for seed in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return times, largest


def percentile(values: list[float], share: float) -> float:
    return sorted(values)[min(int(share * len(values)), len(values) - 1)]


def loaded(url: str, runs: int) -> float:
    """Seconds until all runs are there with all their snapshots."""
    begin = time.perf_counter()
    last = (SIZE.snapshots - 1) * 10

    def complete(found: Any) -> bool:
        return len(found) == runs and all(any(tag["max_step"] == last for tag in run["tags"]) for run in found)

    while not complete(json.loads(plain(first_answer(f"{url}/plugin/cnndiag/runs")))["runs"]):
        time.sleep(0.5)
    return time.perf_counter() - begin


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=50)
    parser.add_argument("--loader", choices=["fast", "python"], default="fast")
    options = parser.parse_args()
    assert any(e.value.startswith("tb_cnndiag") for e in importlib.metadata.entry_points(group="tensorboard_plugins"))
    home = Path(tempfile.mkdtemp())
    try:
        total = logs(home / "logs", options.runs)
        print(
            f"{options.runs} runs × {SIZE.layers} layers × {SIZE.snapshots:,} snapshots: {total:,} MB, "
            f"{options.loader} loader"
        )
        flags = ["--load_fast=" + ("true" if options.loader == "fast" else "false")]
        with tensorboard(home / "logs", *flags) as (url, process):
            print(f"  loaded after {loaded(url, options.runs):.1f} s")
            before = memory(process)
            for clients in (1, CLIENTS):
                times, largest = asked(url, options.runs, clients)
                print(f"  {clients} client{'s' * (clients > 1)}:       median      p95   largest reply")
                for kind in sorted(times):
                    middle, late = statistics.median(times[kind]), percentile(times[kind], 0.95)
                    print(f"    {kind:13} {middle * 1e3:7.0f} ms {late * 1e3:5.0f} ms {largest[kind] / 1e6:8.2f} MB")
                everything = [value for values in times.values() for value in values]
                late = percentile(everything, 0.95)
                verdict = f"target ≤ 300 ms  {'PASS' if late <= 0.3 else 'MISS'}" if clients == CLIENTS else ""
                print(f"    {'all':13} {statistics.median(everything) * 1e3:7.0f} ms {late * 1e3:5.0f} ms   {verdict}")
            after = memory(process)
            for name, megabytes in after.items():
                print(f"  memory of {name}: {before[name]:.0f} MB loaded, {megabytes:.0f} MB after these requests")
        (home / "small").mkdir()
        shutil.copytree(home / "logs" / "run_00", home / "small" / "run")
        took, busy = cold_start(home / "small")
        ratio = took[True] / took[False]
        print(f"cold start: {took[True]:.3f} s with the plugin, {took[False]:.3f} s without: {ratio:.3f} ×")
        print(f"  of the processor {busy[True]:.2f} s and {busy[False]:.2f} s: {busy[True] / busy[False]:.3f} ×")
        print(f"  target ≤ 1.05 ×  {'PASS' if ratio <= 1.05 else 'MISS'}")
    finally:
        shutil.rmtree(home, ignore_errors=True)


if __name__ == "__main__":
    main()
