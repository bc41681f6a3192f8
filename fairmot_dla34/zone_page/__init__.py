"""A local page on which lines and zones are drawn on a frame and saved as a file for `AnalyticsConfig.from_toml`."""
