"""Pasting of cut-outs into training images, with labels."""
