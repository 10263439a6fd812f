"""A second opinion on recordings: nothing here imports `cta`.

The oracle reads a recording's raw lines, the network's CSV files and the scenario in the recording's header, and works
out for itself what must hold: `judge.judge(path)` gives the figures and the board it found and what is wrong, each
violation with the line it stands on. A check is a function of a `Case` that returns violations, as in Jepsen: history
in, violations out.
"""
