"""Review 指标审核: who scores which self-report, twice blind on a sample, and how far they agree."""
