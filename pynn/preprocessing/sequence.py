"""Sequences of different lengths."""

from pynn.utils.pad_sequences import pad_sequences as pad_sequences
