"""Registers 执法主体、执法人员、执法证件、权责清单: who may enforce what, on which day."""
