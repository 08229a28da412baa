//! What a descriptor is on this system: a file descriptor of Unix, a socket of Windows.
//!
//! Windows has handles of many kinds, and waits for sockets only in the way a selector does.

#[cfg(unix)]
pub(crate) use std::os::fd::{
    AsFd as AsDescriptor, AsRawFd as AsRawDescriptor, BorrowedFd as BorrowedDescriptor,
    RawFd as RawDescriptor,
};
#[cfg(windows)]
pub(crate) use std::os::windows::io::{
    AsRawSocket as AsRawDescriptor, AsSocket as AsDescriptor, BorrowedSocket as BorrowedDescriptor,
    RawSocket as RawDescriptor,
};

/// The number by which the system knows a descriptor.
#[cfg(unix)]
pub(crate) fn raw<D: AsRawDescriptor + ?Sized>(descriptor: &D) -> RawDescriptor {
    descriptor.as_raw_fd()
}

/// The number by which the system knows a descriptor.
#[cfg(windows)]
pub(crate) fn raw<D: AsRawDescriptor + ?Sized>(descriptor: &D) -> RawDescriptor {
    descriptor.as_raw_socket()
}

/// That number, as programs are told it.
pub(crate) fn number<D: AsRawDescriptor + ?Sized>(descriptor: &D) -> Option<u64> {
    #[cfg(unix)]
    return u64::try_from(raw(descriptor)).ok();
    #[cfg(windows)]
    return Some(raw(descriptor));
}

/// Something for each descriptor, `T::default()` for most.
///
/// Unix gives out the lowest free number, so this is a vector.
#[cfg(unix)]
#[derive(Default)]
pub(crate) struct DescriptorTable<T> {
    by_number: Vec<T>,
}

#[cfg(unix)]
impl<T: Clone + Default> DescriptorTable<T> {
    pub(crate) const fn new() -> DescriptorTable<T> {
        DescriptorTable { by_number: Vec::new() }
    }

    pub(crate) fn get(&self, descriptor: RawDescriptor) -> T {
        let number = usize::try_from(descriptor).unwrap_or(usize::MAX);
        self.by_number.get(number).cloned().unwrap_or_default()
    }

    /// Puts `thing` in the place of what was there, which it returns. Only for
    /// numbers that the system gave out: the table grows up to them.
    pub(crate) fn replace(&mut self, descriptor: RawDescriptor, thing: T) -> T {
        // The system gives out no negative numbers.
        let Ok(number) = usize::try_from(descriptor) else { return T::default() };
        if self.by_number.len() <= number {
            self.by_number.resize(number + 1, T::default());
        }
        core::mem::replace(&mut self.by_number[number], thing)
    }

    pub(crate) fn values_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.by_number.iter_mut()
    }
}

/// Something for each descriptor, `T::default()` for most.
///
/// Windows' handles are few, but their numbers are not dense: a map.
#[cfg(windows)]
#[derive(Default)]
pub(crate) struct DescriptorTable<T> {
    by_number: std::collections::BTreeMap<RawDescriptor, T>,
}

#[cfg(windows)]
impl<T: Clone + Default> DescriptorTable<T> {
    pub(crate) const fn new() -> DescriptorTable<T> {
        DescriptorTable { by_number: std::collections::BTreeMap::new() }
    }

    pub(crate) fn get(&self, descriptor: RawDescriptor) -> T {
        self.by_number.get(&descriptor).cloned().unwrap_or_default()
    }

    /// Puts `thing` in the place of what was there, which it returns.
    pub(crate) fn replace(&mut self, descriptor: RawDescriptor, thing: T) -> T {
        self.by_number.insert(descriptor, thing).unwrap_or_default()
    }

    pub(crate) fn values_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.by_number.values_mut()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_has_what_was_put_there_last_and_nothing_elsewhere() {
        let mut table = DescriptorTable::new();
        assert_eq!(table.get(8), 0);
        assert_eq!(table.replace(8, 1), 0);
        assert_eq!(table.replace(8, 2), 1);
        assert_eq!((table.get(4), table.get(8), table.get(RawDescriptor::MAX)), (0, 2, 0));
        assert_eq!(table.values_mut().filter(|thing| **thing != 0).count(), 1);
    }
}
