"""Images in files and in arrays."""

from pynn.utils.images import array_to_img as array_to_img
from pynn.utils.images import img_to_array as img_to_array
from pynn.utils.images import load_img as load_img
from pynn.utils.images import save_img as save_img
from pynn.utils.images import smart_resize as smart_resize
