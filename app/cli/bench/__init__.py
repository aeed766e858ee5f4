"""`comptoir bench`: how fast it is, each figure beside its floor of the same run. See docs/benchmarks.md."""
