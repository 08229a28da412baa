//! Ties the host calls to wasmi: one closure per import, and `ENOSYS` for the rest of preview 1.

use wasmi::{Caller, Extern, ExternType, Linker, Module, Val, ValType};

use crate::call::Call;
use crate::guest_memory::GuestMemory;
use crate::machine::{Fail, Machine, Stop};
use crate::outcome::LoadError;
use crate::process::{strings, strings_sizes};

/// The import module of preview 1.
const PREVIEW_1: &str = "wasi_snapshot_preview1";

/// Runs one call with the caller's memory and turns its errno into the `i32` of the ABI.
fn enter(
    mut caller: Caller<'_, Machine>,
    call: Call,
    body: impl FnOnce(&mut Machine, &mut GuestMemory<'_>, &mut Call) -> Result<(), Fail>,
) -> Result<i32, wasmi::Error> {
    // A module without a memory still may call proc_exit or sched_yield; any pointer it passes is EFAULT.
    let memory = caller.get_export("memory").and_then(Extern::into_memory);
    let (bytes, machine) = match memory {
        Some(memory) => memory.data_and_store_mut(&mut caller),
        None => (&mut [][..], caller.data_mut()),
    };
    match machine.perform(&mut GuestMemory::new(bytes), call, body) {
        Ok(errno) => Ok(i32::from(errno.code())),
        Err(stop) => Err(wasmi::Error::host(stop)),
    }
}

/// Flags travel as `i32`s of which the ABI uses 16 bits; what lies above is the guest's mistake, and kept visible.
fn flags(bits: u32) -> u16 {
    u16::try_from(bits).unwrap_or(u16::MAX)
}

/// Defines the functions that preview-1 modules of this project import.
///
/// The arguments are pointers and numbers exactly as in the ABI; `u32` is how wasmi hands an unsigned `i32` over.
fn define(linker: &mut Linker<Machine>) -> Result<(), wasmi::errors::LinkerError> {
    type C<'a> = Caller<'a, Machine>;
    linker
        .func_wrap(
            PREVIEW_1,
            "poll_oneoff",
            |c: C, input: u32, output: u32, n: u32, count_at: u32| {
                let call = Call::PollOneoff { n, subscriptions: Vec::new(), events: Vec::new() };
                enter(c, call, |machine, memory, call| {
                    machine.poll_oneoff(memory, input, output, n, count_at, call)
                })
            },
        )?
        .func_wrap(PREVIEW_1, "fd_read", |c: C, fd: u32, vectors: u32, n: u32, count_at: u32| {
            enter(c, Call::FdRead { fd, bytes: 0 }, |machine, memory, call| {
                let bytes = machine.read(memory, fd, (vectors, n), 0, count_at)?;
                *call = Call::FdRead { fd, bytes };
                Ok(())
            })
        })?
        .func_wrap(PREVIEW_1, "fd_write", |c: C, fd: u32, vectors: u32, n: u32, count_at: u32| {
            enter(c, Call::FdWrite { fd, bytes: 0 }, |machine, memory, call| {
                let bytes = machine.write(memory, fd, (vectors, n), count_at)?;
                *call = Call::FdWrite { fd, bytes };
                Ok(())
            })
        })?
        .func_wrap(PREVIEW_1, "fd_close", |c: C, fd: u32| {
            enter(c, Call::FdClose { fd }, |machine, _, _| machine.fd_close(fd))
        })?
        .func_wrap(PREVIEW_1, "fd_fdstat_get", |c: C, fd: u32, at: u32| {
            enter(c, Call::FdFdstatGet { fd }, |machine, memory, _| {
                machine.fd_fdstat_get(memory, fd, at)
            })
        })?
        .func_wrap(PREVIEW_1, "fd_fdstat_set_flags", |c: C, fd: u32, bits: u32| {
            let flags = flags(bits);
            enter(c, Call::FdFdstatSetFlags { fd, flags }, |machine, _, _| {
                machine.fd_fdstat_set_flags(fd, flags)
            })
        })?
        .func_wrap(PREVIEW_1, "fd_prestat_get", |c: C, fd: u32, at: u32| {
            enter(c, Call::FdPrestatGet { fd }, |machine, memory, _| {
                machine.fd_prestat_get(memory, fd, at)
            })
        })?
        .func_wrap(PREVIEW_1, "fd_prestat_dir_name", |c: C, fd: u32, at: u32, len: u32| {
            enter(c, Call::FdPrestatDirName { fd }, |machine, memory, _| {
                machine.fd_prestat_dir_name(memory, fd, at, len)
            })
        })?;
    define_sockets(linker)?;
    define_process(linker)
}

fn define_sockets(linker: &mut Linker<Machine>) -> Result<(), wasmi::errors::LinkerError> {
    type C<'a> = Caller<'a, Machine>;
    linker
        .func_wrap(PREVIEW_1, "sock_accept", |c: C, fd: u32, bits: u32, fd_at: u32| {
            let flags = flags(bits);
            enter(c, Call::SockAccept { fd, flags, accepted: None }, |machine, memory, call| {
                let accepted = machine.sock_accept(memory, fd, flags, fd_at)?;
                *call = Call::SockAccept { fd, flags, accepted: Some(accepted) };
                Ok(())
            })
        })?
        .func_wrap(
            PREVIEW_1,
            "sock_recv",
            |c: C, fd: u32, vectors: u32, n: u32, bits: u32, count_at: u32, flags_at: u32| {
                let flags = flags(bits);
                enter(c, Call::SockRecv { fd, flags, bytes: 0 }, |machine, memory, call| {
                    machine.require_socket("sock_recv", fd)?;
                    memory.region(flags_at, 1, 2, 2)?;
                    let bytes = machine.read(memory, fd, (vectors, n), flags, count_at)?;
                    memory.write_u16(flags_at, 0)?;
                    *call = Call::SockRecv { fd, flags, bytes };
                    Ok(())
                })
            },
        )?
        .func_wrap(
            PREVIEW_1,
            "sock_send",
            |c: C, fd: u32, vectors: u32, n: u32, _flags: u32, count_at: u32| {
                enter(c, Call::SockSend { fd, bytes: 0 }, |machine, memory, call| {
                    machine.require_socket("sock_send", fd)?;
                    let bytes = machine.write(memory, fd, (vectors, n), count_at)?;
                    *call = Call::SockSend { fd, bytes };
                    Ok(())
                })
            },
        )?
        .func_wrap(PREVIEW_1, "sock_shutdown", |c: C, fd: u32, bits: u32| {
            let how = u8::try_from(bits).unwrap_or(u8::MAX);
            enter(c, Call::SockShutdown { fd, how }, |machine, _, _| machine.sock_shutdown(fd, how))
        })?;
    Ok(())
}

fn define_process(linker: &mut Linker<Machine>) -> Result<(), wasmi::errors::LinkerError> {
    type C<'a> = Caller<'a, Machine>;
    linker
        .func_wrap(PREVIEW_1, "clock_time_get", |c: C, id: u32, _precision: u64, at: u32| {
            enter(c, Call::ClockTimeGet { id }, |machine, memory, _| {
                machine.clock_time_get(memory, id, at)
            })
        })?
        .func_wrap(PREVIEW_1, "clock_res_get", |c: C, id: u32, at: u32| {
            enter(c, Call::ClockResGet { id }, |machine, memory, _| {
                machine.clock_res_get(memory, id, at)
            })
        })?
        .func_wrap(PREVIEW_1, "args_sizes_get", |c: C, count_at: u32, size_at: u32| {
            enter(c, Call::Plain { name: "args_sizes_get" }, |machine, memory, _| {
                strings_sizes(memory, &machine.arguments, count_at, size_at)
            })
        })?
        .func_wrap(PREVIEW_1, "args_get", |c: C, pointers: u32, buffer: u32| {
            enter(c, Call::Plain { name: "args_get" }, |machine, memory, _| {
                strings(memory, &machine.arguments, pointers, buffer)
            })
        })?
        .func_wrap(PREVIEW_1, "environ_sizes_get", |c: C, count_at: u32, size_at: u32| {
            enter(c, Call::Plain { name: "environ_sizes_get" }, |machine, memory, _| {
                strings_sizes(memory, &machine.environment, count_at, size_at)
            })
        })?
        .func_wrap(PREVIEW_1, "environ_get", |c: C, pointers: u32, buffer: u32| {
            enter(c, Call::Plain { name: "environ_get" }, |machine, memory, _| {
                strings(memory, &machine.environment, pointers, buffer)
            })
        })?
        .func_wrap(PREVIEW_1, "random_get", |c: C, at: u32, len: u32| {
            enter(c, Call::Plain { name: "random_get" }, |machine, memory, _| {
                machine.random_get(memory, at, len)
            })
        })?
        .func_wrap(PREVIEW_1, "sched_yield", |c: C| {
            enter(c, Call::Plain { name: "sched_yield" }, |_, _, _| Ok(()))
        })?
        .func_wrap(PREVIEW_1, "proc_exit", |c: C, code: u32| {
            enter(c, Call::ProcExit { code }, |_, _, _| Err(Stop::Exit(code).into())).map(|_| ())
        })?;
    Ok(())
}

/// A linker for `module`: the calls above, and `ENOSYS` for its other preview-1 imports.
pub(crate) fn linker_for(module: &Module) -> Result<Linker<Machine>, LoadError> {
    let mut linker = Linker::new(module.engine());
    define(&mut linker).map_err(|error| LoadError::Link(error.to_string()))?;
    for import in module.imports() {
        let (from, name) = (import.module(), import.name());
        let ExternType::Func(ty) = import.ty() else {
            return Err(LoadError::ForeignImport {
                module: from.to_owned(),
                name: name.to_owned(),
            });
        };
        if from != PREVIEW_1 {
            return Err(LoadError::ForeignImport {
                module: from.to_owned(),
                name: name.to_owned(),
            });
        }
        let logged = name.to_owned();
        let enosys = move |caller: Caller<'_, Machine>, _: &[Val], results: &mut [Val]| {
            let call = Call::Unimplemented { name: logged.clone() };
            let errno = enter(caller, call, |_, _, _| Err(crate::errno::Errno::Nosys.into()))?;
            results.fill(Val::I32(errno));
            Ok(())
        };
        match linker.func_new(PREVIEW_1, name, ty.clone(), enosys) {
            // Every call of preview 1 but proc_exit, which is defined above, returns an errno.
            Ok(_) if ty.results() == [ValType::I32] => {}
            Ok(_) => {
                return Err(LoadError::ForeignImport {
                    module: from.to_owned(),
                    name: name.to_owned(),
                });
            }
            Err(wasmi::errors::LinkerError::DuplicateDefinition { .. }) => {}
            Err(error) => return Err(LoadError::Link(error.to_string())),
        }
    }
    Ok(linker)
}
