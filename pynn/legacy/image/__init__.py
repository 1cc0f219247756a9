"""Pictures varied at random while they are read, as Keras 2 did it: ``keras.preprocessing.image``."""

from pynn.legacy.image.generator import ImageDataGenerator as ImageDataGenerator
from pynn.legacy.image.iterators import DataFrameIterator as DataFrameIterator
from pynn.legacy.image.iterators import DirectoryIterator as DirectoryIterator
from pynn.legacy.image.iterators import ImageIterator as Iterator
from pynn.legacy.image.iterators import NumpyArrayIterator as NumpyArrayIterator
from pynn.legacy.image.transforms import apply_affine_transform as apply_affine_transform
from pynn.legacy.image.transforms import apply_brightness_shift as apply_brightness_shift
from pynn.legacy.image.transforms import apply_channel_shift as apply_channel_shift
from pynn.legacy.image.transforms import random_brightness as random_brightness
from pynn.legacy.image.transforms import random_channel_shift as random_channel_shift
from pynn.legacy.image.transforms import random_rotation as random_rotation
from pynn.legacy.image.transforms import random_shear as random_shear
from pynn.legacy.image.transforms import random_shift as random_shift
from pynn.legacy.image.transforms import random_zoom as random_zoom

__all__ = [
    "DataFrameIterator",
    "DirectoryIterator",
    "ImageDataGenerator",
    "Iterator",
    "NumpyArrayIterator",
    "apply_affine_transform",
    "apply_brightness_shift",
    "apply_channel_shift",
    "random_brightness",
    "random_channel_shift",
    "random_rotation",
    "random_shear",
    "random_shift",
    "random_zoom",
]
