"""How bytes become rows: limits first, then encoding or workbook; nothing here knows what a case is."""
