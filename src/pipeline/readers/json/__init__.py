"""JSON files of any layout as records: where each record begins and ends, what is damaged, and typed columns."""
