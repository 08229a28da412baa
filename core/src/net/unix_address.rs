//! Names of Unix sockets.

use core::fmt;

/// What the longest name of any system takes (`sun_path` of Linux).
const MOST: usize = 108;

/// How long a path may be: one byte of `sun_path` is for the zero at its end.
#[cfg(any(target_os = "linux", target_os = "android", target_os = "windows", target_os = "none"))]
const MOST_OF_A_PATH: usize = MOST - 1;
/// How long a path may be: `sun_path` has 104 bytes, one of them for the zero at its end.
#[cfg(not(any(
    target_os = "linux",
    target_os = "android",
    target_os = "windows",
    target_os = "none"
)))]
const MOST_OF_A_PATH: usize = 103;

/// The address of a Unix socket: a path, an abstract name (Linux), or none.
///
/// asyncio: what `getsockname()` says of such a socket: a `str`, `bytes` that
/// begin with zero, or `''`.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct UnixAddress {
    /// As asyncio has it: abstract names begin with a zero.
    name: [u8; MOST],
    length: u8,
}

/// Why something cannot be the name of a Unix socket.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum UnixAddressError {
    /// It has no bytes.
    Empty,
    /// There is no room for it in the system's addresses.
    TooLong {
        /// How many bytes it has.
        length: usize,
        /// How many it may have.
        most: usize,
    },
    /// It is a path with a zero in it.
    Zero {
        /// Where.
        at: usize,
    },
}

impl UnixAddress {
    /// Of a socket that was given no name, as most who connect.
    pub const UNNAMED: UnixAddress = UnixAddress { name: [0; MOST], length: 0 };

    /// The address that is the path `path`; one that begins with a zero is an
    /// abstract name, as for asyncio.
    ///
    /// # Errors
    ///
    /// [`UnixAddressError`].
    pub fn new(path: &[u8]) -> Result<UnixAddress, UnixAddressError> {
        match path {
            [] => Err(UnixAddressError::Empty),
            [0, name @ ..] => UnixAddress::of_abstract_name(name),
            path => match path.iter().position(|&byte| byte == 0) {
                Some(at) => Err(UnixAddressError::Zero { at }),
                None => UnixAddress::of(&[path], MOST_OF_A_PATH),
            },
        }
    }

    /// The abstract name `name`, which is in no directory and gone with its
    /// last socket. Only Linux has them.
    ///
    /// # Errors
    ///
    /// [`UnixAddressError::TooLong`].
    pub fn of_abstract_name(name: &[u8]) -> Result<UnixAddress, UnixAddressError> {
        UnixAddress::of(&[&[0], name], MOST)
    }

    fn of(parts: &[&[u8]], most: usize) -> Result<UnixAddress, UnixAddressError> {
        let length: usize = parts.iter().map(|part| part.len()).sum();
        if length > most {
            return Err(UnixAddressError::TooLong { length, most });
        }
        let mut name = [0; MOST];
        for (place, byte) in name.iter_mut().zip(parts.iter().copied().flatten()) {
            *place = *byte;
        }
        Ok(UnixAddress { name, length: length as u8 })
    }

    fn bytes(&self) -> &[u8] {
        self.name.get(..usize::from(self.length)).unwrap_or_default()
    }

    /// The path's bytes, if it is a path.
    pub fn path(&self) -> Option<&[u8]> {
        match self.bytes() {
            [] | [0, ..] => None,
            path => Some(path),
        }
    }

    /// The path, if it is one; neither of abstract names nor of unnamed sockets.
    #[cfg(unix)]
    pub fn as_pathname(&self) -> Option<&std::path::Path> {
        use std::os::unix::ffi::OsStrExt;
        let path = std::ffi::OsStr::from_bytes(self.path()?);
        Some(std::path::Path::new(path))
    }

    /// The abstract name, without the zero before it, if it is one.
    pub fn abstract_name(&self) -> Option<&[u8]> {
        match self.bytes() {
            [0, name @ ..] => Some(name),
            _ => None,
        }
    }

    /// Whether the socket was given no name.
    pub fn is_unnamed(&self) -> bool {
        self.length == 0
    }
}

/// The path; abstract names as Linux' tools write them, `@name`.
impl fmt::Display for UnixAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match (self.path(), self.abstract_name()) {
            (Some(path), _) => path,
            (None, Some(name)) => {
                f.write_str("@")?;
                name
            }
            (None, None) => return f.write_str("an unnamed socket"),
        };
        for chunk in name.utf8_chunks() {
            f.write_str(chunk.valid())?;
            if !chunk.invalid().is_empty() {
                write!(f, "{}", chunk.invalid().escape_ascii())?;
            }
        }
        Ok(())
    }
}

impl fmt::Debug for UnixAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "UnixAddress({self})")
    }
}

impl fmt::Display for UnixAddressError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            UnixAddressError::Empty => f.write_str("a Unix socket's name has at least one byte"),
            UnixAddressError::TooLong { length, most } => {
                write!(f, "it has {length} bytes, and a Unix socket's name at most {most}")
            }
            UnixAddressError::Zero { at } => write!(f, "its byte {at} is zero"),
        }
    }
}

impl core::error::Error for UnixAddressError {}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn paths_and_abstract_names_are_told_apart() {
        let path = UnixAddress::new(b"/run/x").unwrap();
        assert_eq!((path.path(), path.abstract_name()), (Some(&b"/run/x"[..]), None));
        assert_eq!(path.to_string(), "/run/x");
        let name = UnixAddress::new(b"\0x\xff").unwrap();
        assert_eq!((name.path(), name.abstract_name()), (None, Some(&b"x\xff"[..])));
        assert_eq!(name, UnixAddress::of_abstract_name(b"x\xff").unwrap());
        assert_eq!(name.to_string(), "@x\\xff");
        assert!(UnixAddress::UNNAMED.is_unnamed() && !name.is_unnamed());
        assert_eq!(UnixAddress::UNNAMED.to_string(), "an unnamed socket");
    }

    #[test]
    fn what_is_no_name_says_why() {
        assert_eq!(UnixAddress::new(b""), Err(UnixAddressError::Empty));
        assert_eq!(UnixAddress::new(b"a\0b"), Err(UnixAddressError::Zero { at: 1 }));
        let most = MOST_OF_A_PATH;
        assert!(UnixAddress::new(&[b'x'; MOST_OF_A_PATH]).is_ok());
        let long = UnixAddress::new(&[b'x'; MOST_OF_A_PATH + 1]);
        assert_eq!(long, Err(UnixAddressError::TooLong { length: most + 1, most }));
        assert!(UnixAddress::of_abstract_name(&[0; MOST - 1]).is_ok());
        assert!(UnixAddress::of_abstract_name(&[0; MOST]).is_err());
    }
}
