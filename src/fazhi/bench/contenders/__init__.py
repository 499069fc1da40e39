"""The contenders' own processes, one file each; `fazhi.bench.flows` fills and watches them."""
