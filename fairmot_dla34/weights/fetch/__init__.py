"""Downloads of registered weights: locations, transfers, partial files and verification."""
