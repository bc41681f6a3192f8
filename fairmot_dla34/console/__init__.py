"""Console conventions of all commands: errors and signals, standard streams, logs, progress, summaries.

This file imports nothing, so that `console.guard` is loaded in milliseconds.
"""
