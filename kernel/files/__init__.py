"""
Files handed in by people: checked in quarantine, parsed by a child process, kept by digest (R45, R46).

Start at intake.py; kinds.py is the allow-list, package.py the limits on ZIP packages, reading.py what the child does.
Tables are read by workbook.py, after sheet_scan.py has looked for what a reader would not see (R48).
"""
