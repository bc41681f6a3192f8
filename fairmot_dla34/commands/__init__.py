"""The command line: one module per verb, each with its parser, its action and its output."""
