//! Defines how Git LFS pointers are recognised.
//!
//! The format is that of the Git LFS specification (docs/spec.md of git-lfs): a text of at most 1024 bytes whose first
//! line is `version` with one of two URLs.

use super::resolve::unreadable;
use crate::model::TreeError;

const VERSIONS: [&[u8]; 2] =
    [b"version https://git-lfs.github.com/spec/v1\n", b"version https://hawser.github.com/spec/v1\n"];
const POINTER_BYTES: usize = 1024;

/// Returns the bytes of a file, or says that they are only a pointer to a content that is not in the repository.
pub(super) fn refuse_pointer(path: &str, bytes: Vec<u8>) -> Result<Vec<u8>, TreeError> {
    if is_pointer(&bytes) {
        return Err(unreadable(path, "it is a Git LFS pointer, and its content is not in the repository"));
    }
    Ok(bytes)
}

fn is_pointer(bytes: &[u8]) -> bool {
    bytes.len() < POINTER_BYTES
        && VERSIONS.iter().any(|version| bytes.starts_with(version))
        && bytes.windows(11).any(|window| window == b"oid sha256:")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_whole_pointer_is_taken_for_one() {
        let pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n".to_vec();
        assert!(refuse_pointer("chart.tgz", pointer).is_err());
        let note = b"version https://git-lfs.github.com/spec/v1\nis what a pointer starts with\n".to_vec();
        assert_eq!(refuse_pointer("note", note.clone()), Ok(note));
        assert_eq!(refuse_pointer("empty", Vec::new()), Ok(Vec::new()));
    }
}
