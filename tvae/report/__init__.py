"""The report: numbers to the record, the record to claims, tables, figures, players and the playground."""
