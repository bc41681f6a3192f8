"""Training with PaddleDetection's own `Trainer` (extra `paddle`); imports Paddle only when it is called."""

from __future__ import annotations

from .engine import train_with_paddle

__all__ = ["train_with_paddle"]
