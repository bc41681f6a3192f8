"""Library of people and things cut out with masks, and of backgrounds without people."""
