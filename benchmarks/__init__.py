"""Speed and memory, as ratios to the straightforward way in the same run. docs/performance.md reads the figures."""
