"""Glue for PaddleHub: the module decorators and the command ``hub run``."""
