//! What an open file is on this system: a descriptor of Unix, a handle of Windows.

#[cfg(unix)]
pub(crate) use std::os::fd::{AsFd as AsOpen, OwnedFd as OwnedOpen, RawFd as RawOpen};
#[cfg(windows)]
pub(crate) use std::os::windows::io::{AsHandle as AsOpen, OwnedHandle as OwnedOpen};

/// The number of a handle; Windows' own type for it is a pointer to nothing.
#[cfg(windows)]
pub(crate) type RawOpen = isize;

/// The number by which the system knows it.
#[cfg(unix)]
pub(crate) fn number(open: &impl AsOpen) -> RawOpen {
    use std::os::fd::AsRawFd;
    open.as_fd().as_raw_fd()
}

/// The number by which the system knows it.
#[cfg(windows)]
pub(crate) fn number(open: &impl AsOpen) -> RawOpen {
    use std::os::windows::io::AsRawHandle;
    open.as_handle().as_raw_handle().addr().cast_signed()
}

/// Another one for the same open file.
pub(crate) fn duplicate(open: &impl AsOpen) -> std::io::Result<OwnedOpen> {
    #[cfg(unix)]
    return open.as_fd().try_clone_to_owned();
    #[cfg(windows)]
    return open.as_handle().try_clone_to_owned();
}
