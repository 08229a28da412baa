//! `fd_*`: reading, writing, closing and asking about descriptors, whatever they are.

use crate::abi::{
    FDFLAG_APPEND, FDFLAG_NONBLOCK, Filetype, RIFLAG_PEEK, RIFLAG_WAITALL, SOCKET_RIGHTS,
    SOCKET_RIGHTS_UNDERSTATED, encode_fdstat,
};
use crate::descriptor::{Descriptor, End, Inbound, Standard, record};
use crate::errno::Errno;
use crate::guest_memory::GuestMemory;
use crate::lie::{Lie, Told};
use crate::machine::{Fail, Machine};

/// Everything readable and writable, for what is not a socket.
const ALL_RIGHTS: u64 = (1 << 30) - 1;

impl Machine {
    /// `fd_read` and `sock_recv`: reads into an iovec array and stores the count.
    pub(crate) fn read(
        &mut self,
        memory: &mut GuestMemory<'_>,
        fd: u32,
        (vectors, n): (u32, u32),
        flags: u16,
        count_at: u32,
    ) -> Result<usize, Fail> {
        let told = self.told();
        self.table.get(fd)?;
        let mut regions = memory.io_vectors(vectors, n)?;
        memory.region(count_at, 1, 4, 4)?;
        if told.tells(Lie::RecvFillsFirstBufferOnly) && self.table.get(fd)?.is_socket() {
            regions.retain(|region| region.len() > 0);
            regions.truncate(1);
        }
        let total: usize = regions.iter().map(|region| region.len()).sum();
        let short = told.find(|lie| match lie {
            Lie::ShortReads { max } => Some(max.get() as usize),
            _ => None,
        });
        let bytes = self.receive(fd, total.min(short.unwrap_or(usize::MAX)), flags, &told)?;
        memory.scatter(&regions, &bytes);
        // Limited by the iovecs' lengths, of which at most 4 GiB are in memory; overlapping ones could exceed it.
        memory.write_u32(count_at, u32::try_from(bytes.len()).map_err(|_| Errno::Inval)?)?;
        Ok(bytes.len())
    }

    fn receive(&mut self, fd: u32, max: usize, flags: u16, told: &Told) -> Result<Vec<u8>, Fail> {
        let now = self.clock.monotonic();
        let refusals = told.find(|lie| match lie {
            Lie::RecvAgainAfterReady { times } => Some(*times),
            _ => None,
        });
        match self.table.settled(fd, now)? {
            Descriptor::Stdin(_) => {
                if max == 0 {
                    return Ok(Vec::new());
                }
                self.block_on(fd, "fd_read", |descriptor| take(inbound(descriptor)?, max, flags))
            }
            Descriptor::File { contents, position, .. } => {
                let rest = contents.get(*position..).unwrap_or_default();
                let bytes = rest[..rest.len().min(max)].to_vec();
                *position += bytes.len();
                Ok(bytes)
            }
            Descriptor::Stream(connection) if connection.flags & FDFLAG_NONBLOCK != 0 => {
                let inbound = &mut connection.inbound;
                if max == 0 {
                    return Ok(Vec::new());
                }
                if inbound.is_readable() && inbound.refused < refusals.unwrap_or(0) {
                    inbound.refused += 1;
                    return Err(Errno::Again.into());
                }
                // Nothing to wait for: a non-blocking socket gives what is there.
                Ok(take(inbound, max, flags & !RIFLAG_WAITALL)?)
            }
            Descriptor::Stream(_) => {
                if max == 0 {
                    return Ok(Vec::new());
                }
                self.block_on(fd, "reading", |descriptor| take(inbound(descriptor)?, max, flags))
            }
            Descriptor::Listener(_) => Err(Errno::Notconn.into()),
            Descriptor::Standard { .. } | Descriptor::Directory { .. } => Err(Errno::Badf.into()),
        }
    }

