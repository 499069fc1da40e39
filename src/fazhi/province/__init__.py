"""
The province in a box 省域模拟数据: a made-up province, the same for the same seed on every machine.

It feeds `./run`, the tests and the benchmarks with units, registers, a year of cases and what was planted in
them. Start at province.py; the shapes are in records.py; files are written by export.py.
"""

from fazhi.province.case_file import case_key, headers
from fazhi.province.divisions import UnknownProvince
from fazhi.province.export import digest, export
from fazhi.province.faulty_files import CASE_FILE_FAULTS, CaseFile, faulty_case_file
from fazhi.province.province import GENERATOR_VERSION, Province, Size
from fazhi.province.records import (
    Account,
    Body,
    Certificate,
    Clue,
    Decision,
    NormativeDocument,
    Officer,
    PowerItem,
    Reconsideration,
    Row,
    Truth,
    Unit,
)

__all__ = [
    "CASE_FILE_FAULTS",
    "GENERATOR_VERSION",
    "Account",
    "Body",
    "CaseFile",
    "Certificate",
    "Clue",
    "Decision",
    "NormativeDocument",
    "Officer",
    "PowerItem",
    "Province",
    "Reconsideration",
    "Row",
    "Size",
    "Truth",
    "Unit",
    "UnknownProvince",
    "case_key",
    "digest",
    "export",
    "faulty_case_file",
    "headers",
]
