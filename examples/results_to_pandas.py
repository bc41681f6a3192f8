"""Makes a pandas table of the tracks, and how long each person was seen: python results_to_pandas.py street.mp4."""

import sys

from fairmot_dla34 import FairMOT
from fairmot_dla34.interop import to_dataframe

with FairMOT("sample") as model:
    table = to_dataframe(model.track(sys.argv[1]))
table.to_csv("tracks.csv", index=False)
seen = table.groupby("id")["time_s"].agg(first_s="min", last_s="max")
seen["frames"] = table.groupby("id")["frame"].nunique()
print(seen.sort_values("frames", ascending=False))
print("largest number of people in one frame:", table.groupby("frame")["id"].nunique().max())
