"""Tests of batch norm for training: statistics as Paddle keeps them, over one process and over several."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.train

CHANNELS = 3


def make_norm(dtype: Any = torch.float64) -> Any:
    from fairmot_dla34.training.network.norms import Norm

    generator = torch.Generator().manual_seed(1)
    weight, bias = (torch.rand(CHANNELS, generator=generator, dtype=dtype).requires_grad_() for _ in range(2))
    return Norm(weight, bias, torch.zeros(CHANNELS, dtype=dtype), torch.ones(CHANNELS, dtype=dtype))


def batch(dtype: Any = torch.float64) -> Any:
    generator = torch.Generator().manual_seed(2)
    return torch.randn(5, CHANNELS, 4, 3, generator=generator, dtype=dtype) * 2 + 1


def test_running_statistics_move_a_tenth_towards_the_biased_ones_of_the_batch() -> None:
    from fairmot_dla34.training.network.norms import batch_norm

    norm, x = make_norm(), batch()
    y = batch_norm(x, norm)
    variance, mean = torch.var_mean(x, dim=(0, 2, 3), correction=0)
    torch.testing.assert_close(norm.mean, 0.1 * mean)
    torch.testing.assert_close(norm.variance, 0.9 + 0.1 * variance)
    normalised = (x - mean[:, None, None]) / torch.sqrt(variance + 1e-5)[:, None, None]
    torch.testing.assert_close(y, normalised * norm.weight[:, None, None] + norm.bias[:, None, None])


def test_one_value_per_channel_is_the_bias() -> None:
    """32x32 px in a batch of one; PyTorch's own batch norm refuses it."""
    from fairmot_dla34.training.network.norms import batch_norm

    norm = make_norm()
    y = batch_norm(torch.full((1, CHANNELS, 1, 1), 7.0, dtype=torch.float64), norm)
    torch.testing.assert_close(y[0, :, 0, 0], norm.bias)


def test_a_frozen_norm_keeps_and_uses_the_running_statistics() -> None:
    from fairmot_dla34.training.network.norms import frozen_norm

    norm, x = make_norm(), batch()
    norm.mean.fill_(0.5)
    y = frozen_norm(x, norm)
    torch.testing.assert_close(norm.mean, torch.full_like(norm.mean, 0.5))
    expected = (x - 0.5) / np.sqrt(1 + 1e-5) * norm.weight[:, None, None] + norm.bias[:, None, None]
    torch.testing.assert_close(y, expected)


def step(x: Any, weights: Any, function: Any) -> dict[str, Any]:
    """Return result, gradients and running statistics of a step whose loss weighs every number differently."""
    norm, x = make_norm(x.dtype), x.clone().requires_grad_()
    y = function(x, norm)
    (y * weights).sum().backward()
    gradients = {"x": x.grad, "weight": norm.weight.grad, "bias": norm.bias.grad}
    return {"y": y.detach(), "mean": norm.mean, "variance": norm.variance, **gradients}


def run_process(rank: int, folder: str, dtype: Any) -> None:
    """Compute one of two processes' shares of a batch of five: two images, or three."""
    from torch import distributed

    from fairmot_dla34.training.network.norms import synchronised_batch_norm

    torch.set_num_threads(1)
    distributed.init_process_group("gloo", init_method=f"file://{folder}/meeting", rank=rank, world_size=2)
    share = slice(0, 2) if rank == 0 else slice(2, 5)
    x = batch(dtype)
    results = step(x[share], weights_of(x)[share], synchronised_batch_norm)
    torch.save(results, f"{folder}/{rank}.pt")
    distributed.barrier()
    distributed.destroy_process_group()


def weights_of(x: Any) -> Any:
    return torch.linspace(-1, 2, x.numel(), dtype=x.dtype).reshape(x.shape) ** 3


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-12), (torch.float32, 1e-6)])
def test_two_processes_equal_one_with_the_whole_batch(tmp_path: Path, dtype: Any, tolerance: float) -> None:
    from fairmot_dla34.training.network.norms import batch_norm

    torch.multiprocessing.spawn(run_process, args=(str(tmp_path), dtype), nprocs=2)
    parts = [torch.load(tmp_path / f"{rank}.pt") for rank in range(2)]
    x = batch(dtype)
    whole = step(x, weights_of(x), batch_norm)
    joined = {
        **{name: torch.cat([part[name] for part in parts]) for name in ("y", "x")},
        **{name: parts[0][name] + parts[1][name] for name in ("weight", "bias")},
        **{name: parts[1][name] for name in ("mean", "variance")},
    }
    for name, expected in whole.items():
        difference = (joined[name] - expected).abs().max() / expected.abs().max()
        assert difference < tolerance, name
    torch.testing.assert_close(parts[0]["variance"], parts[1]["variance"], rtol=0, atol=0)
