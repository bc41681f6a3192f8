"""Batches of varied images, made ahead in threads."""
