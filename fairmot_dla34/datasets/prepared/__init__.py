"""Reading of prepared datasets, with checks."""
