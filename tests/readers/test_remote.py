"""Roots at an address: folders and archives on S3 (a real server), over HTTP and in memory read as on disk."""

import shutil
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from readers.inspect import draft_spec
from readers.pixels.render import render
from readers.remote import cache_folder
from readers.source import Source
from schemas.errors import CaseError, UserError
from tests.s3_server import s3_bucket


@pytest.fixture(scope="module")
def bucket():
    """The address of a bucket on a server of its own."""
    with s3_bucket("sources") as address:
        yield address


@pytest.fixture(autouse=True)
def cache(tmp_path_factory, monkeypatch) -> Path:
    monkeypatch.setenv("MEDCURATE_CACHE", str(tmp_path_factory.mktemp("cache")))
    return cache_folder()


@pytest.fixture
def uploaded(bucket, request):
    """Copy a folder or file to the bucket; returns its address."""
    import fsspec

    def run(path: Path) -> str:
        address = f"{bucket}/{request.node.name.partition('[')[0]}/{path.name}"
        fs, place = fsspec.url_to_fs(address)
        for file in [path] if path.is_file() else [each for each in path.rglob("*") if each.is_file()]:
            fs.put_file(str(file), f"{place}/{file.relative_to(path)}" if path.is_dir() else place)
        fs.invalidate_cache()
        return address

    return run


@pytest.fixture
def dataset(put):
    return put({"d/train/A/x.png": None, "d/test/B/y.png": None, "d/test/B/z.png": None, "d/.DS_Store": b"junk"}) / "d"


LABELS = {"A": "alpha", "B": "beta"}


def same(address, folder, ingest):
    cases, lost = ingest(address, "class_folders", labels=LABELS)
    assert lost == {}
    here, _ = ingest(folder, "class_folders", labels=LABELS)
    assert cases == here
    away, near = Source.open(str(address)), Source.open(str(folder))
    for case in cases.values():
        assert render(away, case.images[0]).data == render(near, case.images[0]).data


def test_a_folder_on_s3_reads_as_on_disk(uploaded, dataset, ingest, cache):
    address = uploaded(dataset)
    same(address, dataset, ingest)
    assert not cache.exists(), "nothing needs a copy here"
    source = Source.open(address)
    assert list(source.walk()) == ["test/B/y.png", "test/B/z.png", "train/A/x.png"]
    assert list(source.walk("test")) == ["test/B/y.png", "test/B/z.png"]
    assert source.listing("test") == (["B"], [])
    assert source.stamp("test/B/y.png") != source.stamp("test/B/z.png")
    assert (source.exists("test/B"), source.exists("nowhere.png"), source.exists("../x")) == (False, False, False)
    for path, code in (("nowhere.png", "missing_file"), ("../x", "unsafe_path"), ("test/B", "not_a_file")):
        with pytest.raises(CaseError) as caught:
            source.read_bytes(path)
        assert caught.value.code == code


@pytest.mark.parametrize("kind", ["zip", "gztar"])
def test_an_archive_on_s3_is_copied_once_and_read_in_place(uploaded, dataset, ingest, cache, tmp_path, kind):
    packed = Path(shutil.make_archive(str(tmp_path / "packed"), kind, dataset))
    address = uploaded(packed)
    same(address, dataset, ingest)
    (copy,) = cache.iterdir()
    before = copy.stat().st_mtime_ns
    same(address, dataset, ingest)
    assert [each.stat().st_mtime_ns for each in cache.iterdir()] == [before]


def test_a_changed_file_is_copied_again(uploaded, tmp_path, cache):
    folder = tmp_path / "v"
    folder.mkdir()
    for value in (1, 2):
        nib.save(nib.Nifti1Image(np.full((4, 4, 4 + value), value, np.int16), np.eye(4)), folder / "x.nii.gz")
        source = Source.open(uploaded(folder))
        assert source.local("x.nii.gz").read_bytes() == (folder / "x.nii.gz").read_bytes()
    assert len(list(cache.iterdir())) == 2


def test_a_remote_layout_is_drafted_and_read(uploaded, put, tmp_path, ingest):
    from schemas.spec import load_spec

    root = put({"t/t.csv": "image,label\na.png,A\nb.png,B\n", "t/img/a.png": None, "t/img/b.png": None}) / "t"
    address = uploaded(root)
    (tmp_path / "spec.yaml").write_text(draft_spec(address))
    spec = load_spec(tmp_path / "spec.yaml")
    assert spec.root == address
    cases, lost = ingest(spec.root, spec.reader.type, spec.reader.options, labels=spec.labels)
    assert (lost, set(cases)) == ({}, {"img/a.png", "img/b.png"})


def test_a_folder_over_http(dataset, ingest):
    handler = partial(SimpleHTTPRequestHandler, directory=str(dataset))
    handler.func.log_message = lambda *_: None
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        same(f"http://127.0.0.1:{server.server_port}/", dataset, ingest)
    finally:
        server.shutdown()


def test_a_root_that_is_not_there_is_a_sentence(bucket):
    for root in (f"{bucket}/nothing/here", "nosuchprotocol://x", "http://127.0.0.1:9/x"):
        with pytest.raises(UserError, match="cannot be opened"):
            Source.open(root)


def test_a_store_that_fails_meanwhile_costs_the_case_and_not_the_run(uploaded, dataset, monkeypatch):
    source = Source.open(uploaded(dataset))
    assert source.exists("train/A/x.png")

    def broken(*_, **__):
        raise TimeoutError("no answer")

    monkeypatch.setattr(source._fs, "cat_file", broken)
    with pytest.raises(CaseError, match="try again later") as caught:
        source.read_bytes("train/A/x.png")
    assert caught.value.code == "unreadable_file"
