"""Training targets, and the losses of a network against them."""
