"""The words and laws of the office in pure Python: no Django models, no database, no files."""
