"""A loop that two processes of torch run alike, under DistributedDataParallel; run by test_devices.py."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import keras
import numpy as np
import torch
from torch import distributed

from tb_cnndiag import CNNDiagnostics
from tests.models import images, plain

STEPS = 6


def train(log_dir: Path | None, rank: int, processes: int) -> list[Any]:
    keras.utils.set_random_seed(1)
    x, y = images(np.random.default_rng(0))
    mine = slice(rank, None, processes)
    part_x, part_y = torch.as_tensor(x[mine]), torch.as_tensor(y[mine])
    net = plain()
    parallel = torch.nn.parallel.DistributedDataParallel(net) if processes > 1 else net
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1)

    def step() -> None:
        optimizer.zero_grad()
        torch.nn.functional.nll_loss(torch.log(parallel(part_x)), part_y).backward()
        optimizer.step()

    if log_dir is None:
        for _ in range(STEPS):
            step()
    else:
        ours = CNNDiagnostics(log_dir, probe=(x, y), update_freq=2, budget=None, verbose=0, on_finding=lambda _: None)
        with ours.watch(net=net, optimizers=[optimizer]) as watched:
            for number in range(STEPS):
                if processes > 1 and rank == 1 and number == int(os.environ.get("DIES_AT", "-1")):
                    os._exit(3)
                step()
                watched.step({})
    return list(net.get_weights())


def main() -> None:
    home, rank, processes = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    torch.set_num_threads(1)
    if processes > 1:
        distributed.init_process_group("gloo", init_method=f"file://{home / 'rendezvous'}", rank=rank, world_size=2)
    if "DIES_AT" in os.environ:
        train(home / "log", rank, processes)
        return
    bare = train(None, rank, processes)
    watched = train(home / "log", rank, processes)
    assert all(np.array_equal(a, b) for a, b in zip(bare, watched, strict=True))
    if processes > 1:
        distributed.destroy_process_group()


main()
