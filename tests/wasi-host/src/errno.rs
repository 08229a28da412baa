//! The errnos of WASI preview 1 that this host answers with, by their C names' meaning.

use std::fmt;

macro_rules! errnos {
    ($($(#[$doc:meta])* $variant:ident = $code:literal, $name:literal;)*) => {
        /// A preview-1 errno. The discriminant is the value that the guest sees.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[repr(u16)]
        #[non_exhaustive]
        pub enum Errno {
            $($(#[$doc])* $variant = $code,)*
        }

        impl Errno {
            /// The C name, for example `EBADF`.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self {
                    $(Errno::$variant => $name,)*
                }
            }

            /// The errno with this code, or `None` if this host never answers with it.
            #[must_use]
            pub fn from_code(code: u16) -> Option<Errno> {
                match code {
                    $($code => Some(Errno::$variant),)*
                    _ => None,
                }
            }
        }
    };
}

errnos! {
    /// No error.
    Success = 0, "ESUCCESS";
    /// Permission denied by the access mode.
    Acces = 2, "EACCES";
    /// Would block: try again after the next readiness event.
    Again = 6, "EAGAIN";
    /// Not an open descriptor, or not one of the right kind.
    Badf = 8, "EBADF";
    /// The connection was gone before it was accepted.
    Connaborted = 13, "ECONNABORTED";
    /// Nobody listens at the other end.
    Connrefused = 14, "ECONNREFUSED";
    /// The peer reset the connection.
    Connreset = 15, "ECONNRESET";
    /// A pointer that lies outside the guest's memory.
    Fault = 21, "EFAULT";
    /// The call was interrupted.
    Intr = 27, "EINTR";
    /// An argument that has no meaning here.
    Inval = 28, "EINVAL";
    /// An input or output error.
    Io = 29, "EIO";
    /// The process has too many open descriptors.
    Mfile = 33, "EMFILE";
    /// A buffer too short for a name.
    Nametoolong = 37, "ENAMETOOLONG";
    /// The host has no such function.
    Nosys = 52, "ENOSYS";
    /// The socket is not connected.
    Notconn = 53, "ENOTCONN";
    /// A socket call on something that is not a socket.
    Notsock = 57, "ENOTSOCK";
    /// The host does not support this form of the call.
    Notsup = 58, "ENOTSUP";
    /// Operation not permitted.
    Perm = 63, "EPERM";
    /// The other end no longer reads.
    Pipe = 64, "EPIPE";
    /// The descriptor lacks the right for this call.
    Notcapable = 76, "ENOTCAPABLE";
}

impl Errno {
    /// The value that the guest sees.
    #[must_use]
    pub fn code(self) -> u16 {
        self as u16
    }
}

impl fmt::Display for Errno {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.name(), self.code())
    }
}
