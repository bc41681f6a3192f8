"""Degradation of training images as cameras degrade them."""
