//! The running module: a command that is called once, or a [`Reactor`] whose exports a test calls as a host would.

use std::fmt;
use std::time::Duration;

use wasmi::{CompilationMode, Config, Engine, Extern, Instance, Module, Store, Val};

use crate::call::CallLog;
use crate::clock::nanos;
use crate::descriptor::{Descriptor, Waiting};
use crate::errno::Errno;
use crate::link::linker_for;
use crate::machine::Machine;
use crate::outcome::{Ending, LoadError, Outcome};
use crate::script::{InputStep, Peer};
use crate::transcript::Transcript;

/// An argument or result of an export.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Value {
    /// A 32-bit integer.
    I32(i32),
    /// A 64-bit integer.
    I64(i64),
}

impl From<i32> for Value {
    fn from(value: i32) -> Self {
        Value::I32(value)
    }
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Value::I64(value)
    }
}

/// Why a call of an export gave no result.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum CallError {
    /// The call ended the run, or an earlier one had.
    Ended(Ending),
    /// The module exports no function of this name.
    NoSuchExport(String),
    /// The arguments do not fit the function's type.
    Arguments {
        /// The export.
        name: String,
        /// What wasmi says about it.
        why: String,
    },
    /// The function's results are not what was asked for, or not integers.
    Results {
        /// The export.
        name: String,
    },
}

impl fmt::Display for CallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CallError::Ended(ending) => write!(f, "calling an export: the guest {ending}"),
            CallError::NoSuchExport(name) => {
                write!(f, "calling {name}: the module exports no function of that name")
            }
            CallError::Arguments { name, why } => write!(f, "calling {name}: {why}"),
            CallError::Results { name } => {
                write!(f, "calling {name}: its results are of another number or type")
            }
        }
    }
}

impl std::error::Error for CallError {}

/// A store with at most one instance in it.
pub(crate) struct Guest {
    store: Store<Machine>,
    /// `None` if instantiation itself ended the run, in a `start` section.
    instance: Option<Instance>,
    ending: Ending,
    /// Per call.
    fuel: u64,
    fuel_used: u64,
}

impl Guest {
    pub(crate) fn instantiate(
        machine: Machine,
        fuel: u64,
        wasm: &[u8],
    ) -> Result<Guest, LoadError> {
        let mut config = Config::default();
        // Scenarios run a small part of a module, so functions are translated when they are first called.
        config.consume_fuel(true).compilation_mode(CompilationMode::LazyTranslation);
        let engine = Engine::new(&config);
        let module =
            Module::new(&engine, wasm).map_err(|error| LoadError::Invalid(error.to_string()))?;
        let linker = linker_for(&module)?;
        let mut store = Store::new(&engine, machine);
        store.limiter(|machine| &mut machine.limits);
        let mut guest =
            Guest { store, instance: None, ending: Ending::Running, fuel, fuel_used: 0 };
        guest.refuel();
        match linker.instantiate_and_start(&mut guest.store, &module) {
            Ok(instance) => guest.instance = Some(instance),
            Err(error) => match error.kind() {
                wasmi::errors::ErrorKind::TrapCode(_) | wasmi::errors::ErrorKind::Host(_) => {
                    guest.ending = Ending::from(&error);
                }
                _ => return Err(LoadError::Link(error.to_string())),
            },
        }
        guest.account();
        Ok(guest)
    }

    fn refuel(&mut self) {
        // Fails only if the engine does not meter fuel, and this one does.
        let _ = self.store.set_fuel(self.fuel);
    }

    fn account(&mut self) {
        let left = self.store.get_fuel().unwrap_or(self.fuel);
        self.fuel_used = self.fuel_used.saturating_add(self.fuel.saturating_sub(left));
    }

    /// Calls `_start` and makes of its return status 0.
    pub(crate) fn start(&mut self) -> Result<(), LoadError> {
        match self.call("_start", &[]) {
            Ok(results) if results.is_empty() => self.ending = Ending::Exited(0),
            Err(CallError::Ended(_)) => {}
            Ok(_) | Err(_) => return Err(LoadError::NoStart),
        }
        Ok(())
    }

    /// Calls `_initialize` if there is one.
    pub(crate) fn initialize(&mut self) {
        // A missing export is fine, and how a failing one ended stays in `self.ending` for the next call to report.
        let _ = self.call("_initialize", &[]);
    }

    fn call(&mut self, name: &str, arguments: &[Value]) -> Result<Vec<Value>, CallError> {
        let (Some(instance), Ending::Running) = (self.instance, &self.ending) else {
            return Err(CallError::Ended(self.ending.clone()));
        };
        let Some(function) = instance.get_func(&self.store, name) else {
            return Err(CallError::NoSuchExport(name.to_owned()));
        };
        let arguments: Vec<Val> = arguments
            .iter()
            .map(|value| match value {
                Value::I32(value) => Val::I32(*value),
                Value::I64(value) => Val::I64(*value),
            })
            .collect();
        let ty = function.ty(&self.store);
        let mut results: Vec<Val> =
            ty.results().iter().map(|ty| Val::default_for_ty(*ty)).collect();
        self.refuel();
        let called = function.call(&mut self.store, &arguments, &mut results);
        self.account();
        match called {
            Ok(()) => results
                .iter()
                .map(|result| match result {
                    Val::I32(value) => Ok(Value::I32(*value)),
                    Val::I64(value) => Ok(Value::I64(*value)),
                    _ => Err(CallError::Results { name: name.to_owned() }),
                })
                .collect(),
            // wasmi checks the arguments before it runs anything.
            Err(error) if matches!(error.kind(), wasmi::errors::ErrorKind::Func(_)) => {
                Err(CallError::Arguments { name: name.to_owned(), why: error.to_string() })
            }
            Err(error) => {
                self.ending = Ending::from(&error);
                Err(CallError::Ended(self.ending.clone()))
            }
        }
    }

