"""Fixed text of model cards: meaning of the scores, licence and limits."""

from __future__ import annotations

HOW_TO_READ = """\
All figures but the number of ID switches are per cent. Fewer ID switches and more of the others are better. The best
weights were chosen on the validation data, so these scores are higher than those to expect on other data. Measure with
`fairmot_dla34 eval` on labelled images that neither training nor validation used."""

LICENCE = """\
Weights inherit the conditions of the data, of the start weights and of the teacher that made them. Many datasets, those
of MOTChallenge among them, allow research and other non-commercial use only. Before you pass these weights on or use
them in a product, check the licence of every dataset above, of the start weights and of the teacher; write it here."""

LIMITS = """\
If the weights were measured, then on the validation data above and on nothing else. Other cameras, places, light,
weather, crowds and clothes give other scores. They were not tested for equal results across skin colour, age, body or
dress. Do not base a decision about a person on them."""

HOW_TO_USE = """\
`--input-size` overrides the size above, which the file states. `eval` scores the results, `export` and `quantize` take
the file as it is, and so does PaddleDetection."""
