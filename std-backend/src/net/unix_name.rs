//! What names a Unix socket, as programs have it and as the system does.

use super::unix_error::{UnixError, UnixRefused};
use molen_core::net::{UnixAddress, UnixAddressError};
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

/// Something that names a Unix socket: a path of any type, or a [`UnixAddress`].
///
/// A path that begins with a zero is an abstract name, as for asyncio:
/// `"\0molen"`.
pub trait ToUnixAddress {
    /// The address.
    ///
    /// # Errors
    ///
    /// [`UnixAddressError`]: it is too long, or empty, or has a zero in it.
    fn to_unix_address(&self) -> Result<UnixAddress, UnixAddressError>;

    /// The path, for errors.
    fn to_path(&self) -> PathBuf;
}

macro_rules! paths {
    ($($type:ty)*) => {$(
        impl ToUnixAddress for $type {
            fn to_unix_address(&self) -> Result<UnixAddress, UnixAddressError> {
                UnixAddress::new(AsRef::<OsStr>::as_ref(self).as_encoded_bytes())
            }

            fn to_path(&self) -> PathBuf {
                AsRef::<OsStr>::as_ref(self).into()
            }
        }
    )*};
}
paths!(str String OsStr OsString Path PathBuf);

impl<T: ToUnixAddress + ?Sized> ToUnixAddress for &T {
    fn to_unix_address(&self) -> Result<UnixAddress, UnixAddressError> {
        (**self).to_unix_address()
    }

    fn to_path(&self) -> PathBuf {
        (**self).to_path()
    }
}

impl ToUnixAddress for UnixAddress {
    fn to_unix_address(&self) -> Result<UnixAddress, UnixAddressError> {
        if self.is_unnamed() { Err(UnixAddressError::Empty) } else { Ok(*self) }
    }

    fn to_path(&self) -> PathBuf {
        let zero = if self.abstract_name().is_some() { "\0" } else { "" };
        let name = self.path().or(self.abstract_name()).unwrap_or_default();
        format!("{zero}{}", String::from_utf8_lossy(name)).into()
    }
}

/// What is done to a name, and why it is not.
pub(super) struct Doing {
    pub(super) operation: &'static str,
    path: PathBuf,
    address: Result<UnixAddress, UnixAddressError>,
}

impl Doing {
    pub(super) fn new(operation: &'static str, name: &impl ToUnixAddress) -> Doing {
        Doing { operation, path: name.to_path(), address: name.to_unix_address() }
    }

    pub(super) fn checked_address(&self) -> Result<UnixAddress, UnixAddressError> {
        self.address
    }

    pub(super) fn address(&self) -> Result<UnixAddress, UnixError> {
        self.address.map_err(|error| self.failed(UnixRefused::Address(error)))
    }

    pub(super) fn failed(&self, cause: impl Into<UnixRefused>) -> UnixError {
        UnixError { operation: self.operation, path: self.path.clone(), cause: cause.into() }
    }
}

/// What this system calls the socket with this address.
#[cfg(unix)]
pub(super) fn to_system(address: &UnixAddress) -> std::io::Result<socket2::SockAddr> {
    use std::os::unix::ffi::OsStringExt;
    let abstract_names = cfg!(any(target_os = "linux", target_os = "android"));
    if address.abstract_name().is_some() && !abstract_names {
        return Err(std::io::ErrorKind::Unsupported.into());
    }
    let mut name = Vec::new();
    if let Some(abstract_name) = address.abstract_name() {
        name.push(0);
        name.extend_from_slice(abstract_name);
    }
    name.extend_from_slice(address.path().unwrap_or_default());
    socket2::SockAddr::unix(OsString::from_vec(name))
}

/// What this system says, as an address.
#[cfg(unix)]
pub(super) fn from_system(address: &std::os::unix::net::SocketAddr) -> UnixAddress {
    if let Some(path) = address.as_pathname() {
        let bytes = path.as_os_str().as_encoded_bytes();
        return UnixAddress::new(bytes).unwrap_or(UnixAddress::UNNAMED);
    }
    #[cfg(target_os = "linux")]
    if let Some(name) = std::os::linux::net::SocketAddrExt::as_abstract_name(address) {
        return UnixAddress::of_abstract_name(name).unwrap_or(UnixAddress::UNNAMED);
    }
    UnixAddress::UNNAMED
}
