"""Folders, zips and tars as sources: same listing, and no way out."""

import io
import os
import tarfile
import zipfile

import pytest

from readers.source import Source, printable
from schemas.errors import CaseError, UserError

FILES = {
    "b/2.txt": b"two",
    "b/10.txt": b"ten",
    "a.txt": b"a",
    "b/c/x.bin": b"\0\1",
    "ü/é.txt": b"u",
    ".DS_Store": b"junk",
    "__MACOSX/._a.txt": b"junk",
    "b/Thumbs.db": b"junk",
    "b/._2.txt": b"junk",
}
LISTED = ["a.txt", "b/10.txt", "b/2.txt", "b/c/x.bin", "ü/é.txt"]


def _folder(path):
    for name, data in FILES.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(data)
    return path


def _zip(path):
    with zipfile.ZipFile(path / "x.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in FILES.items():
            archive.writestr(name, data)
    return path / "x.zip"


def _tar(path, mode, name):
    with tarfile.open(path / name, mode) as archive:
        for member, data in FILES.items():
            info = tarfile.TarInfo(member)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return path / name


@pytest.fixture(params=["folder", "zip", "tar", "tar.gz", "tar.xz"])
def source(request, tmp_path):
    made = {
        "folder": lambda: _folder(tmp_path),
        "zip": lambda: _zip(tmp_path),
        "tar": lambda: _tar(tmp_path, "w", "x.tar"),
        "tar.gz": lambda: _tar(tmp_path, "w:gz", "x.tar.gz"),
        "tar.xz": lambda: _tar(tmp_path, "w:xz", "x.tar.xz"),
    }[request.param]()
    return Source.open(str(made))


def test_every_kind_lists_the_same_files_in_the_same_order(source):
    assert list(source.walk()) == LISTED
    assert list(source.walk("b")) == ["b/10.txt", "b/2.txt", "b/c/x.bin"]
    assert list(source.walk("b/")) == list(source.walk("b"))
    assert source.listing("b") == (["c"], ["10.txt", "2.txt"])
    assert source.listing() == (["b", "ü"], ["a.txt"])
    assert source.listing("nowhere") == ([], [])


def test_every_kind_reads_the_same_bytes(source):
    for path in LISTED:
        assert source.read_bytes(path) == FILES[path]
        assert source.size(path) == len(FILES[path])
        assert source.local(path).read_bytes() == FILES[path]
        assert source.local(path).suffix == "." + path.rpartition(".")[2]
        with source.stream(path) as file:
            file.seek(1)
            assert file.read() == FILES[path][1:]
    assert source.head("b/2.txt", 2) == b"tw"
    assert source.exists("a.txt")
    assert not source.exists("b")
    assert not source.exists("nowhere.txt")


@pytest.mark.parametrize("path", ["../a", "/etc/passwd", "b/../../a", "..\\a", "C:\\a", "C:/a", "a\0b", ""])
def test_no_path_leads_out(source, path):
    assert not source.exists(path)
    with pytest.raises(CaseError) as caught:
        source.read_bytes(path)
    assert caught.value.code == "unsafe_path"


def test_a_missing_file_is_named(source):
    with pytest.raises(CaseError, match=r"nowhere\.txt") as caught:
        source.stream("nowhere.txt")
    assert caught.value.code == "missing_file"


def test_too_large_a_file_is_refused(source):
    assert source.read_bytes("b/2.txt", 3) == b"two"
    with pytest.raises(CaseError) as caught:
        source.read_bytes("b/2.txt", 2)
    assert caught.value.code == "file_too_large"


def test_links_are_followed_inside_and_refused_outside(tmp_path):
    root = _folder(tmp_path / "root")
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret/s.txt").write_bytes(b"secret")
    (root / "inside.txt").symlink_to(root / "a.txt")
    (root / "file_out.txt").symlink_to(tmp_path / "secret/s.txt")
    (root / "out").symlink_to(tmp_path / "secret")
    (root / "circle").symlink_to(root)
    (root / "broken.txt").symlink_to(root / "nothing")
    source = Source.open(str(root))
    # What cannot be read is listed all the same, so that it can be accounted for.
    assert [path for path in source.walk() if path not in LISTED] == ["broken.txt", "file_out.txt", "inside.txt", "out"]
    assert source.read_bytes("inside.txt") == b"a"
    for path in ("file_out.txt", "out/s.txt", "out"):
        with pytest.raises(CaseError) as caught:
            source.read_bytes(path)
        assert caught.value.code == "link_leaves_root"
        assert "secret" not in caught.value.detail
    with pytest.raises(CaseError) as caught:
        source.read_bytes("broken.txt")
    assert caught.value.code == "missing_file"


def test_a_pipe_does_not_hang(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(CaseError) as caught:
        Source.open(str(tmp_path)).read_bytes("pipe")
    assert caught.value.code == "not_a_file"


def test_one_file_is_a_source_of_its_own(tmp_path):
    _folder(tmp_path)
    source = Source.open(str(tmp_path / "a.txt"))
    assert list(source.walk()) == ["a.txt"]
    assert source.read_bytes("a.txt") == b"a"
    assert not source.exists("b/2.txt")


@pytest.mark.parametrize(
    ("root", "sentence"),
    [("", "no root"), ("/no/such", "check the path, or `root` in the spec"), ("nothing://b/k", "cannot be opened")],
)
def test_a_root_that_is_not_there_is_said_in_one_sentence(root, sentence):
    with pytest.raises(UserError, match=sentence):
        Source.open(root)


@pytest.mark.parametrize("cut", [0.3, 0.9, 0.999])
@pytest.mark.parametrize("kind", ["zip", "tar", "tar.gz"])
def test_a_cut_archive_is_refused_whole(tmp_path, kind, cut):
    made = _zip(tmp_path) if kind == "zip" else _tar(tmp_path, "w:gz" if "gz" in kind else "w", f"x.{kind}")
    data = made.read_bytes()
    # Half of a tar's last blocks are padding, whose loss takes nothing away.
    made.write_bytes(data[: int(len(data) * (cut if kind != "tar" else cut / 4))])
    with pytest.raises(UserError, match=r"fetch it again"):
        Source.open(str(made))


def test_hostile_members_are_listed_and_refused(tmp_path):
    with tarfile.open(tmp_path / "x.tar", "w") as archive:
        for name, link in (("out.txt", "../../etc/passwd"), ("circle", "circle"), ("ok.txt", "real.txt")):
            info = tarfile.TarInfo(name)
            info.type, info.linkname = tarfile.SYMTYPE, link
            archive.addfile(info)
        device = tarfile.TarInfo("null")
        device.type = tarfile.CHRTYPE
        archive.addfile(device)
        for name in ("../evil.txt", "/abs.txt", "real.txt"):
            info = tarfile.TarInfo(name)
            info.size = 4
            archive.addfile(info, io.BytesIO(b"real"))
    source = Source.open(str(tmp_path / "x.tar"))
    codes = {}
    for path in source.walk():
        try:
            codes[path] = source.read_bytes(path)
        except CaseError as error:
            codes[path] = error.code
    assert codes == {
        "../evil.txt": "unsafe_path",
        "/abs.txt": "unsafe_path",
        "circle": "link_leaves_root",
        "null": "not_a_file",
        "ok.txt": b"real",
        "out.txt": "link_leaves_root",
        "real.txt": b"real",
    }


def test_a_damaged_member_is_refused_alone(tmp_path):
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        archive.writestr("good.txt", b"good")
        archive.writestr("bad.txt", b"some longer content")
    data = bytearray((tmp_path / "x.zip").read_bytes())
    data[data.index(b"longer")] ^= 0xFF
    (tmp_path / "x.zip").write_bytes(data)
    source = Source.open(str(tmp_path / "x.zip"))
    assert source.read_bytes("good.txt") == b"good"
    with pytest.raises(CaseError) as caught:
        source.read_bytes("bad.txt")
    assert caught.value.code == "corrupt_archive"


def test_a_zip_bomb_is_refused_unread(tmp_path, monkeypatch):
    monkeypatch.setattr("readers.archive.BOMB_BYTES", 1 << 20)
    with zipfile.ZipFile(tmp_path / "x.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("bomb.bin", bytes(4 << 20))
    with pytest.raises(CaseError) as caught:
        Source.open(str(tmp_path / "x.zip")).read_bytes("bomb.bin")
    assert caught.value.code == "archive_bomb"


def test_names_that_are_not_utf8_can_be_shown(tmp_path):
    (tmp_path / os.fsdecode(b"bad\xff.txt")).write_bytes(b"x")
    source = Source.open(str(tmp_path))
    (path,) = source.walk()
    assert printable(path) == "bad\\xff.txt"
    assert source.read_bytes(path) == b"x"
    assert printable("a\nb") == "a\\nb"


def test_a_large_tree_is_listed_without_holding_it(tmp_path):
    for folder in range(20):
        (tmp_path / f"{folder:02}").mkdir()
        for name in range(50):
            (tmp_path / f"{folder:02}/{name:03}.txt").touch()
    walk = Source.open(str(tmp_path)).walk()
    assert next(walk) == "00/000.txt"
    assert sum(1 for _ in walk) == 999
