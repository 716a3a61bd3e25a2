"""The same store on S3: a real server (moto) with the protocol's own exclusive creation."""

import pytest

from schemas.errors import UserError
from storage.publish import _create
from storage.release import exists, publish, pull, releases, verify
from storage.store import open_address
from tests.s3_server import s3_bucket

from .conftest import simple_case


@pytest.fixture(scope="module")
def bucket():
    """The address of a bucket on a server of its own."""
    with s3_bucket("releases") as address:
        yield address


@pytest.fixture
def store(bucket, request) -> str:
    """A prefix of its own for each test."""
    return f"{bucket}/{request.node.name}"


def test_round_trip_over_s3(store, factory, tmp_path):
    folder, manifest = factory.release([simple_case(n) for n in range(1, 41)])
    address = publish(folder, store, manifest)
    assert address == f"{store}/cells/1.0.0"
    assert verify(address) == []
    assert [(item.name, item.version, item.address) for item in releases(store)] == [("cells", "1.0.0", address)]
    copy = pull("cells@1.0.0", store, tmp_path, split="test")
    assert verify(copy) == []
    assert exists(store, "cells", "1.0.0")
    with pytest.raises(UserError, match="published already"):
        publish(folder, store, manifest)

    fs, path = open_address(address)
    shard = f"{path}/data/test-00000-of-00001.parquet"
    data = bytearray(fs.cat_file(shard))
    data[1000] ^= 1
    fs.pipe_file(shard, bytes(data))
    problem = "data/test-00000-of-00001.parquet: its contents differ from what was published (sha256)"
    assert verify(address) == [problem]


def test_of_two_publishers_the_server_refuses_one(store):
    fs, path = open_address(store)
    _create(fs, f"{path}/manifest.json", b"first")
    with pytest.raises(FileExistsError):
        _create(fs, f"{path}/manifest.json", b"second")
    assert fs.cat_file(f"{path}/manifest.json") == b"first"
