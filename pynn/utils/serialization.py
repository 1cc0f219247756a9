"""What families of objects (losses, initializers ...) need for their ``serialize``, ``deserialize`` and ``get``.

The work is done in :mod:`pynn.saving.serialization`, in one way for all of them.
"""

from pynn.saving.serialization import custom_named as custom_named
from pynn.saving.serialization import deserialize_object as deserialize_object
from pynn.saving.serialization import serialize_object as serialize_object