    /// `fd_write` and `sock_send`: writes from a ciovec array and stores the count.
    pub(crate) fn write(
        &mut self,
        memory: &mut GuestMemory<'_>,
        fd: u32,
        (vectors, n): (u32, u32),
        count_at: u32,
    ) -> Result<usize, Fail> {
        let told = self.told();
        self.table.get(fd)?;
        let regions = memory.io_vectors(vectors, n)?;
        memory.region(count_at, 1, 4, 4)?;
        let max = told.find(|lie| match lie {
            Lie::ShortWrites { max } => Some(max.get() as usize),
            _ => None,
        });
        // One call never takes more than half the 32-bit range: overlapping ciovecs could ask for terabytes.
        let max = max.unwrap_or(i32::MAX as usize);
        let total =
            regions.iter().map(|region| region.len()).fold(0, usize::saturating_add).min(max);
        let taken = self.transmit(fd, total, &told, |count| memory.gather(&regions, count))?;
        memory.write_u32(count_at, u32::try_from(taken).map_err(|_| Errno::Inval)?)?;
        Ok(taken)
    }

    fn transmit(
        &mut self,
        fd: u32,
        len: usize,
        told: &Told,
        gather: impl Fn(usize) -> Vec<u8>,
    ) -> Result<usize, Fail> {
        let now = self.clock.monotonic();
        let refusals = told.find(|lie| match lie {
            Lie::SendAgainAfterReady { times } => Some(*times),
            _ => None,
        });
        let taken = match self.table.settled(fd, now)? {
            Descriptor::File { contents, position, flags } => {
                let bytes = gather(len);
                if *flags & FDFLAG_APPEND != 0 {
                    *position = contents.len();
                }
                let end = *position + bytes.len();
                contents.resize(contents.len().max(end), 0);
                contents[*position..end].copy_from_slice(&bytes);
                *position = end;
                return Ok(bytes.len());
            }
            Descriptor::Stream(connection) if connection.flags & FDFLAG_NONBLOCK != 0 => {
                let outbound = &mut connection.outbound;
                if outbound.is_writable() && outbound.refused < refusals.unwrap_or(0) {
                    outbound.refused += 1;
                    return Err(Errno::Again.into());
                }
                outbound.refused = 0;
                outbound.admit(len)?
            }
            Descriptor::Stream(_) | Descriptor::Standard { .. } => {
                self.block_on(fd, "writing", |descriptor| match descriptor {
                    Descriptor::Stream(connection) => connection.outbound.admit(len),
                    Descriptor::Standard { outbound, .. } => outbound.admit(len),
                    _ => Err(Errno::Badf),
                })?
            }
            Descriptor::Listener(_) => return Err(Errno::Notconn.into()),
            Descriptor::Stdin(_) | Descriptor::Directory { .. } => return Err(Errno::Badf.into()),
        };
        let bytes = gather(taken);
        let now = self.clock.monotonic();
        match self.table.get(fd)? {
            Descriptor::Stream(connection) => {
                connection.outbound.take(taken);
                if let Some(peer) = self.peers.get_mut(connection.record) {
                    record(&mut peer.received, now, bytes);
                    connection.react(peer.received.len(), now);
                }
            }
            Descriptor::Standard { which, outbound } => {
                outbound.take(taken);
                let transcript = match which {
                    Standard::Output => &mut self.stdout,
                    Standard::Error => &mut self.stderr,
                };
                record(transcript, now, bytes);
            }
            _ => {}
        }
        Ok(taken)
    }

    pub(crate) fn fd_close(&mut self, fd: u32) -> Result<(), Fail> {
        if let Descriptor::Stream(connection) = self.table.remove(fd)? {
            let now = self.now();
            if let Some(peer) = self.peers.get_mut(connection.record) {
                peer.closed_at = Some(now);
            }
        }
        Ok(())
    }