    pub(crate) fn into_outcome(self) -> Outcome {
        let machine = self.store.into_data();
        Outcome {
            ending: self.ending,
            clock: machine.now(),
            open: machine.table.numbers(),
            stdout: machine.stdout,
            stderr: machine.stderr,
            calls: machine.log,
            polls: machine.polls,
            peers: machine.peers,
            fuel_used: self.fuel_used,
        }
    }
}

/// A module whose exports the test calls, with the clock standing still in between unless the test moves it.
///
/// This is how a host embeds a loop: call the turn export, take its next deadline, let time pass or input arrive, call
/// again.
pub struct Reactor {
    guest: Guest,
}

impl Reactor {
    pub(crate) fn new(guest: Guest) -> Self {
        Reactor { guest }
    }

    /// Calls an export.
    ///
    /// # Errors
    /// There is no such function, the arguments do not fit, or the guest ended. After the latter every call says the same.
    pub fn call(&mut self, name: &str, arguments: &[Value]) -> Result<Vec<Value>, CallError> {
        self.guest.call(name, arguments)
    }

    /// Calls an export whose single result is an `i32`.
    ///
    /// # Errors
    /// As [`call`](Self::call), and if the result is something else.
    pub fn call_i32(&mut self, name: &str, arguments: &[Value]) -> Result<i32, CallError> {
        match self.call(name, arguments)?[..] {
            [Value::I32(value)] => Ok(value),
            _ => Err(CallError::Results { name: name.to_owned() }),
        }
    }

    /// Calls an export whose single result is an `i64`, for example a next deadline in nanoseconds.
    ///
    /// # Errors
    /// As [`call`](Self::call), and if the result is something else.
    pub fn call_i64(&mut self, name: &str, arguments: &[Value]) -> Result<i64, CallError> {
        match self.call(name, arguments)?[..] {
            [Value::I64(value)] => Ok(value),
            _ => Err(CallError::Results { name: name.to_owned() }),
        }
    }

    /// The monotonic clock.
    #[must_use]
    pub fn now(&self) -> Duration {
        self.guest.store.data().now()
    }

    /// Lets time pass in the host.
    pub fn advance(&mut self, by: Duration) {
        let machine = self.guest.store.data_mut();
        machine.clock.advance_to(machine.clock.monotonic().saturating_add(nanos(by)));
    }

    /// Bytes arrive now at stdin or a connected socket, beside what is scripted.
    ///
    /// # Errors
    /// `EBADF` if the descriptor is not open or takes no input.
    pub fn feed(&mut self, fd: u32, bytes: impl AsRef<[u8]>) -> Result<(), Errno> {
        self.plan(fd, InputStep::Bytes(bytes.as_ref().to_vec()))
    }

    /// The input of stdin or of a connected socket ends now.
    ///
    /// # Errors
    /// `EBADF` if the descriptor is not open or takes no input.
    pub fn end_input(&mut self, fd: u32) -> Result<(), Errno> {
        self.plan(fd, InputStep::Eof)
    }

    fn plan(&mut self, fd: u32, step: InputStep) -> Result<(), Errno> {
        let machine = self.guest.store.data_mut();
        let now = machine.clock.monotonic();
        match machine.table.settled(fd, now)? {
            Descriptor::Stdin(inbound) => inbound.plan(now, step),
            Descriptor::Stream(connection) => connection.inbound.plan(now, step),
            _ => return Err(Errno::Badf),
        }
        Ok(())
    }

    /// A peer connects now to a listener, beside what is scripted.
    ///
    /// # Errors
    /// `EBADF` if the descriptor is not an open listener.
    pub fn connect(&mut self, fd: u32, peer: Peer) -> Result<(), Errno> {
        let machine = self.guest.store.data_mut();
        let now = machine.clock.monotonic();
        let Descriptor::Listener(queue) = machine.table.settled(fd, now)? else {
            return Err(Errno::Badf);
        };
        queue.waiting.push_back(Waiting::peer(Box::new(peer), &mut machine.peers));
        Ok(())
    }

    /// The host calls so far. Its length before a call is the mark for [`CallLog::polls_since`].
    #[must_use]
    pub fn log(&self) -> &CallLog {
        &self.guest.store.data().log
    }

    /// What it wrote to descriptor 1 so far.
    #[must_use]
    pub fn stdout(&self) -> &Transcript {
        &self.guest.store.data().stdout
    }

    /// A copy of `len` bytes of the guest's memory at `address`, or `None` if they do not all lie in it.
    #[must_use]
    pub fn memory(&self, address: u32, len: usize) -> Option<Vec<u8>> {
        let instance = self.guest.instance?;
        let memory =
            instance.get_export(&self.guest.store, "memory").and_then(Extern::into_memory)?;
        let start = address as usize;
        memory.data(&self.guest.store).get(start..start.checked_add(len)?).map(<[u8]>::to_vec)
    }

    /// Ends the test's driving.
    #[must_use]
    pub fn into_outcome(self) -> Outcome {
        self.guest.into_outcome()
    }
}
