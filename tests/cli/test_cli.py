"""The command ``pynn`` as people run it: a process, its output and its exit code."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import pynn
from pynn.cli import main
from pynn.cli.train import read_history

ROOT = Path(pynn.__file__).parent.parent


def command(*arguments, data=None, folder=None, code=0):
    """Run ``python -m pynn``; gives (stdout, stderr)."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYNN_THREADS": "1"}
    if data is not None:
        environment["PYNN_DATA_DIR"] = str(data)
    done = subprocess.run(
        [sys.executable, "-m", "pynn", *map(str, arguments)],
        capture_output=True, text=True, env=environment, cwd=folder, timeout=240, check=False,
    )  # fmt: skip
    assert done.returncode == code, done.stderr
    return done.stdout, done.stderr


@pytest.fixture
def drawn(monkeypatch):
    """Drawn digits as MNIST, in this process."""
    (x, y), (x_test, y_test) = pynn.datasets.synthetic_digits()
    monkeypatch.setattr(pynn.datasets.mnist, "load_data", lambda: ((x[:600], y[:600]), (x_test[:200], y_test[:200])))


def test_help_names_the_commands():
    out, _ = command("--help")
    for name in ("summary", "predict", "train", "bench"):
        assert name in out


def test_summary_prints_the_layers():
    out, _ = command("summary", "vgg16", "--no-top")
    assert "block5_conv3 (Conv2D)" in out
    assert "Total params: 14,714,688" in out


def test_an_unknown_name_is_one_line_with_a_suggestion():
    out, error = command("summary", "MobilNet", code=1)
    assert out == ""
    assert error.startswith("pynn summary: there is no network 'MobilNet'; did you mean MobileNet")
    assert error.count("\n") == 1


def test_without_a_command_the_usage_is_shown():
    _, error = command(code=2)
    assert "usage: pynn" in error


def test_traceback_on_request(capsys):
    assert main(["--traceback", "summary", "nothing.keras"]) == 1
    error = capsys.readouterr().err
    assert "Traceback" in error
    assert "there is no file nothing.keras" in error


def test_arguments_of_the_network(capsys):
    assert main(["summary", "MobileNet", "--set", "alpha=0.25", "--classes", "7", "--input-shape", "64x64x3"]) == 0
    out = capsys.readouterr().out
    model = pynn.applications.MobileNet(alpha=0.25, classes=7, input_shape=(64, 64, 3), weights=None)
    assert f"Total params: {model.count_params():,}" in out
    assert main(["summary", "VGG16", "--set", "alpha=1"]) == 1
    assert "VGG16 has no argument 'alpha'; it has include_top" in capsys.readouterr().err


@pytest.mark.parametrize("setting", ["alpha", "=3", "a b=1"])
def test_settings_are_names_and_values(setting, capsys):
    with pytest.raises(SystemExit, match="2"):
        main(["summary", "VGG16", "--set", setting])
    assert "expected NAME=VALUE" in capsys.readouterr().err


@pytest.fixture
def photographs(tmp_path):
    image = pytest.importorskip("PIL.Image")
    rng = np.random.default_rng(0)
    for name in ("one.png", "two.jpg"):
        image.fromarray(rng.integers(0, 256, (40, 50, 3), dtype=np.uint8)).save(tmp_path / name)
    (tmp_path / "cut.jpg").write_bytes((tmp_path / "two.jpg").read_bytes()[:900])
    return tmp_path


def small_model(folder):
    pynn.utils.set_random_seed(0)
    model = pynn.Sequential([
        pynn.Input((16, 16, 3)), pynn.layers.Rescaling(1 / 255), pynn.layers.Flatten(),
        pynn.layers.Dense(3, activation="softmax"),
    ])  # fmt: skip
    model.save(folder / "small.keras")
    return model


def test_predict_shows_a_table_for_each_image(photographs):
    model = small_model(photographs)
    (photographs / "names.txt").write_text("cat\ndog\nhamster\n")
    out, error = command(
        "predict", "--model", "small.keras", "--class-names", "names.txt", "--top", 2, "one.png", "two.jpg",
        folder=photographs,
    )  # fmt: skip
    assert error == ""
    lines = out.splitlines()
    assert [line for line in lines if not line.startswith(" ")] == ["one.png", "two.jpg"]
    image = pynn.utils.img_to_array(pynn.utils.load_img(photographs / "one.png", target_size=(16, 16)))
    answers = np.asarray(model.predict(image[None], verbose=0))[0]
    expected = [("cat", "dog", "hamster")[i] for i in np.argsort(answers)[::-1][:2]]
    assert [re.split(r" {2,}", line.strip())[1] for line in lines[1:3]] == expected
    assert lines[1].strip().startswith(f"{answers.max():.2%}")


def test_predict_names_bad_images_and_shows_the_others(photographs):
    small_model(photographs)
    out, error = command(
        "predict", "--model", "small.keras", "cut.jpg", "one.png", "gone.png", folder=photographs, code=1
    )
    assert "cut.jpg: not a whole image" in error
    assert "gone.png: there is no such file" in error
    assert "Traceback" not in error
    assert out.startswith("one.png\n")
    assert "class 1" in out


