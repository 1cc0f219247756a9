"""``keras.random``: random numbers from seeds, on arrays and inside of steps."""

from pynn.layers.seed_generator import SeedGenerator as SeedGenerator
from pynn.random.draws import beta as beta
from pynn.random.draws import binomial as binomial
from pynn.random.draws import categorical as categorical
from pynn.random.draws import dropout as dropout
from pynn.random.draws import gamma as gamma
from pynn.random.draws import normal as normal
from pynn.random.draws import randint as randint
from pynn.random.draws import shuffle as shuffle
from pynn.random.draws import truncated_normal as truncated_normal
from pynn.random.draws import uniform as uniform
