//! The numbers and names of signals.

use core::fmt;

/// A signal of this system.
///
/// asyncio: the constants of the module `signal`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Signal(i32);

/// A number that is no signal's.
///
/// asyncio: `ValueError: invalid signal number`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct InvalidSignal(pub i32);

impl fmt::Display for InvalidSignal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is no signal: their numbers are 1 to {}", self.0, Signal::LAST)
    }
}

impl core::error::Error for InvalidSignal {}

macro_rules! signals {
    ($($(#[$meta:meta])* $name:ident = $number:expr, $text:literal;)*) => {
        impl Signal {
            $($(#[$meta])* pub const $name: Signal = Signal($number);)*

            /// Its name, such as `SIGTERM`; the numbers of real-time signals have none.
            pub fn name(self) -> Option<&'static str> {
                $(if self == Signal::$name {
                    return Some($text);
                })*
                None
            }
        }
    };
}

#[cfg(unix)]
signals! {
    /// The terminal is gone.
    HUP = libc::SIGHUP, "SIGHUP";
    /// Ctrl-C.
    INT = libc::SIGINT, "SIGINT";
    /// Ctrl-\\.
    QUIT = libc::SIGQUIT, "SIGQUIT";
    /// An instruction that is none.
    ILL = libc::SIGILL, "SIGILL";
    /// A breakpoint.
    TRAP = libc::SIGTRAP, "SIGTRAP";
    /// `abort()`.
    ABRT = libc::SIGABRT, "SIGABRT";
    /// Memory that is not there behind its address.
    BUS = libc::SIGBUS, "SIGBUS";
    /// Arithmetic that has no result.
    FPE = libc::SIGFPE, "SIGFPE";
    /// The end at once; cannot be caught.
    KILL = libc::SIGKILL, "SIGKILL";
    /// For the program's own use.
    USR1 = libc::SIGUSR1, "SIGUSR1";
    /// Memory that is not the program's.
    SEGV = libc::SIGSEGV, "SIGSEGV";
    /// For the program's own use.
    USR2 = libc::SIGUSR2, "SIGUSR2";
    /// A pipe without a reader was written to.
    PIPE = libc::SIGPIPE, "SIGPIPE";
    /// `alarm()`.
    ALRM = libc::SIGALRM, "SIGALRM";
    /// Please end.
    TERM = libc::SIGTERM, "SIGTERM";
    /// A child has ended or stopped.
    CHLD = libc::SIGCHLD, "SIGCHLD";
    /// Go on.
    CONT = libc::SIGCONT, "SIGCONT";
    /// Stop; cannot be caught.
    STOP = libc::SIGSTOP, "SIGSTOP";
    /// Ctrl-Z.
    TSTP = libc::SIGTSTP, "SIGTSTP";
    /// A process in the background reads from the terminal.
    TTIN = libc::SIGTTIN, "SIGTTIN";
    /// A process in the background writes to the terminal.
    TTOU = libc::SIGTTOU, "SIGTTOU";
    /// Urgent data at a socket.
    URG = libc::SIGURG, "SIGURG";
    /// The time on the processor is used up.
    XCPU = libc::SIGXCPU, "SIGXCPU";
    /// A file has grown to its limit.
    XFSZ = libc::SIGXFSZ, "SIGXFSZ";
    /// A timer that counts time on the processor.
    VTALRM = libc::SIGVTALRM, "SIGVTALRM";
    /// A timer for profiling.
    PROF = libc::SIGPROF, "SIGPROF";
    /// The terminal's size has changed.
    WINCH = libc::SIGWINCH, "SIGWINCH";
    /// A descriptor is ready.
    IO = libc::SIGIO, "SIGIO";
    /// A system call that is none.
    SYS = libc::SIGSYS, "SIGSYS";
}

#[cfg(not(unix))]
signals! {
    /// Ctrl-C.
    INT = 2, "SIGINT";
    /// The end at once, for a child; cannot be caught.
    KILL = 9, "SIGKILL";
    /// Please end; on Windows as much as the end at once.
    TERM = 15, "SIGTERM";
    /// Ctrl-Break.
    BREAK = 21, "SIGBREAK";
}

impl Signal {
    /// The last number.
    pub(crate) const LAST: i32 = if cfg!(any(target_os = "linux", target_os = "android")) {
        64
    } else if cfg!(any(target_os = "freebsd", target_os = "dragonfly", target_os = "netbsd")) {
        126
    } else {
        31
    };

    /// The signal of this number.
    ///
    /// # Errors
    ///
    /// [`InvalidSignal`] when there is none.
    pub fn from_raw(number: i32) -> Result<Signal, InvalidSignal> {
        if (1..=Signal::LAST).contains(&number) {
            Ok(Signal(number))
        } else {
            Err(InvalidSignal(number))
        }
    }

    /// Its number.
    pub const fn as_raw(self) -> i32 {
        self.0
    }
}

impl From<Signal> for i32 {
    fn from(signal: Signal) -> i32 {
        signal.as_raw()
    }
}

impl fmt::Display for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None => write!(f, "signal {}", self.0),
        }
    }
}

impl fmt::Debug for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
