"""``keras.ops.image``: functions of images, on arrays, traced values and symbolic tensors."""

from pynn.graph.symbolic import make_callable_on_everything as _make_callable_on_everything
from pynn.ops.affine import affine_transform as affine_transform
from pynn.ops.images import crop_images as crop_images
from pynn.ops.images import extract_patches as extract_patches
from pynn.ops.images import hsv_to_rgb as hsv_to_rgb
from pynn.ops.images import pad_images as pad_images
from pynn.ops.images import resize as resize
from pynn.ops.images import rgb_to_grayscale as rgb_to_grayscale
from pynn.ops.images import rgb_to_hsv as rgb_to_hsv

_make_callable_on_everything(globals())
