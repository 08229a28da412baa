//! Bounds-checked access to the guest's linear memory.
//!
//! Every address comes from the guest and may be anything. An address outside memory is `EFAULT`, a misaligned one
//! `EINVAL` (as in wasmtime's generated bindings); neither can make the host panic. Arithmetic is in `u64`, where the
//! sum of two 32-bit values cannot wrap around to a valid address.

use crate::errno::Errno;

/// The whole linear memory of the guest during one host call.
pub(crate) struct GuestMemory<'a> {
    bytes: &'a mut [u8],
}

/// One `(pointer, length)` pair of an iovec or ciovec array, already checked to lie in memory.
#[derive(Clone, Copy)]
pub(crate) struct Region {
    start: usize,
    len: usize,
}

impl Region {
    pub(crate) fn len(self) -> usize {
        self.len
    }
}

impl<'a> GuestMemory<'a> {
    pub(crate) fn new(bytes: &'a mut [u8]) -> Self {
        GuestMemory { bytes }
    }

    /// Checks that `count` records of `size` bytes aligned to `align` lie in memory at `address`.
    pub(crate) fn region(
        &self,
        address: u32,
        count: u32,
        size: u32,
        align: u32,
    ) -> Result<Region, Errno> {
        // 32-bit × 32-bit fits in 64 bits, and so does adding another 32-bit value to (2^32-1)^2.
        let len = u64::from(count) * u64::from(size);
        let end = u64::from(address) + len;
        if end > self.bytes.len() as u64 {
            return Err(Errno::Fault);
        }
        if !address.is_multiple_of(align) {
            return Err(Errno::Inval);
        }
        // Both are at most `bytes.len()`, hence fit in usize.
        Ok(Region { start: address as usize, len: len as usize })
    }

    pub(crate) fn bytes(&self, region: Region) -> &[u8] {
        &self.bytes[region.start..region.start + region.len]
    }

    pub(crate) fn bytes_mut(&mut self, region: Region) -> &mut [u8] {
        &mut self.bytes[region.start..region.start + region.len]
    }

    /// Reads an array of `(pointer, length)` pairs and checks every one of them.
    pub(crate) fn io_vectors(&self, address: u32, count: u32) -> Result<Vec<Region>, Errno> {
        let array = self.region(address, count, 8, 4)?;
        self.bytes(array)
            .chunks_exact(8)
            .map(|pair| {
                let pointer = u32::from_le_bytes([pair[0], pair[1], pair[2], pair[3]]);
                let len = u32::from_le_bytes([pair[4], pair[5], pair[6], pair[7]]);
                self.region(pointer, len, 1, 1)
            })
            .collect()
    }

    /// The bytes that a ciovec array gathers, in order, at most `max` of them.
    pub(crate) fn gather(&self, regions: &[Region], max: usize) -> Vec<u8> {
        let mut gathered = Vec::new();
        for region in regions {
            let room = max - gathered.len();
            let bytes = self.bytes(*region);
            gathered.extend_from_slice(&bytes[..bytes.len().min(room)]);
        }
        gathered
    }

    /// Spreads `bytes` over an iovec array, in order. The caller has limited them to the array's total length.
    pub(crate) fn scatter(&mut self, regions: &[Region], mut bytes: &[u8]) {
        for region in regions {
            let (now, later) = bytes.split_at(bytes.len().min(region.len));
            self.bytes_mut(*region)[..now.len()].copy_from_slice(now);
            bytes = later;
        }
    }

    pub(crate) fn write_u16(&mut self, address: u32, value: u16) -> Result<(), Errno> {
        let region = self.region(address, 1, 2, 2)?;
        self.bytes_mut(region).copy_from_slice(&value.to_le_bytes());
        Ok(())
    }

    pub(crate) fn write_u32(&mut self, address: u32, value: u32) -> Result<(), Errno> {
        let region = self.region(address, 1, 4, 4)?;
        self.bytes_mut(region).copy_from_slice(&value.to_le_bytes());
        Ok(())
    }

    pub(crate) fn write_u64(&mut self, address: u32, value: u64) -> Result<(), Errno> {
        let region = self.region(address, 1, 8, 8)?;
        self.bytes_mut(region).copy_from_slice(&value.to_le_bytes());
        Ok(())
    }

    pub(crate) fn write_bytes(&mut self, address: u32, bytes: &[u8]) -> Result<(), Errno> {
        let len = u32::try_from(bytes.len()).map_err(|_| Errno::Fault)?;
        let region = self.region(address, len, 1, 1)?;
        self.bytes_mut(region).copy_from_slice(bytes);
        Ok(())
    }
}
