"""Preparation of datasets: checks, identities, parts, files."""
