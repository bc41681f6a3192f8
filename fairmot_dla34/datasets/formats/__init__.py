"""Readers of published label formats."""