def test_predict_checks_the_number_of_names(photographs, capsys):
    small_model(photographs)
    (photographs / "names.json").write_text(json.dumps(["a", "b"]))
    arguments = ["predict", "--model", photographs / "small.keras", "--class-names", photographs / "names.json"]
    assert main([*map(str, arguments), str(photographs / "one.png")]) == 1
    assert "has 2 names, but" in capsys.readouterr().err


def test_predict_says_which_weights_do_not_fit(photographs, capsys):
    pynn.applications.MobileNet(alpha=0.25, weights=None).save_weights(photographs / "quarter.weights.h5")
    arguments = ["predict", "--model", "MobileNet", "--weights", str(photographs / "quarter.weights.h5")]
    assert main([*arguments, str(photographs / "one.png")]) == 1
    error = capsys.readouterr().err
    assert "conv1" in error
    assert "(3, 3, 3, 8)" in error


@pytest.fixture
def training(drawn, tmp_path):
    """Runs ``pynn train mnist`` with a few batches; gives its exit code."""

    def run(*more):
        fixed = ["--model", "dense", "--steps", "4", "--batch-size", "32", "--out", str(tmp_path / "out")]
        return main(["train", "mnist", *fixed, *more])

    return run


def test_train_leaves_models_history_and_curves(training, tmp_path, capsys):
    assert training("--epochs", "2") == 0
    out = tmp_path / "out"
    names = {"best.keras", "last.keras", "history.csv", "curves.png", "arguments.json"}
    assert names <= {path.name for path in out.iterdir()}
    text = capsys.readouterr().out
    assert "600 images to train with, 200 to test" in text
    assert "after 2 epochs; best" in text
    assert "\r" not in text  # a log file, no terminal
    assert (out / "curves.png").read_bytes().startswith(b"\x89PNG")
    model = pynn.saving.load_model(out / "last.keras")
    (_, _), (x, y) = pynn.datasets.mnist.load_data()
    accuracy = model.evaluate(x[..., None].astype("float32") / 255, y, verbose=0)[1]
    assert accuracy == pytest.approx(read_history(out)[-1]["val_accuracy"])


def test_train_goes_on_where_it_stopped(training, tmp_path, capsys):
    """Two epochs and one more are three epochs."""
    assert training("--epochs", "3") == 0
    whole = read_history(tmp_path / "out")
    assert training("--epochs", "2", "--fresh") == 0
    assert training("--epochs", "3") == 0
    assert [row["epoch"] for row in whole] == [0, 1, 2]
    assert read_history(tmp_path / "out") == whole
    capsys.readouterr()
    assert training("--epochs", "3") == 0  # nothing is left to do
    assert "after 3 epochs" in capsys.readouterr().out
    assert read_history(tmp_path / "out") == whole


def test_ctrl_c_says_how_to_go_on(training, monkeypatch, capsys):
    def interrupted(*arguments, **more):
        raise KeyboardInterrupt

    monkeypatch.setattr(pynn.Sequential, "fit", interrupted)
    assert training("--epochs", "2") == 130
    assert capsys.readouterr().err == "\npynn train: stopped; the same command goes on after the last whole epoch\n"


def test_train_does_not_mix_two_trainings(training, tmp_path, capsys):
    assert training("--epochs", "1") == 0
    assert training("--epochs", "2", "--seed", "3") == 1
    assert "holds a training with seed 0 (now 3); choose another --out" in capsys.readouterr().err
    assert len(read_history(tmp_path / "out")) == 1


def test_train_does_not_touch_a_folder_of_other_things(training, tmp_path, capsys):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "thesis.txt").write_text("all my work")
    assert training("--fresh") == 1
    assert "is not empty and holds no training" in capsys.readouterr().err
    assert (tmp_path / "out" / "thesis.txt").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["mnist", "--model", "cmn"], "there is no network 'cmn'; did you mean cnn"),
        (["mnist", "--model", "VGG16"], "VGG16 cannot take the images of mnist: .*at least 32x32"),
        (["mnist", "--model", "dense", "--set", "units=3"], "dense has no arguments to --set"),
    ],
)
def test_train_says_what_is_wrong(arguments, message, drawn, capsys, tmp_path):
    assert main(["train", *arguments, "--out", str(tmp_path / "out")]) == 1
    assert re.search(message, capsys.readouterr().err)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("epochs", ["0", "-1", "many"])
def test_train_wants_a_number_of_epochs(epochs, capsys):
    with pytest.raises(SystemExit, match="2"):
        main(["train", "mnist", "--epochs", epochs])
    assert "expected a whole number from 1 up" in capsys.readouterr().err


def test_train_without_data_says_where_it_looked(tmp_path):
    data = tmp_path / "empty"
    data.mkdir()
    (data / "mnist").mkdir()
    (data / "mnist" / "train-images-idx3-ubyte").write_bytes(b"not MNIST")
    _, error = command("train", "mnist", "--out", tmp_path / "out", data=data, folder=tmp_path, code=1)
    assert "Traceback" not in error
    assert str(data / "mnist") in error


def test_bench_prints_a_line_for_each_network():
    out, _ = command("bench", "dense", "--seconds", "0.05", "--batch-size", "16")
    machine, head, line = out.splitlines()
    assert machine.startswith("machine:")
    assert head.split() == ["network", "batch", "predict", "train"]
    assert line.split()[:2] == ["dense", "16"]
