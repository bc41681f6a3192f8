"""Batches of random crops for the training."""
