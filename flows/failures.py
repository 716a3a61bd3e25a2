"""What the machine refuses (a full disk, a folder that may not be written) as one sentence with its cure."""

import errno

_CURES = {
    errno.ENOSPC: "the disk is full; make room and start again, what is finished is not done again",
    errno.EDQUOT: "the quota of the disk is used up; make room and start again, what is finished is not done again",
    errno.EFBIG: "the file would be larger than may be written here (ulimit -f); raise the limit and start again",
    errno.EACCES: "this user may not do that there; choose another place or ask for the right",
    errno.EPERM: "this user may not do that there; choose another place or ask for the right",
    errno.EROFS: "the place can only be read; choose another",
    errno.ENOENT: "there is no such file or folder; check the path, or make the folder first",
    errno.ENOTDIR: "a part of the path is a file and no folder; check the path",
    errno.EISDIR: "that is a folder; name a file",
    errno.EEXIST: "that is a file already; name a folder",
    errno.EMFILE: "too many files are open; raise the limit (ulimit -n) and start again",
}


def sentence(error: OSError) -> str:
    """One sentence: what could not be used, why, and what to do."""
    cure = _CURES.get(error.errno or 0) or error.strerror or str(error) or type(error).__name__
    return f"{error.filename}: {cure}" if error.filename else cure