    pub(crate) fn fd_fdstat_get(
        &mut self,
        memory: &mut GuestMemory<'_>,
        fd: u32,
        at: u32,
    ) -> Result<(), Fail> {
        let understated = self.told().tells(Lie::SocketRightsUnderstated);
        let socket_rights = if understated { SOCKET_RIGHTS_UNDERSTATED } else { SOCKET_RIGHTS };
        let stat = match self.table.get(fd)? {
            Descriptor::Stdin(_) | Descriptor::Standard { .. } => {
                encode_fdstat(Filetype::CharacterDevice, 0, ALL_RIGHTS)
            }
            Descriptor::Directory { .. } => encode_fdstat(Filetype::Directory, 0, ALL_RIGHTS),
            Descriptor::File { flags, .. } => {
                encode_fdstat(Filetype::RegularFile, *flags, ALL_RIGHTS)
            }
            Descriptor::Listener(queue) => {
                encode_fdstat(Filetype::SocketStream, queue.flags, socket_rights)
            }
            Descriptor::Stream(connection) => {
                encode_fdstat(Filetype::SocketStream, connection.flags, socket_rights)
            }
        };
        memory.region(at, 1, 24, 8)?;
        Ok(memory.write_bytes(at, &stat)?)
    }

    pub(crate) fn fd_fdstat_set_flags(&mut self, fd: u32, wanted: u16) -> Result<(), Fail> {
        let told = self.told();
        match self.table.get(fd)? {
            Descriptor::Listener(queue) => set_socket_flags(&mut queue.flags, wanted)?,
            Descriptor::Stream(connection) => set_socket_flags(&mut connection.flags, wanted)?,
            // Accepted, and without effect on reads: a regular file never blocks.
            Descriptor::File { flags, .. } if wanted & !(FDFLAG_APPEND | FDFLAG_NONBLOCK) == 0 => {
                *flags = wanted
            }
            Descriptor::File { .. } => return Err(Errno::Inval.into()),
            Descriptor::Stdin(_) | Descriptor::Standard { .. } | Descriptor::Directory { .. } => {
                if !told.tells(Lie::StdioAcceptsNonblock) {
                    return Err(Errno::Badf.into());
                }
            }
        }
        Ok(())
    }

    /// `EBADF` for everything but a directory, sockets included: that is how libc's scan ends before it has seen the
    /// directories behind a preopened socket.
    pub(crate) fn fd_prestat_get(
        &mut self,
        memory: &mut GuestMemory<'_>,
        fd: u32,
        at: u32,
    ) -> Result<(), Fail> {
        let Descriptor::Directory { name } = self.table.get(fd)? else {
            return Err(Errno::Badf.into());
        };
        let len = u32::try_from(name.len()).map_err(|_| Errno::Nametoolong)?;
        memory.region(at, 2, 4, 4)?;
        memory.write_u32(at, 0)?;
        // Cannot wrap: the region above ends within memory.
        Ok(memory.write_u32(at + 4, len)?)
    }

    pub(crate) fn fd_prestat_dir_name(
        &mut self,
        memory: &mut GuestMemory<'_>,
        fd: u32,
        at: u32,
        len: u32,
    ) -> Result<(), Fail> {
        let Descriptor::Directory { name } = self.table.get(fd)? else {
            return Err(Errno::Badf.into());
        };
        if (len as usize) < name.len() {
            return Err(Errno::Nametoolong.into());
        }
        Ok(memory.write_bytes(at, name.as_bytes())?)
    }
}

fn inbound(descriptor: &mut Descriptor) -> Result<&mut Inbound, Errno> {
    match descriptor {
        Descriptor::Stdin(inbound) => Ok(inbound),
        Descriptor::Stream(connection) => Ok(&mut connection.inbound),
        _ => Err(Errno::Badf),
    }
}

/// Takes up to `max` bytes, or only looks at them; with `WAITALL` all of them or the end of input.
fn take(inbound: &mut Inbound, max: usize, flags: u16) -> Result<Vec<u8>, Errno> {
    if flags & RIFLAG_WAITALL != 0 && inbound.unread() < max && inbound.end() == End::Open {
        return Err(Errno::Again);
    }
    let bytes = inbound.peek(max)?;
    if flags & RIFLAG_PEEK == 0 {
        inbound.consume(bytes.len());
        inbound.refused = 0;
    }
    Ok(bytes)
}

/// Only NONBLOCK exists for sockets.
fn set_socket_flags(flags: &mut u16, wanted: u16) -> Result<(), Errno> {
    if wanted & !FDFLAG_NONBLOCK != 0 {
        return Err(Errno::Inval);
    }
    *flags = wanted;
    Ok(())
}
