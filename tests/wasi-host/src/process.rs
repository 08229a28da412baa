//! Clocks, arguments, environment and random bytes.

use crate::abi::{CLOCK_MONOTONIC, CLOCK_REALTIME};
use crate::errno::Errno;
use crate::guest_memory::GuestMemory;
use crate::machine::{Fail, Machine};

impl Machine {
    pub(crate) fn clock_time_get(
        &mut self,
        memory: &mut GuestMemory<'_>,
        id: u32,
        at: u32,
    ) -> Result<(), Fail> {
        let now = match id {
            CLOCK_REALTIME => self.clock.realtime(),
            CLOCK_MONOTONIC => self.clock.monotonic(),
            _ => return Err(Errno::Inval.into()),
        };
        Ok(memory.write_u64(at, now)?)
    }

    /// One nanosecond, as every measured host reports, whatever its timers do.
    pub(crate) fn clock_res_get(
        &mut self,
        memory: &mut GuestMemory<'_>,
        id: u32,
        at: u32,
    ) -> Result<(), Fail> {
        if id > CLOCK_MONOTONIC {
            return Err(Errno::Inval.into());
        }
        Ok(memory.write_u64(at, 1)?)
    }

    pub(crate) fn random_get(
        &mut self,
        memory: &mut GuestMemory<'_>,
        at: u32,
        len: u32,
    ) -> Result<(), Fail> {
        let region = memory.region(at, len, 1, 1)?;
        for chunk in memory.bytes_mut(region).chunks_mut(8) {
            let random = self.next_random().to_le_bytes();
            chunk.copy_from_slice(&random[..chunk.len()]);
        }
        Ok(())
    }
}

/// `args_sizes_get` and `environ_sizes_get`.
pub(crate) fn strings_sizes(
    memory: &mut GuestMemory<'_>,
    strings: &[Vec<u8>],
    count_at: u32,
    size_at: u32,
) -> Result<(), Fail> {
    // Each string is followed by a zero byte.
    let size: usize = strings.iter().map(|string| string.len() + 1).sum();
    memory.write_u32(count_at, u32::try_from(strings.len()).map_err(|_| Errno::Inval)?)?;
    Ok(memory.write_u32(size_at, u32::try_from(size).map_err(|_| Errno::Inval)?)?)
}

/// `args_get` and `environ_get`: the strings one after another, and an array of pointers to them.
pub(crate) fn strings(
    memory: &mut GuestMemory<'_>,
    strings: &[Vec<u8>],
    pointers_at: u32,
    buffer: u32,
) -> Result<(), Fail> {
    let count = u32::try_from(strings.len()).map_err(|_| Errno::Inval)?;
    memory.region(pointers_at, count, 4, 4)?;
    let mut pointers = pointers_at;
    let mut place = buffer;
    for string in strings {
        let mut bytes = string.clone();
        bytes.push(0);
        memory.write_bytes(place, &bytes)?;
        memory.write_u32(pointers, place)?;
        // Wrapping only after the last write at the very end of a 4 GiB memory; the next write is checked again.
        place = place.wrapping_add(bytes.len() as u32);
        pointers = pointers.wrapping_add(4);
    }
    Ok(())
}
