"""Self-report 指标填报: what units say of themselves where the platform has no data of its own."""
