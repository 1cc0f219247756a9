"""Where published weights come from: folders, downloads that go on, and what is said when there is none."""

import hashlib

import pytest

from pynn.applications import weight_files
from pynn.applications.weight_files import WeightFile
from pynn.errors import CorruptDataError, DataNotFoundError

pooch = pytest.importorskip("pooch")
CONTENT = b"0123456789" * 100
FILE = WeightFile("https://example.org/network.h5", hashlib.md5(CONTENT).hexdigest())


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The first folder that is looked into; nothing of the user's is seen."""
    monkeypatch.setenv("PYNN_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    return tmp_path / "data" / "models"


@pytest.fixture
def server(monkeypatch):
    """A stand-in for the network; ``server.asked`` are the ranges, ``server.send`` says what comes."""

    class Server:
        asked: list = []
        continues = True

        def __init__(self, progressbar, headers):
            self.start = int(headers["Range"][6:-1]) if headers else None

        def __call__(self, url, stream, pooch):
            assert url == FILE.url
            self.asked.append(self.start)
            stream.write(CONTENT[self.start if self.start and self.continues else 0 :])

    Server.asked = []
    monkeypatch.setattr(pooch, "HTTPDownloader", Server)
    return Server


def test_a_file_is_downloaded_once(folder, server):
    path = weight_files.find(FILE)
    assert path == folder / "network.h5"
    assert path.read_bytes() == CONTENT
    assert weight_files.find(FILE) == path
    assert server.asked == [None]
    assert [p.name for p in folder.iterdir()] == ["network.h5"]


@pytest.mark.parametrize(("continues", "asked"), [(True, [400]), (False, [400, None])])
def test_an_interrupted_download_goes_on(folder, server, continues, asked):
    server.continues = continues
    folder.mkdir(parents=True)
    (folder / "network.h5.part").write_bytes(CONTENT[:400])
    assert weight_files.find(FILE).read_bytes() == CONTENT
    assert server.asked == asked


def test_other_content_is_refused(folder, server):
    with pytest.raises(DataNotFoundError, match="the md5 of its content is"):
        weight_files.find(WeightFile(FILE.url, "0" * 32))
    assert not (folder / "network.h5").exists()


def test_a_damaged_file_is_named(folder):
    folder.mkdir(parents=True)
    (folder / "network.h5").write_bytes(b"else")
    with pytest.raises(CorruptDataError, match=r"network\.h5: the md5"):
        weight_files.find(FILE)


def test_a_file_of_keras_is_found(folder, server, tmp_path):
    keras = tmp_path / "keras" / "models"
    keras.mkdir(parents=True)
    (keras / "network.h5").write_bytes(CONTENT)
    assert weight_files.find(FILE) == keras / "network.h5"
    assert server.asked == []


def test_without_a_network_the_places_are_listed(folder, monkeypatch):
    def offline(**_):
        raise ConnectionError("no way")

    monkeypatch.setattr(pooch, "HTTPDownloader", offline)
    with pytest.raises(DataNotFoundError) as caught:
        weight_files.find(FILE)
    message = str(caught.value)
    assert f"1. {folder / 'network.h5'}: no such file" in message
    assert "download of https://example.org/network.h5: ConnectionError: no way" in message
    assert "weights=None" in message
