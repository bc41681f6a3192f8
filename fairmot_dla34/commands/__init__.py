"""The command line: one module per verb, with its arguments, its action and its output."""
