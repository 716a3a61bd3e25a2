"""A real S3 server (moto) for the tests that read or write at an address."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest


@contextmanager
def s3_bucket(name: str) -> Iterator[str]:
    """The address of a new bucket on a server of its own, to which the environment points s3fs meanwhile."""
    from moto.server import ThreadedMotoServer
    from s3fs import S3FileSystem

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
            patch.setenv("AWS_ACCESS_KEY_ID", "test")
            patch.setenv("AWS_SECRET_ACCESS_KEY", "test")
            S3FileSystem.clear_instance_cache()
            S3FileSystem().mkdir(name)
            yield f"s3://{name}"
    finally:
        S3FileSystem.clear_instance_cache()
        server.stop()
