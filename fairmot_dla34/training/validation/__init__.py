"""Validation of a network: tracking scores, detection AP, identity retrieval, sample images."""
