"""Side-by-side timings of voxtrail, the reference predictor and transformers' own session."""

from voxtrail.bench.plan import PEERS, BenchPlan, best_precision
from voxtrail.bench.run import run_bench
from voxtrail.bench.table import write_table

__all__ = ["PEERS", "BenchPlan", "best_precision", "run_bench", "write_table"]
