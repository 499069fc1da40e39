"""Tests of the whole platform; the folders are listed in README.md."""
