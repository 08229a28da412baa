//! `sock_*`: the four socket calls of preview 1.

use crate::abi::{FDFLAG_NONBLOCK, SHUTDOWN_READ, SHUTDOWN_WRITE};
use crate::descriptor::{Connection, Descriptor, Waiting};
use crate::errno::Errno;
use crate::guest_memory::GuestMemory;
use crate::lie::Lie;
use crate::machine::{Fail, Machine, Stop};

impl Machine {
    /// The answers common to all `sock_*` calls: no such descriptor, no sockets here, not a socket.
    pub(crate) fn require_socket(&mut self, name: &str, fd: u32) -> Result<(), Fail> {
        let told = self.told();
        let descriptor = self.table.get(fd)?;
        if let Some(errno) = told.find(|lie| match lie {
            Lie::SocketsMissing { errno } => Some(*errno),
            _ => None,
        }) {
            return Err(errno.into());
        }
        if descriptor.is_socket() {
            return Ok(());
        }
        if told.tells(Lie::NonSocketTraps) {
            let reason = format!(
                "{name} on descriptor {fd}, which is not a socket: the host traps (Lie::NonSocketTraps)"
            );
            return Err(Stop::Trap(reason).into());
        }
        Err(if told.tells(Lie::NonSocketIsBadf) { Errno::Badf } else { Errno::Notsock }.into())
    }

    pub(crate) fn sock_accept(
        &mut self,
        memory: &mut GuestMemory<'_>,
        fd: u32,
        flags: u16,
        fd_at: u32,
    ) -> Result<u32, Fail> {
        self.require_socket("sock_accept", fd)?;
        memory.region(fd_at, 1, 4, 4)?;
        let told = self.told();
        let now = self.clock.monotonic();
        let Descriptor::Listener(queue) = self.table.settled(fd, now)? else {
            return Err(Errno::Inval.into());
        };
        if flags & !FDFLAG_NONBLOCK != 0 {
            if told.tells(Lie::AcceptFlagsLoseConnection)
                && let Some(Waiting::Peer { record, .. }) = queue.waiting.pop_front()
            {
                let now = self.now();
                if let Some(peer) = self.peers.get_mut(record) {
                    peer.lost_at = Some(now);
                }
            }
            return Err(Errno::Inval.into());
        }
        if queue.flags & FDFLAG_NONBLOCK == 0 {
            self.block_on(fd, "sock_accept", |descriptor| match descriptor {
                Descriptor::Listener(queue) if queue.waiting.is_empty() => Err(Errno::Again),
                _ => Ok(()),
            })?;
        }
        let accepted = self.table.free();
        let Descriptor::Listener(queue) = self.table.get(fd)? else {
            return Err(Errno::Inval.into());
        };
        let refusals = told.find(|lie| match lie {
            Lie::AcceptAgainAfterReady { times } => Some(*times),
            _ => None,
        });
        if queue.flags & FDFLAG_NONBLOCK != 0
            && (queue.waiting.is_empty() || queue.refused < refusals.unwrap_or(0))
        {
            queue.refused += u32::from(!queue.waiting.is_empty());
            return Err(Errno::Again.into());
        }
        // Out of descriptors: the connection stays in the queue, as with accept(2).
        let accepted =
            if matches!(queue.waiting.front(), Some(Waiting::Peer { .. })) { accepted? } else { 0 };
        queue.refused = 0;
        match queue.waiting.pop_front() {
            None => Err(Errno::Again.into()),
            Some(Waiting::Failure(errno)) => Err(errno.into()),
            Some(Waiting::Peer { peer, record }) => {
                self.table
                    .insert(accepted, Descriptor::Stream(Connection::new(*peer, record, flags)));
                let now = self.now();
                if let Some(peer) = self.peers.get_mut(record) {
                    peer.fd = Some(accepted);
                    peer.accepted_at = Some(now);
                }
                memory.write_u32(fd_at, accepted)?;
                Ok(accepted)
            }
        }
    }

    pub(crate) fn sock_shutdown(&mut self, fd: u32, how: u8) -> Result<(), Fail> {
        self.require_socket("sock_shutdown", fd)?;
        if how == 0 || how & !(SHUTDOWN_READ | SHUTDOWN_WRITE) != 0 {
            return Err(Errno::Inval.into());
        }
        let now = self.now();
        let Descriptor::Stream(connection) = self.table.get(fd)? else {
            return Err(Errno::Notconn.into());
        };
        if how & SHUTDOWN_READ != 0 {
            connection.inbound.shut();
        }
        if how & SHUTDOWN_WRITE != 0 {
            connection.outbound.shut();
            if let Some(peer) = self.peers.get_mut(connection.record) {
                peer.write_shut_at.get_or_insert(now);
            }
        }
        Ok(())
    }
}
