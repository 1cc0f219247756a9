"""The course's own lines: what is on a photograph of an elephant?"""

import runpy
import subprocess
import sys

import numpy as np
import pytest

from pynn.applications import ResNet50, imagenet_utils

pytest.importorskip("h5py")
image = pytest.importorskip("PIL.Image")

SNIPPET = """\
from tensorflow.keras.applications.resnet50 import ResNet50
from tensorflow.keras.preprocessing import image
from tensorflow.keras.applications.resnet50 import preprocess_input, decode_predictions
import numpy as np

model = ResNet50(weights='resnet50.h5')

img_path = 'elephant.jpg'
img = image.load_img(img_path, target_size=(224, 224))
x = image.img_to_array(img)
x = np.expand_dims(x, axis=0)
x = preprocess_input(x)

preds = model.predict(x)
# decode the results into a list of tuples (class, description, probability)
# (one such list for each sample in the batch)
print('Predicted:', decode_predictions(preds, top=3)[0])
"""
NAMES = "[(f'n{i:08d}', f'class_{i}') for i in range(1000)]"
#: The class index is a download, too: stands in for it, then runs the script as ``python -m pynn.compat`` does.
WITH_COMPAT = f"""\
from pynn.applications import imagenet_utils
imagenet_utils._classes = lambda: {NAMES}
from pynn.compat.running import main
main(["snippet.py"])
"""


def test_it_runs_with_other_imports_and_unchanged(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(imagenet_utils, "_classes", lambda: eval(NAMES))
    model = ResNet50(weights=None)
    model.save_weights("resnet50.h5")
    pixels = np.random.default_rng(0).integers(0, 256, (240, 300, 3)).astype("uint8")
    image.fromarray(pixels).save("elephant.jpg")
    with image.open("elephant.jpg") as photo:
        x = np.asarray(photo.resize((224, 224), image.Resampling.NEAREST), "float32")[None]
    # Blue, green, red, without the mean of each.
    predictions = model.predict(x[..., ::-1] - np.float32([103.939, 116.779, 123.68]), verbose=0)[0]
    best = np.argsort(predictions)[::-1][:3]

    def expected(line):
        found = eval(line.removeprefix("Predicted:"), {"np": np})
        assert [f[:2] for f in found] == [(f"n{i:08d}", f"class_{i}") for i in best]
        np.testing.assert_allclose([f[2] for f in found], predictions[best], rtol=1e-4)

    (tmp_path / "changed.py").write_text(SNIPPET.replace("tensorflow.keras", "pynn"))
    runpy.run_path("changed.py", run_name="__main__")
    expected(capsys.readouterr().out.splitlines()[-1])

    (tmp_path / "snippet.py").write_text(SNIPPET)
    run = subprocess.run([sys.executable, "-c", WITH_COMPAT], capture_output=True, text=True, timeout=120)
    assert run.returncode == 0, run.stderr
    expected(run.stdout.splitlines()[-1])
