"""Codecs that may not come back."""

import os
import signal

import numpy as np
import pytest

from readers.pixels.guarded import guarded
from schemas.errors import CaseError

BROKEN = CaseError("corrupt_pixels", "it does not end")


@pytest.mark.parametrize("kind", ["u1", "<i2", "<f4"])
def test_what_is_decoded_comes_back_as_it_is(kind):
    array = np.arange(24).reshape(2, 4, 3).astype(kind)[:, ::-1]
    found = guarded(lambda: array, 5, BROKEN)
    assert found.dtype == array.dtype and (found == array).all()


def test_a_refusal_comes_back_with_its_words():
    def refuse():
        raise CaseError("mask_shape", "größer als das Bild", "quarantined")

    with pytest.raises(CaseError) as caught:
        guarded(refuse, 5, BROKEN)
    error = caught.value
    assert (error.code, error.detail, error.status) == ("mask_shape", "größer als das Bild", "quarantined")


def spin():
    while True:
        pass


def die():
    os.kill(os.getpid(), signal.SIGKILL)


def fail():
    raise MemoryError


@pytest.mark.parametrize("decode", [spin, die, fail])
def test_what_does_not_end_or_dies_is_the_given_failure(decode):
    with pytest.raises(CaseError) as caught:
        guarded(decode, 0.2, BROKEN)
    assert caught.value is BROKEN
