"""A package with two migrations, the second of which takes its time: for tests of kernel.storage.migrate."""
