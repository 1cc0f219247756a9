"""Texts as numbers, as Keras 2 did it: :mod:`pynn.legacy.text`."""

from pynn.legacy.text import Tokenizer as Tokenizer
from pynn.legacy.text import hashing_trick as hashing_trick
from pynn.legacy.text import one_hot as one_hot
from pynn.legacy.text import text_to_word_sequence as text_to_word_sequence
from pynn.legacy.text import tokenizer_from_json as tokenizer_from_json
