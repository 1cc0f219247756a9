"""Feeding arrays to compiled steps: rows in, batch out, converted on the way."""
